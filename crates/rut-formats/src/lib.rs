#![doc = include_str!("../README.md")]

mod cell;
pub mod checksum;
mod counted;
mod digest;
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
pub mod seal;
mod shallow;
mod shell;
mod spelling;
mod tensors;
mod texts;
pub mod torch;
pub mod whole_file;
pub mod zip;

pub use cell::csv_cell;
pub use counted::counted;
pub use digest::Digest;
pub use escape::{Escaped, escape, is_hidden, lines, list};
pub use fault::Fault;
pub use metered::{Allowance, Metered};
pub use shallow::Shallow;
pub use shell::shell_word;
pub use spelling::{did_you_mean, plain_name};
pub use tensors::check_header;
pub use texts::Texts;
