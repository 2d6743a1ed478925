//! A quantized network as a file.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::{Dtype, View};

use super::QuantizationDescription;
use crate::array::Array;
use crate::error::{Error, Result};

/// The bytes of a safetensors file with the weights of a quantized network and the description of how they were made.
/// The same arguments give the same bytes.
///
/// # Errors
///
/// [`Error::Argument`] where an array or a scale cannot be stored.
pub fn quantized_file(
    arrays: &BTreeMap<String, Array>,
    description: &QuantizationDescription,
) -> Result<Vec<u8>> {
    let views = arrays.iter().map(|(name, array)| (name, Floats(array)));
    // A single entry, because those of a hash map come in any order.
    let metadata = HashMap::from([description.metadata()?]);
    safetensors::serialize(views, Some(metadata)).map_err(|error| Error::Argument {
        what: "the weights of a quantized network",
        found: error.to_string(),
        expected: "arrays of f32 that fit their shapes".into(),
    })
}

struct Floats<'a>(&'a Array);

impl View for Floats<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let bytes = self.0.data.iter().flat_map(|value| value.to_le_bytes());
        bytes.collect::<Vec<u8>>().into()
    }

    fn data_len(&self) -> usize {
        self.0.data.len() * size_of::<f32>()
    }
}
