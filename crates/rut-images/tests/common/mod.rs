//! What several tests need: golden files, and real images that are not part of the repository.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "not every test program that includes this module uses all of it"
)]

use std::path::{Path, PathBuf};

use rut_images::Error;
use serde_json::Value;

/// Root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What lies beside the workspace; without it the caller skips visibly.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    rut_testkit::place::shared(name)
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
