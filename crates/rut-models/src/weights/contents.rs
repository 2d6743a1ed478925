//! The contents of a network's files.

use std::collections::BTreeMap;
use std::path::Path;

use crate::array::Array;

/// The contents of a file.
pub(super) struct FileContents<'a> {
    pub(super) path: &'a Path,
    pub(super) tensors: &'a BTreeMap<String, Array>,
    /// Element types of what is no array of floats.
    pub(super) others: &'a BTreeMap<String, &'static str>,
}
