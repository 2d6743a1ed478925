#![doc = include_str!("../README.md")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "xtask is a program; what it says goes to a person"
)]

pub mod cargo;
pub mod ci;
pub mod docs;
pub mod package;
pub mod rust_text;
pub mod tidy;
pub mod tree;
