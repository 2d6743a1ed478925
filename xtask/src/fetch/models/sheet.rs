//! What stands beside converted weights: where they come from and what is in them. Written last, so that it also proves
//! that the weights are whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::super::slot::with_ending;

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

    /// Writes it under a temporary name and renames it.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let temporary = with_ending(path, ".new");
        let write = || -> Result<()> {
            let mut text = serde_json::to_string_pretty(self)?;
            text.push('\n');
            let mut file = File::create(&temporary)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            Ok(fs::rename(&temporary, path)?)
        };
        write().with_context(|| format!("failed to write {}", path.display()))
    }
}
