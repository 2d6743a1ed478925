#![doc = include_str!("../README.md")]
//!
//! # What is here
//!
//! - [`sweep`] plans many runs and says which are done.
//! - [`card`] says what the reference's defects do to the figures of a study.
//!
//! For one run, see `rut-run`; for figures and tables of many records, see `rut-report`.

pub mod card;
mod error;
pub mod sweep;

pub use error::{Error, Result};
