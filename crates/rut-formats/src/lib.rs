#![doc = include_str!("../README.md")]

mod escape;
mod fault;
mod metered;
pub mod numpy;
pub mod pickle;
pub mod regular;

pub use escape::{Escaped, escape, list};
pub use fault::Fault;
pub use metered::{Allowance, Metered};
