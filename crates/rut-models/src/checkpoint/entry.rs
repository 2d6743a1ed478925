//! What a reader of a file of named tensors hands on, and what is wrong with a file.

use std::collections::BTreeMap;
use std::path::Path;

use super::element::Element;
use crate::error::{Error, Result};

/// One tensor of a file, little-endian and row-major.
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) element: Element,
    pub(crate) shape: &'a [usize],
    pub(crate) bytes: &'a [u8],
}

/// What a file holds, decoded.
pub(crate) struct Raw<T> {
    pub(crate) digest: String,
    pub(crate) entries: BTreeMap<String, T>,
    /// The metadata of a safetensors header.
    pub(crate) metadata: BTreeMap<String, String>,
    /// How many keys were not wanted.
    pub(crate) left_out: usize,
}

/// Says of each key whether it is read at all.
pub(crate) type Wanted<'a> = &'a dyn Fn(&str) -> bool;

/// Turns one tensor into a value.
pub(crate) type Decode<'a, T> = &'a dyn Fn(Entry<'_>) -> Result<T>;

/// An error of the operating system about this file.
pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::Io { path, source }
}

/// A file that cannot be read as what it seems to be.
pub(super) fn damaged(path: &Path, reason: String, remedy: &'static str) -> Error {
    Error::Format {
        path: path.to_path_buf(),
        reason,
        remedy,
    }
}
