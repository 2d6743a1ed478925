//! Tensors as a safetensors file stores them, and the bytes of such a file. Reading is in `checkpoint`.

use std::borrow::Cow;
use std::collections::HashMap;

use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, View};

use crate::array::Array;
use crate::mask::MaskArray;

/// A tensor to be stored, whose bytes are made when they are written.
#[derive(Debug, Clone)]
pub struct Stored<'a> {
    shape: Cow<'a, [usize]>,
    elements: Elements<'a>,
}

#[derive(Debug, Clone)]
enum Elements<'a> {
    Floats(&'a [f32]),
    Keep(&'a [bool]),
    Bytes(Dtype, Vec<u8>),
}

impl<'a> Stored<'a> {
    /// An array, as f32.
    pub fn array(array: &'a Array) -> Self {
        Self {
            shape: Cow::Borrowed(&array.shape),
            elements: Elements::Floats(&array.data),
        }
    }

    /// A mask, as u8: 1 where the weight stays, else 0.
    pub fn mask(mask: &'a MaskArray) -> Self {
        Self {
            shape: Cow::Borrowed(&mask.shape),
            elements: Elements::Keep(&mask.keep),
        }
    }

    /// Elements of any type, little-endian and row-major: as many bytes as `shape` needs of that type.
    pub fn bytes(dtype: Dtype, shape: Vec<usize>, bytes: Vec<u8>) -> Self {
        Self {
            shape: Cow::Owned(shape),
            elements: Elements::Bytes(dtype, bytes),
        }
    }
}

impl View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        match &self.elements {
            Elements::Floats(_) => Dtype::F32,
            Elements::Keep(_) => Dtype::U8,
            Elements::Bytes(dtype, _) => *dtype,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match &self.elements {
            Elements::Floats(values) => {
                let bytes: Vec<u8> = values
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect();
                bytes.into()
            }
            Elements::Keep(keep) => keep.iter().map(|&keep| u8::from(keep)).collect(),
            Elements::Bytes(_, bytes) => Cow::Borrowed(bytes),
        }
    }

    fn data_len(&self) -> usize {
        match &self.elements {
            Elements::Floats(values) => size_of_val(*values),
            Elements::Keep(keep) => keep.len(),
            Elements::Bytes(_, bytes) => bytes.len(),
        }
    }
}

/// The bytes of a safetensors file whose metadata is `text` under `key`: the same bytes for the same content, in whatever
/// order the tensors come.
///
/// # Errors
/// If a tensor has another number of bytes than its shape says.
///
/// ```
/// use rut_models::{Array, Stored, safetensors_bytes};
/// let array = Array::new(vec![2], vec![1.0, 2.0]).unwrap();
/// let bytes = safetensors_bytes([("a", Stored::array(&array))], "made.by", "an example")?;
/// assert_eq!(&bytes[bytes.len() - 8..], [0, 0, 128, 63, 0, 0, 0, 64]);
/// # Ok::<(), safetensors::SafeTensorError>(())
/// ```
pub fn safetensors_bytes<'a>(
    tensors: impl IntoIterator<Item = (&'a str, Stored<'a>)>,
    key: &str,
    text: &str,
) -> Result<Vec<u8>, SafeTensorError> {
    // One entry only: the order of several in a hash map changes from run to run.
    let metadata = HashMap::from([(key.to_owned(), text.to_owned())]);
    safetensors::serialize(tensors, Some(metadata))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_tensors_and_what_they_came_from_change_no_byte() {
        let array = Array::new(vec![1, 2], vec![1.0, -2.0]).unwrap();
        let mask = MaskArray {
            shape: vec![3],
            keep: vec![true, false, true],
        };
        let bytes = |tensors: [(&'static str, Stored<'_>); 2]| {
            safetensors_bytes(tensors, "k", "t").unwrap()
        };
        let one = bytes([("w", Stored::array(&array)), ("m", Stored::mask(&mask))]);
        let raw = [1f32, -2.0]
            .into_iter()
            .flat_map(f32::to_le_bytes)
            .collect();
        let raw = Stored::bytes(Dtype::F32, vec![1, 2], raw);
        let two = bytes([("m", Stored::mask(&mask)), ("w", raw)]);
        assert_eq!(one, two);
        assert_eq!(one[one.len() - 3..], [1, 0, 1]);
        let short = Stored::bytes(Dtype::F32, vec![2], vec![0; 4]);
        assert!(safetensors_bytes([("w", short)], "k", "t").is_err());
    }
}
