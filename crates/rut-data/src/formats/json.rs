//! JSON files, with errors that say where.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// What a JSON file holds. `expected` says what that should be, for errors.
///
/// # Errors
/// [`Error::Malformed`] with the line and column; [`Error::Io`].
pub(crate) fn read<T: DeserializeOwned>(path: &Path, expected: &str) -> Result<T> {
    let bytes = fs::read(path).map_err(Error::io(path))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::Malformed {
        path: path.to_path_buf(),
        place: format!("line {}, column {}", error.line(), error.column()),
        expected: expected.to_owned(),
        found: error.to_string(),
    })
}
