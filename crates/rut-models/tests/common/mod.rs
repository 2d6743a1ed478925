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

pub mod nets;

use std::path::{Path, PathBuf};

/// A file of this crate's `tests/fixtures/`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}
