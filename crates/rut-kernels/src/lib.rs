#![doc = include_str!("../README.md")]

mod arch;
mod area;
mod conv;
mod error;
mod finish;
mod isa;
mod lanes;
mod map;
mod shape;
mod workspace;

pub use area::Area;
pub use conv::{Conv, Method};
pub use error::{Error, Result};
pub use finish::{End, Start};
pub use isa::Isa;
pub use lanes::{LANES, Lanes};
pub use map::{Map, MapMut};
pub use shape::{ConvShape, Direction};
pub use workspace::Workspace;
