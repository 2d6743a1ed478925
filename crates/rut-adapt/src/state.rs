//! What a loop needs to go on where it was: named tensors and numbers, as one safetensors image. The
//! observer stores the bytes.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use half::f16;
use rut_formats::check_header;
use rut_formats::seal::{self, Seal};
use rut_models::{Stored, safetensors_bytes};
use safetensors::tensor::{Dtype, TensorView};

use crate::error::{Error, Result};

/// The metadata entry that holds the texts.
const KEY: &str = "rut.state";
/// The layout, first line of the entry. The second is the file's own checksum.
const VERSION: &str = "version 2";
/// The layout without a checksum.
const UNSEALED: &str = "version 1";
/// Named tensors and texts. Floating-point numbers are kept as the bits of an `f64`.
///
/// ```
/// use rut_adapt::TrainingState;
/// let mut state = TrainingState::default();
/// state.put_number("epoch", 3);
/// let again = TrainingState::from_bytes(&state.to_bytes()?)?;
/// assert_eq!(again.number("epoch")?, 3);
/// # Ok::<(), rut_adapt::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TrainingState {
    tensors: BTreeMap<String, Tensor>,
    texts: BTreeMap<String, String>,
    unchecked: bool,
}

impl TrainingState {
    /// Whether the bytes that it was read from had no checksum: an earlier version wrote them.
    pub fn is_unchecked(&self) -> bool {
        self.unchecked
    }

    /// Sets a tensor.
    pub fn put_tensor(&mut self, name: &str, tensor: &Tensor) {
        self.tensors.insert(name.into(), tensor.clone());
    }

    /// Sets a text.
    pub fn put_text(&mut self, name: &str, text: impl Into<String>) {
        self.texts.insert(name.into(), text.into());
    }

    /// Sets a whole number.
    pub fn put_number(&mut self, name: &str, number: u64) {
        self.put_text(name, number.to_string());
    }

    /// Sets a floating-point number, exactly.
    pub fn put_float(&mut self, name: &str, number: f64) {
        self.put_text(name, format!("{:016x}", number.to_bits()));
    }

    /// Sets a list of class indices.
    pub fn put_classes(&mut self, name: &str, classes: &[u32]) {
        let texts: Vec<String> = classes.iter().map(u32::to_string).collect();
        self.put_text(name, texts.join(","));
    }

    /// Whether a text of this name was set.
    pub fn has(&self, name: &str) -> bool {
        self.texts.contains_key(name)
    }

    /// A text.
    ///
    /// # Errors
    /// If it was not set.
    pub fn text(&self, name: &str) -> Result<&str> {
        self.texts
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| unfit(name, "a value", "none"))
    }

    /// A whole number.
    ///
    /// # Errors
    /// If it was not set or is no number.
    pub fn number(&self, name: &str) -> Result<u64> {
        let text = self.text(name)?;
        text.parse()
            .map_err(|_| unfit(name, "a whole number", text))
    }

    /// A floating-point number.
    ///
    /// # Errors
    /// If it was not set or is no number.
    pub fn float(&self, name: &str) -> Result<f64> {
        let text = self.text(name)?;
        u64::from_str_radix(text, 16)
            .map(f64::from_bits)
            .map_err(|_| unfit(name, "the bits of a number", text))
    }

    /// A list of class indices.
    ///
    /// # Errors
    /// If it was not set or holds something else.
    pub fn classes(&self, name: &str) -> Result<Vec<u32>> {
        let text = self.text(name)?;
        let parse = |part: &str| part.parse().map_err(|_| unfit(name, "class indices", text));
        text.split(',')
            .filter(|part| !part.is_empty())
            .map(parse)
            .collect()
    }

    /// A tensor, if it was set.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// A tensor of the shape and type of `like`, on its device.
    ///
    /// # Errors
    /// If it was not set, or has another shape or type.
    pub fn tensor_like(&self, name: &str, like: &Tensor) -> Result<Tensor> {
        let tensor = self
            .tensors
            .get(name)
            .ok_or_else(|| unfit(name, "a tensor", "none"))?;
        let describe = |t: &Tensor| format!("{:?} of shape {:?}", t.dtype(), t.dims());
        if tensor.dims() != like.dims() || tensor.dtype() != like.dtype() {
            return Err(unfit(name, &describe(like), &describe(tensor)));
        }
        Ok(tensor.to_device(like.device())?)
    }

    /// All of it as the bytes of a safetensors file; the texts stand in its metadata, one `name=text` a line.
    ///
    /// # Errors
    /// If a tensor is of another type than f16, f32, f64 and i64.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let lines = self
            .texts
            .iter()
            .map(|(name, text)| format!("{name}={text}\n"));
        let head = format!("{VERSION}\n{}\n", seal::open());
        let text: String = std::iter::once(head).chain(lines).collect();
        let mut bytes = serialize(&self.tensors, KEY, &text)?;
        seal::close(&mut bytes);
        Ok(bytes)
    }

    /// What [`to_bytes`](Self::to_bytes) wrote, on the CPU.
    ///
    /// # Errors
    /// If the bytes are no state, one of another layout, or not what was written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let seal = seal::check(bytes);
        if seal == Seal::Broken {
            let found = "another: a bit has changed since it was written";
            return Err(unfit("checksum", "the one that stands in the file", found));
        }
        let (tensors, text) = deserialize(bytes, KEY)?;
        let mut lines = text.lines();
        match (lines.next().unwrap_or("none"), seal) {
            // Its checksum was the second line.
            (VERSION, Seal::Whole) => drop(lines.next()),
            (UNSEALED, Seal::None) => {}
            (version, _) => return Err(unfit("version", VERSION, version)),
        }
        let pair = |line: &str| {
            line.split_once('=')
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
        };
        let texts =
            lines.map(|line| pair(line).ok_or_else(|| unfit(KEY, "lines of name=text", line)));
        Ok(Self {
            tensors,
            texts: texts.collect::<Result<_>>()?,
            unchecked: seal == Seal::None,
        })
    }
}

