//! What a file says of its quantization, in the metadata of its safetensors header.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::graph::{ActivationRange, Graph};

/// The key of the metadata.
pub(crate) const KEY: &str = "rut.quantization";
/// The layout of the description.
const VERSION: u32 = 1;

/// How the weights of a file were made, and what its activations are rounded to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantizationDescription {
    /// The layout, 1.
    pub version: u32,
    /// Name of the model in the table.
    pub model: String,
    /// Bits of a weight.
    pub weight_bits: u32,
    /// How weights were rounded, in words.
    pub weight_scheme: String,
    /// Names of the weights that were not rounded.
    pub kept: Vec<String>,
    /// For each layer's weight how many weights were not pruned before: rounding makes zeros that are no pruned places.
    pub unpruned: BTreeMap<String, usize>,
    /// Activations, if they are rounded.
    pub activations: Option<ActivationDescription>,
    /// SHA-256 of the checkpoint that it was made of.
    pub source_checkpoint: String,
    /// SHA-256 of the mask that was in force.
    pub source_mask: Option<String>,
    /// The program that made the file, with its version.
    pub program: String,
}

/// What activations are rounded to, and from which images that is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivationDescription {
    /// Bits of an activation.
    pub bits: u32,
    /// For each ReLU, in the order of evaluation, from one value to the next.
    pub scales: Vec<f32>,
    /// How ranges were chosen: `min-max` or `percentile P`.
    pub calibration: String,
    /// The data set of the images.
    pub dataset: String,
    /// How many images were looked at.
    pub images: usize,
    /// SHA-256 of their pixels.
    pub digest: String,
}

impl QuantizationDescription {
    /// The layout that this version writes.
    pub const VERSION: u32 = VERSION;

    /// From a file's metadata; `None` where it has none.
    pub(crate) fn read(path: &Path, metadata: &BTreeMap<String, String>) -> Result<Option<Self>> {
        let Some(text) = metadata.get(KEY) else {
            return Ok(None);
        };
        let wrong = |reason: String| Error::Quantization {
            path: path.to_path_buf(),
            reason,
        };
        let found: Self = serde_json::from_str(text)
            .map_err(|error| wrong(format!("its entry `{KEY}` does not read: {error}")))?;
        if found.version != VERSION {
            let version = found.version;
            return Err(wrong(format!(
                "its entry `{KEY}` has version {version}, expected {VERSION}"
            )));
        }
        Ok(Some(found))
    }

    /// Its entry of a file's metadata.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where a scale is no number.
    pub fn metadata(&self) -> Result<(String, String)> {
        let text = serde_json::to_string(self).map_err(|error| Error::Argument {
            what: "the description of a quantization",
            found: error.to_string(),
            expected: "finite numbers".into(),
        })?;
        Ok((KEY.to_owned(), text))
    }

    /// `graph` with the quantized activations that the file at `path` asks for.
    pub(crate) fn applied(&self, path: &Path, model: &str, graph: Graph) -> Result<Graph> {
        let wrong = |reason: String| Error::Quantization {
            path: path.to_path_buf(),
            reason,
        };
        if self.model != model {
            let own = &self.model;
            return Err(wrong(format!(
                "it is a quantized `{own}` and was asked for as `{model}`"
            )));
        }
        let Some(activations) = &self.activations else {
            return Ok(graph);
        };
        let (found, expected) = (activations.scales.len(), graph.relus().count());
        if found != expected {
            return Err(wrong(format!(
                "it has {found} activation ranges, expected {expected}, one for each ReLU of `{model}`"
            )));
        }
        let range = |&scale: &f32| ActivationRange::new(activations.bits, scale);
        let ranges: Result<Vec<_>> = activations.scales.iter().map(range).collect();
        let ranges = ranges.map_err(|error| wrong(error.to_string()))?;
        graph.with_quantized_activations(&ranges)
    }
}
