//! Features of a split in memory, in single or half precision. `cache` stores them.

use std::ops::Range;

use candle_core::{DType, Device, Tensor};
use half::f16;
use half::slice::HalfFloatSliceExt;
use rut_record::FeatureType;

use crate::error::{Error, Result};

/// A matrix [n, width], row-major, in single or half precision.
///
/// ```
/// use rut_adapt::FeatureMatrix;
/// use rut_record::FeatureType;
/// let mut features = FeatureMatrix::new(2, FeatureType::F16);
/// features.push(&[0.5, 3.0001])?;
/// assert_eq!((features.len(), features.to_f32()), (1, vec![0.5, 3.0]));
/// # Ok::<(), rut_adapt::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureMatrix {
    values: Values,
    width: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    F32(Vec<f32>),
    F16(Vec<f16>),
}

impl FeatureMatrix {
    /// Room for rows of `width` values; none is in yet.
    pub fn new(width: usize, kept: FeatureType) -> Self {
        let values = match kept {
            FeatureType::F32 => Values::F32(Vec::new()),
            FeatureType::F16 => Values::F16(Vec::new()),
        };
        Self { values, width }
    }

    /// Rows of single precision.
    ///
    /// # Errors
    /// If `values` are no whole rows.
    pub fn from_f32(values: Vec<f32>, width: usize) -> Result<Self> {
        check_rows(values.len(), width)?;
        let values = Values::F32(values);
        Ok(Self { values, width })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        let values = match &self.values {
            Values::F32(values) => values.len(),
            Values::F16(values) => values.len(),
        };
        values / self.width.max(1)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The precision that values are kept in.
    pub fn kept(&self) -> FeatureType {
        match &self.values {
            Values::F32(_) => FeatureType::F32,
            Values::F16(_) => FeatureType::F16,
        }
    }

    /// Adds rows, rounded to the precision that values are kept in.
    ///
    /// # Errors
    /// If `rows` are no whole rows, or a finite value is out of the range of half precision where that is kept.
    pub fn push(&mut self, rows: &[f32]) -> Result<()> {
        check_rows(rows.len(), self.width)?;
        match &mut self.values {
            Values::F32(values) => values.extend(rows),
            Values::F16(values) => {
                check_range(rows)?;
                let start = values.len();
                values.resize(start + rows.len(), f16::ZERO);
                values[start..].convert_from_f32_slice(rows);
            }
        }
        Ok(())
    }

    /// All values, widened.
    pub fn to_f32(&self) -> Vec<f32> {
        match &self.values {
            Values::F32(values) => values.clone(),
            Values::F16(values) => values.to_f32_vec(),
        }
    }

    /// The values where they are kept in single precision.
    pub(crate) fn as_f32(&self) -> Option<&[f32]> {
        match &self.values {
            Values::F32(values) => Some(values),
            Values::F16(_) => None,
        }
    }

    /// Copies the rows at `indices` to `to` [indices, width], widened.
    pub(crate) fn gather(&self, indices: &[usize], to: &mut [f32]) {
        let width = self.width;
        for (&index, to) in indices.iter().zip(to.chunks_exact_mut(width.max(1))) {
            let row = index * width..(index + 1) * width;
            match &self.values {
                Values::F32(values) => to.copy_from_slice(&values[row]),
                Values::F16(values) => values[row].convert_to_f32_slice(to),
            }
        }
    }

    /// The rows of `range` [range, width] in single precision: where they lie, or widened into `buffer`.
    pub(crate) fn widened<'a>(
        &'a self,
        range: Range<usize>,
        buffer: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        let values = range.start * self.width..range.end * self.width;
        match &self.values {
            Values::F32(all) => &all[values],
            Values::F16(all) => {
                buffer.resize(values.len(), 0.0);
                all[values].convert_to_f32_slice(buffer);
                buffer
            }
        }
    }

