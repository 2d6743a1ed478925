//! MATLAB's MAT-files of version 5, which `save` writes by default
//! (<https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf>): numbers, texts, cells and
//! structs, compressed or not, of either byte order. Only the variables that are asked for are
//! decoded, and numbers keep the type in which they are stored.
//!
//! It is ours because the crates fall short: matfile gives no arrays for files of structs or cells
//! and fails on some small `int32` arrays, and matrw insists on the text of the header.

mod array;
mod file;
mod header;
mod matrix;
mod numbers;
mod stream;
#[cfg(test)]
mod tests;

pub use array::{Array, Struct, Values};
pub use file::variables;
pub use numbers::Numbers;
