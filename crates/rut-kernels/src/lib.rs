#![doc = include_str!("../README.md")]

mod arch;
mod area;
mod average;
pub mod bf16;
mod conv;
mod error;
mod fake_quantize;
mod finish;
mod images;
mod isa;
mod lanes;
mod linear;
mod map;
mod max_pool;
mod plane;
pub mod reference;
mod rows;
mod shape;
mod shortcut;
mod workspace;

pub use area::Area;
pub use average::AveragePool;
pub use conv::{Conv, ConvAlgorithm};
pub use error::{Error, Result};
pub use fake_quantize::FakeQuantize;
pub use finish::{End, Ends, Start};
pub use images::{deinterleave, interleave};
pub use isa::Isa;
pub use lanes::{LANES, Lanes, Taken};
pub use linear::Linear;
pub use map::{Map, MapMut};
pub use max_pool::{MaxPool, PoolGradient};
pub use plane::{Plane, PlaneMut};
pub use shape::{ConvShape, Direction};
pub use shortcut::{OptionA, add_into, finish};
pub use workspace::Workspace;
