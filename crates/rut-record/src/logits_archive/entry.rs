//! An array of a file, whatever the file's format.

use half::{bf16, f16};
use rut_formats::Fault;
use rut_formats::npy::{Npy, parse};
use rut_formats::numpy::Kind;
use safetensors::tensor::{Dtype, TensorView};

/// An array: its shape, its numbers row by row, and what its elements are called.
pub(super) struct Entry {
    pub(super) shape: Vec<usize>,
    pub(super) numbers: Numbers,
    pub(super) kind: String,
}

/// Numbers at the file's own precision; half precision widened.
pub(super) enum Numbers {
    F32(Vec<f32>),
    F64(Vec<f64>),
    /// `None` where one does not fit.
    Integers(Vec<Option<i64>>),
    /// Elements of another kind.
    Others,
}

impl Entry {
    /// Of a file that NumPy wrote.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn of_npy(bytes: &[u8]) -> Result<Self, Fault> {
        let array = match parse(bytes)? {
            Npy::Numbers(array) => array.row_major(),
            Npy::Objects(_) => {
                return Err(Fault::new(
                    "elements",
                    "numbers",
                    "Python objects; convert the array",
                ));
            }
        };
        let dtype = array.dtype();
        let (letter, numbers) = match dtype.kind {
            Kind::Float if dtype.size == size_of::<f64>() => {
                let values = array.floats().collect::<Option<_>>();
                ("F", values.map_or(Numbers::Others, Numbers::F64))
            }
            Kind::Float => {
                // What the file holds in 16 or 32 bits, f32 holds as well.
                let values = array.floats().map(|value| Some(value? as f32));
                (
                    "F",
                    values
                        .collect::<Option<_>>()
                        .map_or(Numbers::Others, Numbers::F32),
                )
            }
            Kind::Signed => ("I", Numbers::Integers(array.integers().collect())),
            Kind::Unsigned => ("U", Numbers::Integers(array.integers().collect())),
            Kind::Bool => ("BOOL", Numbers::Others),
            Kind::Object => ("objects", Numbers::Others),
        };
        let kind = match numbers {
            Numbers::Others => letter.to_owned(),
            _ => format!("{letter}{}", 8 * dtype.size),
        };
        let shape = array.shape().to_vec();
        Ok(Self {
            shape,
            numbers,
            kind,
        })
    }

    /// Of a safetensors file.
    pub(super) fn of_safetensors(view: &TensorView<'_>) -> Self {
        let data = view.data();
        let numbers = match view.dtype() {
            Dtype::F64 => Numbers::F64(each(data, f64::from_le_bytes)),
            Dtype::F32 => Numbers::F32(each(data, f32::from_le_bytes)),
            Dtype::F16 => Numbers::F32(each(data, |bytes| f16::from_le_bytes(bytes).to_f32())),
            Dtype::BF16 => Numbers::F32(each(data, |bytes| bf16::from_le_bytes(bytes).to_f32())),
            Dtype::I64 => Numbers::Integers(each(data, |b| Some(i64::from_le_bytes(b)))),
            Dtype::I32 => Numbers::Integers(each(data, |b| Some(i32::from_le_bytes(b).into()))),
            Dtype::I16 => Numbers::Integers(each(data, |b| Some(i16::from_le_bytes(b).into()))),
            Dtype::I8 => Numbers::Integers(each(data, |b| Some(i8::from_le_bytes(b).into()))),
            Dtype::U64 => {
                Numbers::Integers(each(data, |b| i64::try_from(u64::from_le_bytes(b)).ok()))
            }
            Dtype::U32 => Numbers::Integers(each(data, |b| Some(u32::from_le_bytes(b).into()))),
            Dtype::U16 => Numbers::Integers(each(data, |b| Some(u16::from_le_bytes(b).into()))),
            Dtype::U8 => Numbers::Integers(each(data, |b| Some(u8::from_le_bytes(b).into()))),
            _ => Numbers::Others,
        };
        Self {
            shape: view.shape().to_vec(),
            numbers,
            kind: format!("{:?}", view.dtype()),
        }
    }
}

/// Elements of `N` bytes.
fn each<const N: usize, T>(data: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    let elements = data.as_chunks::<N>().0;
    elements.iter().map(|element| number(*element)).collect()
}
