//! What the files of a network hold.

use std::collections::BTreeMap;
use std::path::Path;

use crate::array::Array;

/// What a file holds.
pub(super) struct FileContents<'a> {
    pub(super) path: &'a Path,
    pub(super) tensors: &'a BTreeMap<String, Array>,
    /// Element types of what is no array of floats.
    pub(super) others: &'a BTreeMap<String, &'static str>,
}
