//! `cargo xtask tidy`: what a reader of the tree may rely on, checked over its source. One file per
//! concern, each with tests that hand it bad text; [`CHECKS`] is the list. It reads text and
//! manifests only: what the compiler or clippy can say is said by them.

mod arrows;
mod bundle;
mod check;
mod finding;
mod flags;
mod globals;
mod links;
mod machine;
mod manifest;
mod markers;
mod output;
mod records;
mod restricted;
mod shape;
mod skips;
mod stale;
mod terminal;
mod unsafe_code;

pub use check::{CHECKS, Check, inspect, run};
pub use finding::{Finding, Rule};
