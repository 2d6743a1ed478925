//! `cargo xtask docs`: the reference documentation, built with warnings as errors, and the parts of
//! the Markdown files that are written from the tables of the crates.

mod build;
mod datasets;
mod section;

pub use build::{build, run, write_sections};
pub use section::{END, Freshness, SECTIONS, Section, opening, refresh, state};