    /// All rows as a tensor [n, width], as they are kept.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn to_tensor(&self) -> Result<Tensor> {
        let shape = (self.len(), self.width);
        Ok(match &self.values {
            Values::F32(values) => Tensor::from_slice(values, shape, &Device::Cpu)?,
            Values::F16(values) => Tensor::from_slice(values, shape, &Device::Cpu)?,
        })
    }

    /// What [`to_tensor`](Self::to_tensor) gave.
    ///
    /// # Errors
    /// If the tensor is neither f16 nor f32, or is no matrix with columns.
    pub(crate) fn of_tensor(tensor: &Tensor) -> Result<Self> {
        let (_, width) = tensor.dims2()?;
        let flat = tensor.flatten_all()?;
        check_rows(flat.elem_count(), width)?;
        let values = match tensor.dtype() {
            DType::F16 => Values::F16(flat.to_vec1()?),
            _ => Values::F32(flat.to_vec1()?),
        };
        Ok(Self { values, width })
    }

    /// The rows at `indices`, as they are kept.
    pub(crate) fn select(&self, indices: &[usize]) -> Self {
        let row = |&index: &usize| index * self.width..(index + 1) * self.width;
        let values = match &self.values {
            Values::F32(values) => Values::F32(
                indices
                    .iter()
                    .flat_map(|index| &values[row(index)])
                    .copied()
                    .collect(),
            ),
            Values::F16(values) => Values::F16(
                indices
                    .iter()
                    .flat_map(|index| &values[row(index)])
                    .copied()
                    .collect(),
            ),
        };
        let width = self.width;
        Self { values, width }
    }

    /// The values of rows from `start` on as little-endian bytes.
    pub(crate) fn bytes_from(&self, start: usize) -> Vec<u8> {
        let from = start * self.width;
        let mut bytes = vec![0; (self.len() - start) * self.width * self.kept().bytes()];
        match &self.values {
            Values::F32(values) => {
                let places = bytes.as_chunks_mut().0.iter_mut();
                places
                    .zip(&values[from..])
                    .for_each(|(to, value)| *to = value.to_le_bytes());
            }
            Values::F16(values) => {
                let places = bytes.as_chunks_mut().0.iter_mut();
                places
                    .zip(&values[from..])
                    .for_each(|(to, value)| *to = value.to_le_bytes());
            }
        }
        bytes
    }

    /// Adds rows that [`bytes_from`](Self::bytes_from) gave; a torn end is left out.
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        match &mut self.values {
            Values::F32(values) => {
                values.extend(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)));
            }
            Values::F16(values) => {
                values.extend(bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b)));
            }
        }
    }
}

fn check_rows(values: usize, width: usize) -> Result<()> {
    if width > 0 && values.is_multiple_of(width) {
        return Ok(());
    }
    Err(Error::Option {
        field: "features",
        expected: format!("whole rows of {width} values, at least 1"),
        found: format!("{values} values"),
    })
}

/// A value that is no number stays none: training names the step where it meets one.
fn check_range(values: &[f32]) -> Result<()> {
    let largest = f16::MAX.to_f32();
    let outside = |value: &&f32| value.is_finite() && value.abs() > largest;
    match values.iter().find(outside) {
        None => Ok(()),
        Some(value) => Err(Error::Option {
            field: "cache_dtype",
            expected: format!(
                "f32 (`cache_dtype = f32`), for the features of this network leave the range of f16 (±{largest})"
            ),
            found: format!("f16, and a feature of {value}"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_within_what_it_states() {
        let mut values = vec![65504.0, -65504.0, 6.104e-5, 1.0e-6, 0.0, -3.0e-8];
        values.extend((0..1000).map(|i| (1.0 + f32::sin(i as f32)) * 10f32.powi(i % 9 - 4)));
        let mut features = FeatureMatrix::new(2, FeatureType::F16);
        features.push(&values).unwrap();
        for (value, kept) in values.iter().zip(features.to_f32()) {
            let bound = (value.abs() * 2f32.powi(-11)).max(2f32.powi(-25));
            assert!((value - kept).abs() <= bound, "{value} became {kept}");
        }
    }

    #[test]
    fn a_value_out_of_range_names_the_remedy() {
        for value in [65505.0, -1e6] {
            let mut features = FeatureMatrix::new(1, FeatureType::F16);
            let error = features.push(&[value]).unwrap_err().to_string();
            assert!(
                error.contains("cache_dtype = f32") && error.contains(&value.to_string()),
                "{error}"
            );
            FeatureMatrix::new(1, FeatureType::F32)
                .push(&[value])
                .unwrap();
        }
    }

    #[test]
    fn bytes_give_the_same_rows() {
        for kept in [FeatureType::F32, FeatureType::F16] {
            let mut features = FeatureMatrix::new(3, kept);
            features.push(&[0.1, -2.5, 1e-7, 4.0, 5.0, 6.0]).unwrap();
            let mut again = FeatureMatrix::new(3, kept);
            again.push_bytes(&features.bytes_from(0));
            assert_eq!(again, features);
            assert_eq!(features.bytes_from(1).len(), 3 * kept.bytes());
        }
    }

    #[test]
    fn torn_rows_are_refused() {
        let error = FeatureMatrix::from_f32(vec![0.0; 7], 2).unwrap_err();
        assert!(error.to_string().contains("whole rows of 2"), "{error}");
    }
}
