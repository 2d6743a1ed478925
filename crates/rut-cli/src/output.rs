//! The two streams: results on stdout, everything else on stderr.

use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};
use serde::Serialize;

/// Writes a result. A closed pipe (`rut … | head`) is not an error.
///
/// # Errors
/// If stdout cannot be written for another reason (a full disk, say).
pub fn result(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("write the result to stdout")
        }
        _ => Ok(()),
    }
}

/// Writes a result as JSON.
///
/// # Errors
/// As [`result`].
pub fn json(value: &impl Serialize) -> Result<()> {
    result(&serde_json::to_string_pretty(value)?)
}

/// Tells a person something. Where stderr is gone, nobody listens.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
