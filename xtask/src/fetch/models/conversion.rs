//! From a file of weights as it was published to safetensors.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use rut_models::{Array, Checkpoint};
use safetensors::tensor::{Dtype, TensorInfo, View};
use safetensors::{SafeTensors, serialize_to_file};

use super::sheet::Tensor;

/// What a conversion made.
#[derive(Debug)]
pub(super) struct Converted {
    /// What was done to the keys.
    pub(super) notes: Vec<String>,
    /// The arrays of the result.
    pub(super) tensors: BTreeMap<String, Tensor>,
}

/// Writes the weights in `source` to the new safetensors file `target`. A safetensors file is read through and copied as it
/// is.
///
/// # Errors
/// If `source` holds no weights or is damaged, or `target` cannot be written. What was written until then stays, for the
/// caller to remove.
pub(super) fn convert(source: &Path, target: &Path) -> Result<Converted> {
    let checkpoint = Checkpoint::open(source)?.unwrapped()?;
    let write = || -> Result<()> {
        if is_safetensors(source) {
            fs::copy(source, target)?;
        } else {
            let arrays = checkpoint.tensors().iter();
            let arrays = arrays.map(|(name, array)| (name.as_str(), Plain(array)));
            // What transformers and torch's own tools look for.
            let about = HashMap::from([("format".to_owned(), "pt".to_owned())]);
            serialize_to_file(arrays, Some(about), target)?;
        }
        File::open(target)?.sync_all()?;
        Ok(())
    };
    write().with_context(|| format!("failed to write {}", target.display()))?;
    let tensors = tensors(target)?;
    let notes = if is_safetensors(source) {
        Vec::new()
    } else {
        checkpoint.notes
    };
    Ok(Converted { notes, tensors })
}

fn is_safetensors(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending == "safetensors")
}

/// The arrays of a safetensors file, which is held against its own header.
fn tensors(path: &Path) -> Result<BTreeMap<String, Tensor>> {
    let read = || -> Result<BTreeMap<String, Tensor>> {
        let bytes = fs::read(path)?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes)?;
        let tensor = |(name, info): (String, &TensorInfo)| {
            let dtype = format!("{:?}", info.dtype);
            let shape = info.shape.clone();
            (name, Tensor { dtype, shape })
        };
        Ok(metadata.tensors().into_iter().map(tensor).collect())
    };
    read().with_context(|| format!("failed to read {}", path.display()))
}

/// An array as safetensors stores it.
struct Plain<'a>(&'a Array);

impl View for Plain<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let bytes: Vec<u8> = self
            .0
            .data
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        bytes.into()
    }

    fn data_len(&self) -> usize {
        self.0.data.len() * size_of::<f32>()
    }
}
