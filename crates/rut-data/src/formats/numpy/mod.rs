//! Arrays as NumPy stores them, in `.npy` files and in pickles: element type, shape and bytes.

mod array;
mod dtype;

pub(crate) use array::{Array, Layout, MAX_DIMS, elements, range_in};
pub(crate) use dtype::{Dtype, Kind};
