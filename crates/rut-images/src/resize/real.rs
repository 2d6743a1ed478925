//! Resizing images of real values with antialiasing, as PyTorch's `interpolate` on a tensor.
//!
//! The filter is that of the 8-bit resize; nothing is rounded to 8 bits. The horizontal pass comes first, each value
//! is summed in f64 and rounded to f32 once a pass. The golden numbers are in `golden/resize.real.json`.

use std::borrow::Cow;

use super::{Filter, Pass, check};
use crate::{Extent, Result};

/// Resizes `values` `[from.height, from.width]` to `[to.height, to.width]` with antialiasing: what
/// torchvision's `Resize` does to a tensor. Bilinear, values in [0, 1] stay there.
///
/// ```
/// use rut_images::{Extent, Filter, resample_real};
/// let (from, to) = (Extent { width: 4, height: 1 }, Extent { width: 2, height: 1 });
/// assert_eq!(resample_real(&[0.0, 0.7, 0.7, 0.0], from, to, Filter::Bilinear)?, [0.4, 0.4]);
/// # Ok::<(), rut_images::Error>(())
/// ```
///
/// # Errors
/// [`Error::Count`](crate::Error::Count) if the length does not fit,
/// [`Error::Size`](crate::Error::Size) if a size is empty or too large.
pub fn resample_real(values: &[f32], from: Extent, to: Extent, filter: Filter) -> Result<Vec<f32>> {
    check(values.len(), 1, from, to)?;
    let width = from.width as usize;
    let pass = |from, to| Pass { from, to, filter };
    let narrow = if from.width == to.width {
        Cow::Borrowed(values)
    } else {
        Cow::Owned(horizontal(values, width, pass(from.width, to.width)))
    };
    Ok(if from.height == to.height {
        narrow.into_owned()
    } else {
        vertical(&narrow, to.width as usize, pass(from.height, to.height))
    })
}

/// `values` `[rows, from]` → `[rows, to]`.
fn horizontal(values: &[f32], width: usize, pass: Pass) -> Vec<f32> {
    let kept: Vec<(usize, Vec<f64>)> = pass
        .supports()
        .map(|support| (support.places.start, support.weights().collect()))
        .collect();
    let sum = |row: &[f32], (first, weights): &(usize, Vec<f64>)| {
        let products = row[*first..].iter().zip(weights);
        products
            .map(|(&value, weight)| f64::from(value) * weight)
            .sum::<f64>() as f32
    };
    let rows = values.chunks_exact(width);
    rows.flat_map(|row| kept.iter().map(move |support| sum(row, support)))
        .collect()
}

/// `values` `[from, row_length]` → `[to, row_length]`.
fn vertical(values: &[f32], row_length: usize, pass: Pass) -> Vec<f32> {
    let mut out = Vec::with_capacity(pass.to as usize * row_length);
    let mut sums = vec![0.0; row_length];
    for support in pass.supports() {
        sums.fill(0.0);
        let rows = values[support.places.start * row_length..].chunks_exact(row_length);
        for (row, weight) in rows.zip(support.weights()) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += f64::from(value) * weight;
            }
        }
        out.extend(sums.iter().map(|&sum| sum as f32));
    }
    out
}
