//! A quantized network as a file.

use std::collections::BTreeMap;

use super::QuantizationDescription;
use crate::array::Array;
use crate::error::{Error, Result};
use crate::stored::{Stored, safetensors_bytes};

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
    let (key, text) = description.metadata()?;
    let arrays = arrays.iter();
    let tensors = arrays.map(|(name, array)| (name.as_str(), Stored::array(array)));
    safetensors_bytes(tensors, &key, &text).map_err(|error| Error::Argument {
        what: "the weights of a quantized network",
        found: error.to_string(),
        expected: "arrays of f32 that fit their shapes".into(),
    })
}
