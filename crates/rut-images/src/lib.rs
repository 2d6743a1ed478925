#![doc = include_str!("../README.md")]
//!
//! # Map of the crate
//!
//! | question | where |
//! | --- | --- |
//! | what is in a file? | [`decode`], [`Picture`], [`Mode`] |
//! | how is it made smaller? | [`Picture::resized`], [`Picture::center_cropped`], [`resample`], [`resample_real`], [`nearest`] |
//! | what does a network see of it? | [`Transform`], [`Geometry`], [`ColorOrder`] |
//! | how is a training image varied? | [`augment`], [`augment::Operation`], [`augment::Policy`], [`Window`] |
//! | how is one written? | [`encode_png`], [`RgbImage`], [`Sheet`] |
//! | how large may it be? | [`Extent`], [`MAX_PIXELS`], [`MAX_DECODED`] |

mod alpha;
pub mod augment;
mod bmp;
mod error;
mod extent;
mod formats;
mod gif;
mod inks;
mod jpeg;
mod picture;
mod png;
mod pnm;
mod resize;
mod sheet;
mod tiff;
mod transform;
mod unsupported;
mod webp;
mod window;

pub use error::{Error, Result};
pub use extent::{Extent, MAX_DECODED, MAX_PIXELS};
pub use formats::decode;
pub use picture::{Depth, Mode, Picture, RgbImage};
pub use png::encode as encode_png;
pub use resize::{Filter, nearest, resample, resample_real};
pub use sheet::Sheet;
pub use transform::{ColorOrder, Geometry, PIXELS_VERSION, Transform, VALUES_VERSION};
pub use unsupported::kind;
pub use window::Window;
