//! JSON files, with errors that say where.

use std::io::Read;
use std::path::Path;

use rut_formats::regular;
use serde::de::{DeserializeOwned, DeserializeSeed};

use crate::{Error, Result};

/// Bytes of the largest split file; those of the data sets have a third.
const MOST: u64 = 16 << 20;
/// Bytes of the largest file of texts that are all kept; those of the data sets have half.
const MOST_KEPT: u64 = 4 << 20;

/// What a JSON file holds. `expected` says what that should be, for errors.
///
/// # Errors
/// [`Error::Malformed`] with the line and column; [`Error::Io`].
pub(crate) fn read<T: DeserializeOwned>(path: &Path, expected: &str) -> Result<T> {
    let bytes = whole(path, MOST_KEPT)?;
    serde_json::from_slice(&bytes).map_err(|error| malformed(path, expected, &error))
}

/// Reads a JSON file with `seed`, which keeps of it what it wants.
///
/// # Errors
/// As [`read`].
pub(super) fn read_with<S>(path: &Path, expected: &str, seed: S) -> Result<()>
where
    S: for<'de> DeserializeSeed<'de, Value = ()>,
{
    let bytes = whole(path, MOST)?;
    let mut input = serde_json::Deserializer::from_slice(&bytes);
    let read = seed.deserialize(&mut input).and_then(|()| input.end());
    read.map_err(|error| malformed(path, expected, &error))
}

/// The bytes of a file that has at most `most`.
///
/// # Errors
/// [`Error::Malformed`] if it has more; [`Error::Io`].
pub(super) fn whole(path: &Path, most: u64) -> Result<Vec<u8>> {
    let file = regular::open(path, regular::ARCHIVE).map_err(Error::io(path))?;
    let mut bytes = Vec::new();
    let read = file.take(most + 1).read_to_end(&mut bytes);
    read.map_err(Error::io(path))?;
    if bytes.len() as u64 <= most {
        return Ok(bytes);
    }
    Err(Error::Malformed {
        path: path.to_path_buf(),
        place: "its length".to_owned(),
        expected: format!("at most {most} bytes, more than the list of any data set has"),
        found: "more; fetch the file again".to_owned(),
    })
}

fn malformed(path: &Path, expected: &str, error: &serde_json::Error) -> Error {
    Error::Malformed {
        path: path.to_path_buf(),
        place: format!("line {}, column {}", error.line(), error.column()),
        expected: expected.to_owned(),
        found: error.to_string(),
    }
}
