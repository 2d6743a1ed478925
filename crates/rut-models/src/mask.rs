//! The 0/1 masks of a lottery ticket: which weights stay.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::checkpoint::key;
use crate::checkpoint::reader::{self, Entry};
use crate::error::{Error, Result};

/// Endings that say that a key is the mask of a parameter.
const SUFFIXES: &[&str] = &[".mask", "_mask"];

/// The mask of one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskArray {
    /// Length of each axis, as in the parameter.
    pub shape: Vec<usize>,
    /// Row-major: true where the weight stays.
    pub keep: Vec<bool>,
}

impl MaskArray {
    /// Number of weights that stay.
    pub fn kept(&self) -> usize {
        self.keep.iter().filter(|&&keep| keep).count()
    }
}

/// The masks of a ticket, by parameter.
#[derive(Debug, Clone)]
pub struct Mask {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the file, 64 lowercase hexadecimal digits.
    pub digest: String,
    /// What was done to the file's keys, one sentence each.
    pub notes: Vec<String>,
    tensors: BTreeMap<String, MaskArray>,
}

impl Mask {
    /// Reads masks from a `.safetensors` or PyTorch file of any element type. Keys may carry the same prefixes as a
    /// checkpoint's, whether or not the checkpoint's do, and end in `.mask` or `_mask`.
    ///
    /// # Errors
    ///
    /// As [`Checkpoint::open`](crate::Checkpoint::open), and [`Error::MaskValue`] for an element other than 0 or 1.
    pub fn open(path: &Path) -> Result<Self> {
        let raw = reader::read(path, &|_| true, &mask_array)?;
        let bare = raw
            .entries
            .into_iter()
            .map(|(key, mask)| (without_suffix(&key).to_string(), mask));
        let (tensors, prefixed) = key::without_prefixes(path, bare.collect())?;
        let mut notes = raw.notes;
        notes.extend(prefixed);
        Ok(Self {
            path: path.to_path_buf(),
            digest: raw.digest,
            notes,
            tensors,
        })
    }

    /// The masks by parameter name.
    pub fn tensors(&self) -> &BTreeMap<String, MaskArray> {
        &self.tensors
    }
}

fn without_suffix(key: &str) -> &str {
    SUFFIXES
        .iter()
        .find_map(|suffix| key.strip_suffix(suffix))
        .unwrap_or(key)
}

fn mask_array(entry: Entry<'_>) -> Result<MaskArray> {
    let keep = entry
        .element
        .values(entry.bytes)
        .enumerate()
        .map(|(index, value)| match value {
            1.0 => Ok(true),
            0.0 => Ok(false),
            value => Err(Error::MaskValue {
                path: entry.path.to_path_buf(),
                name: entry.name.into(),
                index,
                value,
            }),
        });
    Ok(MaskArray {
        shape: entry.shape.to_vec(),
        keep: keep.collect::<Result<_>>()?,
    })
}
