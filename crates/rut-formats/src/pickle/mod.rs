//! Python pickles, as the files of data sets are written: numbers, texts, lists, tuples, dicts and
//! NumPy arrays, of the protocols 0 to 5 (<https://docs.python.org/3/library/pickletools.html>).
//!
//! Nothing is executed. A pickle is a program for a small stack machine; the instructions that
//! call something are understood only for the few functions by which NumPy puts arrays together,
//! and those are rebuilt here. Any other name is an error.
//!
//! All values stand in one arena and refer to each other by index, so a value that is shared a
//! million times, holds itself or is nested a million deep costs what its bytes in the file cost.

mod any;
mod arrays;
mod calls;
mod constants;
mod containers;
mod cursor;
#[cfg(test)]
mod golden;
mod machine;
mod node;
mod opcode;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub use machine::{Names, parse, parse_names};
pub use value::{Pickle, Value};
