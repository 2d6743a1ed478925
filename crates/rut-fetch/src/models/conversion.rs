//! From a file of weights as it was published to safetensors.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::Path;

use rut_models::{Checkpoint, Stored};
use safetensors::tensor::TensorInfo;
use safetensors::{SafeTensors, serialize_to_file};

use super::sheet::Tensor;
use crate::error::{Error, Result, file};

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
    let checkpoint = Checkpoint::open(source)
        .and_then(Checkpoint::unwrapped)
        .map_err(|error| no_weights(source, error))?;
    if is_safetensors(source) {
        fs::copy(source, target).map_err(file("write", target))?;
    } else {
        let arrays = checkpoint.tensors().iter();
        let arrays = arrays.map(|(name, array)| (name.as_str(), Stored::array(array)));
        // What transformers and torch's own tools look for.
        let about = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        serialize_to_file(arrays, Some(about), target)
            .map_err(|error| no_weights(target, error))?;
    }
    let synced = File::open(target).and_then(|written| written.sync_all());
    synced.map_err(file("write", target))?;
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

/// The arrays of a safetensors file, which is checked with its own header.
fn tensors(path: &Path) -> Result<BTreeMap<String, Tensor>> {
    let bytes = fs::read(path).map_err(file("read", path))?;
    let (_, metadata) =
        SafeTensors::read_metadata(&bytes).map_err(|error| no_weights(path, error))?;
    let tensor = |(name, info): (String, &TensorInfo)| {
        let dtype = format!("{:?}", info.dtype);
        let shape = info.shape.clone();
        (name, Tensor { dtype, shape })
    };
    Ok(metadata.tensors().into_iter().map(tensor).collect())
}

fn no_weights(path: &Path, problem: impl ToString) -> Error {
    Error::Weights {
        path: path.to_path_buf(),
        problem: problem.to_string(),
    }
}
