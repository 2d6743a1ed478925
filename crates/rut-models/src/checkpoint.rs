//! The trained values of a network as a file holds them, under names without wrappers' prefixes. Whether they fit a
//! network is not known here; [`Weights::assemble`](crate::Weights::assemble) checks that.

mod digest;
mod element;
pub(crate) mod key;
mod pytorch;
pub(crate) mod reader;
mod safetensors;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::array::Array;
use crate::error::{Error, Result};
use reader::Entry;

/// A state dict read from a file, all elements as f32.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the file, 64 lowercase hexadecimal digits.
    pub digest: String,
    /// What was done to the file's keys, one sentence each: prefixes removed, counters left out, pruning folded in.
    pub notes: Vec<String>,
    tensors: BTreeMap<String, Array>,
}

impl Checkpoint {
    /// Reads a `.safetensors` file or a PyTorch `.pth`, `.pt` or `.th` file, zipped or legacy; which of them is seen
    /// from the content, not from the name.
    ///
    /// A state dict under `state_dict`, `model_state_dict` or `model` is found; prefixes `module.`, `model.` and
    /// `_orig_mod.` are removed from every key, however many there are; `num_batches_tracked` is left out; f16, bf16
    /// and f64 become f32; `weight_orig` and `weight_mask` of `torch.nn.utils.prune` become their product.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Format`] for a file of another kind or a damaged one, [`Error::ElementType`] for
    /// integers, [`Error::DuplicateKey`] where two keys are the same without their prefixes.
    pub fn open(path: &Path) -> Result<Self> {
        let raw = reader::read(path, &|name| !name.ends_with("num_batches_tracked"), &array)?;
        let mut notes = raw.notes;
        if raw.left_out > 0 {
            notes.push(format!(
                "left out {} counters `num_batches_tracked`",
                raw.left_out
            ));
        }
        let (mut tensors, prefixed) = key::without_prefixes(path, raw.entries)?;
        notes.extend(prefixed);
        notes.extend(fold_pruning(&mut tensors));
        Ok(Self {
            path: path.to_path_buf(),
            digest: raw.digest,
            notes,
            tensors,
        })
    }

    /// The arrays by name.
    pub fn tensors(&self) -> &BTreeMap<String, Array> {
        &self.tensors
    }
}

fn array(entry: Entry<'_>) -> Result<Array> {
    if !entry.element.is_float() {
        return Err(Error::ElementType {
            path: entry.path.to_path_buf(),
            name: entry.name.into(),
            found: entry.element.name().into(),
            expected: "f16, bf16, f32 or f64: convert quantised weights to floats first",
        });
    }
    let data = entry
        .element
        .values(entry.bytes)
        .map(|value| value as f32)
        .collect();
    let shape = entry.shape.to_vec();
    Ok(Array { shape, data })
}

/// Multiplies `{name}_orig` by `{name}_mask`, as `torch.nn.utils.prune` does before every forward pass.
fn fold_pruning(tensors: &mut BTreeMap<String, Array>) -> Option<String> {
    let pruned: Vec<String> = tensors
        .keys()
        .filter_map(|name| name.strip_suffix("_orig"))
        .filter(|name| fits(tensors, name))
        .map(String::from)
        .collect();
    for name in &pruned {
        let original = tensors.remove(&format!("{name}_orig"));
        let mask = tensors.remove(&format!("{name}_mask"));
        if let (Some(mut array), Some(mask)) = (original, mask) {
            array
                .data
                .iter_mut()
                .zip(mask.data)
                .for_each(|(weight, keep)| *weight *= keep);
            tensors.insert(name.clone(), array);
        }
    }
    (!pruned.is_empty())
        .then(|| format!("multiplied {} pairs of `_orig` and `_mask`", pruned.len()))
}

fn fits(tensors: &BTreeMap<String, Array>, name: &str) -> bool {
    let shape = |suffix| {
        tensors
            .get(&format!("{name}{suffix}"))
            .map(|array| &array.shape)
    };
    shape("_mask").is_some() && shape("_mask") == shape("_orig") && !tensors.contains_key(name)
}
