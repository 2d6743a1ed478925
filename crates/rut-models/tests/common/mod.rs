//! What several test files share. Each of them uses a part.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of this module"
)]
#![allow(
    clippy::allow_attributes,
    reason = "an `expect` would be unfulfilled in the files that use all of it"
)]

pub mod bf16;

use std::path::{Path, PathBuf};

use rut_models::Checkpoint;
pub use rut_testkit::nets;

/// A file of this crate's `tests/fixtures/`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// A fixture that can be read.
pub fn checkpoint(name: &str) -> Checkpoint {
    Checkpoint::open(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The fixtures' value of element i.
pub fn ramp(count: usize) -> Vec<f32> {
    (1..=count).map(|i| i as f32 / 16.0).collect()
}

pub fn message<T>(result: rut_models::Result<T>) -> String {
    result.err().expect("an error").to_string()
}
