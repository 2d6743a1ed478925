//! What several tests need: golden files, and real images that are not part of the repository.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "not every test program that includes this module uses all of it"
)]
#![expect(clippy::print_stdout, reason = "a skipped test must be seen")]

use std::path::{Path, PathBuf};

use rut_images::Error;
use serde_json::Value;

/// Root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A path below the folder of shared fixtures, `RUT_SHARED` or `../shared` beside the workspace;
/// prints that the test is skipped where it is not there.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let beside = || workspace().join("../shared");
    let found = std::env::var_os("RUT_SHARED")
        .map_or_else(beside, PathBuf::from)
        .join(path);
    if found.exists() {
        return Some(found);
    }
    assert!(
        std::env::var_os("RUT_REQUIRE_SHARED").is_none(),
        "RUT_REQUIRE_SHARED is set, but there is no {}",
        found.display()
    );
    println!(
        "skipped: no {}; set RUT_SHARED to the folder of shared fixtures",
        found.display()
    );
    None
}

/// A JSON file.
pub(crate) fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a readable file");
    serde_json::from_str(&text).expect("valid JSON")
}

/// The bytes of a string of hexadecimal digits.
pub(crate) fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().expect("hexadecimal digits").as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16);
    digits
        .chunks_exact(2)
        .map(|pair| byte(pair).expect("a byte"))
        .collect()
}

/// Asserts that the error's message holds all of these texts.
pub(crate) fn assert_says<T: std::fmt::Debug>(result: Result<T, Error>, texts: &[&str]) {
    let message = result.expect_err("an error").to_string();
    for text in texts {
        assert!(message.contains(text), "no '{text}' in: {message}");
    }
}
