//! Arrays as NumPy stores them, in `.npy` files and in pickles: element type, shape and bytes.

mod array;
mod dtype;

pub use array::{Array, Layout, MAX_DIMS, elements, range_in};
pub use dtype::{Dtype, Kind};
