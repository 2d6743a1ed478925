//! Operations that vary training images, with Pillow's arithmetic: the same bytes as its `Image`, `ImageOps` and
//! `ImageEnhance`.
//!
//! Every operation is a pure function of an 8-bit RGB image and an explicit magnitude; nothing here is random. Of what
//! a policy chooses among, the caller draws ([`Policy::choose`]).
//!
//! Pillow 13.0.0 made the golden numbers, in `golden/augment.json`, on x86-64. Where a compiler fuses a
//! multiplication with an addition, as on other machines, Pillow itself differs by a level; this code does not.

mod affine;
mod enhance;
mod operation;
mod policy;
mod tone;

pub use operation::{Operation, crop, flip};
pub use policy::Policy;
