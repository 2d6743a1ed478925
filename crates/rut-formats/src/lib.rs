#![doc = include_str!("../README.md")]

mod cell;
mod escape;
mod fault;
mod inflated;
pub mod mat;
mod metered;
pub mod npy;
pub mod npz;
pub mod numpy;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod pickle;
pub mod regular;
mod shell;
mod spelling;
pub mod torch;
pub mod zip;

pub use cell::csv_cell;
pub use escape::{Escaped, escape, is_hidden, lines, list};
pub use fault::Fault;
pub use metered::{Allowance, Metered};
pub use shell::shell_word;
pub use spelling::{did_you_mean, plain_name};