/// The bytes of a safetensors file with `text` under `key` in its metadata: the same bytes for the same content.
///
/// # Errors
/// If a tensor is of another type than f16, f32, f64 and i64.
pub fn serialize(tensors: &BTreeMap<String, Tensor>, key: &str, text: &str) -> Result<Vec<u8>> {
    let mut stored = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let (dtype, bytes) = to_bytes(name, tensor)?;
        let tensor = Stored::bytes(dtype, tensor.dims().to_vec(), bytes);
        stored.push((name.as_str(), tensor));
    }
    safetensors_bytes(stored, key, text)
        .map_err(|e| unfit("the file", "tensors that can be written", &e.to_string()))
}

/// The tensors of a safetensors file, on the CPU, and the text under `key` in its metadata (empty without one).
///
/// # Errors
/// If the bytes are no whole safetensors file, its header is too long, or a tensor is of another type than f16, f32, f64 and i64.
pub fn deserialize(bytes: &[u8], key: &str) -> Result<(BTreeMap<String, Tensor>, String)> {
    let broken = |e: safetensors::SafeTensorError| {
        unfit("the file", "a whole safetensors file", &e.to_string())
    };
    check_header(bytes).map_err(|length| {
        let found = format!("a header of {length} bytes, which is that of another file");
        unfit("the file", "a safetensors file of a run", &found)
    })?;
    let (_, header) = safetensors::SafeTensors::read_metadata(bytes).map_err(broken)?;
    let text = header
        .metadata()
        .as_ref()
        .and_then(|m| m.get(key))
        .cloned()
        .unwrap_or_default();
    let file = safetensors::SafeTensors::deserialize(bytes).map_err(broken)?;
    let tensors = file
        .tensors()
        .into_iter()
        .map(|(name, view)| Ok((name, to_tensor(&view)?)));
    Ok((tensors.collect::<Result<_>>()?, text))
}

fn to_bytes(name: &str, tensor: &Tensor) -> Result<(Dtype, Vec<u8>)> {
    let flat = tensor.flatten_all()?;
    Ok(match tensor.dtype() {
        DType::F16 => (
            Dtype::F16,
            flat.to_vec1::<f16>()?
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect(),
        ),
        DType::F32 => (
            Dtype::F32,
            flat.to_vec1::<f32>()?
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect(),
        ),
        DType::F64 => (
            Dtype::F64,
            flat.to_vec1::<f64>()?
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect(),
        ),
        DType::I64 => (
            Dtype::I64,
            flat.to_vec1::<i64>()?
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect(),
        ),
        other => return Err(unfit(name, "f16, f32, f64 or i64", &format!("{other:?}"))),
    })
}

fn to_tensor(view: &TensorView<'_>) -> Result<Tensor> {
    let dtype = match view.dtype() {
        Dtype::F16 => DType::F16,
        Dtype::F32 => DType::F32,
        Dtype::F64 => DType::F64,
        Dtype::I64 => DType::I64,
        other => {
            return Err(unfit(
                "the file",
                "f16, f32, f64 or i64 tensors",
                &format!("{other:?}"),
            ));
        }
    };
    Ok(Tensor::from_raw_buffer(
        view.data(),
        dtype,
        view.shape(),
        &Device::Cpu,
    )?)
}

/// An entry that is missing or not what it should be.
pub(crate) fn unfit(field: &str, expected: &str, found: &str) -> Error {
    Error::TrainingState {
        field: field.into(),
        expected: expected.into(),
        found: found.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_tensors_without_number_is_refused() {
        let file = |tensors: usize| {
            let entry =
                |at| format!("\"{at}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}");
            let header: Vec<String> = (0..tensors).map(entry).collect();
            let header = format!("{{{}}}", header.join(","));
            [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat()
        };
        assert_eq!(deserialize(&file(1000), KEY).unwrap().0.len(), 1000);
        let error = deserialize(&file(30_000), KEY).unwrap_err().to_string();
        assert!(error.contains("found a header of"), "{error}");
    }
}
