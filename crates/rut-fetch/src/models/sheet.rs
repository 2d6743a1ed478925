//! What stands beside converted weights: where they come from and what is in them. Written last, so that it also proves
//! that the weights are whole.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::lock::write_json;

/// Version of the file's format.
pub(super) const FORMAT: u32 = 1;

/// The file `NAME.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sheet {
    pub(super) format: u32,
    /// What it is, as a person calls it.
    pub(super) title: String,
    /// How it was trained, where the table says so.
    pub(super) recipe: Option<String>,
    /// The file that was published.
    pub(super) source: Source,
    /// SHA-256 of the safetensors file.
    pub(super) sha256: String,
    /// Length of the safetensors file.
    pub(super) bytes: u64,
    /// What was done to the keys.
    pub(super) notes: Vec<String>,
    /// The arrays by name.
    pub(super) tensors: BTreeMap<String, Tensor>,
}

/// A published file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) url: String,
    pub(super) sha256: String,
    pub(super) bytes: u64,
}

/// One array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tensor {
    pub(super) dtype: String,
    pub(super) shape: Vec<usize>,
}

impl Sheet {
    /// Reads the one at `path`; `None` if there is none, or one that this program did not write.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let sheet: Self = serde_json::from_str(&fs::read_to_string(path).ok()?).ok()?;
        (sheet.format == FORMAT).then_some(sheet)
    }

    /// Writes it, whole or not at all.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        write_json(path, self)
    }
}
