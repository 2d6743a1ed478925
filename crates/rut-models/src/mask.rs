//! The 0/1 masks of a lottery ticket: which weights stay.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::checkpoint::entry::Entry;
use crate::checkpoint::key::is_counter;
use crate::checkpoint::reader;
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
    wrong: BTreeMap<String, Wrong>,
}

/// Why what was read is no mask.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    /// The first element that is neither 0 nor 1: its index and value.
    Value(usize, f64),
    /// Elements, or a form of tensor, that are not read.
    Element(&'static str),
}

impl Mask {
    /// Reads masks from a `.safetensors` or PyTorch file of any element type. Keys may stand under any dictionaries and
    /// modules, whether or not the checkpoint's do, and end in `.mask` or `_mask`; where some do, all others are no masks.
    ///
    /// # Errors
    ///
    /// As [`Checkpoint::open`](crate::Checkpoint::open), and [`Error::MaskValue`] where nothing in the file is a mask.
    pub fn open(path: &Path) -> Result<Self> {
        let raw = reader::read(path, &|name| !is_counter(name), &mask_array)?;
        let marked = raw.entries.keys().any(|key| without_suffix(key) != key);
        let (mut tensors, mut wrong, mut left_out) = (BTreeMap::new(), BTreeMap::new(), 0);
        for (key, (array, problem)) in raw.entries {
            let name = without_suffix(&key);
            if marked && name == key {
                left_out += 1;
                continue;
            }
            wrong.extend(problem.map(|problem| (name.to_owned(), problem)));
            tensors.insert(name.to_owned(), array);
        }
        let mask = Self {
            path: path.to_path_buf(),
            digest: raw.digest,
            notes: (left_out > 0)
                .then(|| format!("mask: left out {left_out} keys that do not end in `mask`"))
                .into_iter()
                .collect(),
            tensors,
            wrong,
        };
        if mask.wrong.len() == mask.tensors.len() {
            let mut names = mask.wrong.keys();
            names.try_for_each(|name| mask.check(name))?;
        }
        Ok(mask)
    }

    /// The masks by parameter name, as the file's keys have it. Which of them are a network's is not known here.
    pub fn tensors(&self) -> &BTreeMap<String, MaskArray> {
        &self.tensors
    }

    /// Whether what stands under `key` holds nothing but 0 and 1.
    pub(crate) fn check(&self, key: &str) -> Result<()> {
        match self.wrong.get(key) {
            None => Ok(()),
            Some(&Wrong::Element(found)) => Err(Error::ElementType {
                path: self.path.clone(),
                name: key.into(),
                found: found.into(),
                expected: "dense booleans, integers or floats of 0 and 1: save it as mask.to_dense().bool()",
            }),
            Some(&Wrong::Value(index, value)) => Err(Error::MaskValue {
                path: self.path.clone(),
                name: key.into(),
                index,
                value,
            }),
        }
    }
}

fn without_suffix(key: &str) -> &str {
    SUFFIXES
        .iter()
        .find_map(|suffix| key.strip_suffix(suffix))
        .unwrap_or(key)
}

fn mask_array(entry: Entry<'_>) -> Result<(MaskArray, Option<Wrong>)> {
    let is_read = entry.element.is_read();
    let mut wrong = (!is_read).then(|| Wrong::Element(entry.element.name()));
    let values = entry.element.values(entry.bytes).enumerate();
    let keep = values.map(|(index, value)| {
        if value != 0.0 && value != 1.0 {
            wrong.get_or_insert(Wrong::Value(index, value));
        }
        value == 1.0
    });
    let keep = keep.collect();
    let shape = entry.shape.to_vec();
    Ok((MaskArray { shape, keep }, wrong))
}
