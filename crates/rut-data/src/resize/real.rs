//! Resizing images of real values with antialiasing, as PyTorch's `interpolate` on a tensor.
//!
//! The filter is that of the 8-bit resize; nothing is rounded to 8 bits. The horizontal pass comes first, each value
//! is summed in f64 and rounded to f32 once a pass. The golden numbers are in `golden/resize.real.json`.

use super::{Filter, Tap, check, tap};
use crate::{Extent, Result};

/// Resizes `values` `[from.height, from.width]` to `[to.height, to.width]` with antialiasing: what
/// torchvision's `Resize` does to a tensor. Bilinear, values in [0, 1] stay there.
///
/// ```
/// use rut_data::{Extent, Filter, resample_real};
/// let (from, to) = (Extent { width: 4, height: 1 }, Extent { width: 2, height: 1 });
/// assert_eq!(resample_real(&[0.0, 0.7, 0.7, 0.0], (from, to), Filter::Bilinear)?, [0.4, 0.4]);
/// # Ok::<(), rut_data::Error>(())
/// ```
///
/// # Errors
/// [`Error::PixelCount`](crate::Error::PixelCount) if the length does not fit,
/// [`Error::ImageSize`](crate::Error::ImageSize) if a size is empty or too large.
pub fn resample_real(
    values: &[f32],
    (from, to): (Extent, Extent),
    filter: Filter,
) -> Result<Vec<f32>> {
    check(values.len(), 1, from, to)?;
    let width = from.width as usize;
    let narrow = match from.width == to.width {
        true => values.to_vec(),
        false => horizontal(values, width, &taps((from.width, to.width), filter)),
    };
    Ok(match from.height == to.height {
        true => narrow,
        false => vertical(
            &narrow,
            to.width as usize,
            &taps((from.height, to.height), filter),
        ),
    })
}

fn taps(sides: (u32, u32), filter: Filter) -> Vec<Tap<f64>> {
    (0..sides.1)
        .map(|place| tap(place, sides, filter))
        .collect()
}

/// `values` `[rows, width]` → `[rows, taps]`.
fn horizontal(values: &[f32], width: usize, taps: &[Tap<f64>]) -> Vec<f32> {
    let sum = |row: &[f32], tap: &Tap<f64>| {
        let products = row[tap.first..].iter().zip(&tap.weights);
        products
            .map(|(&value, weight)| f64::from(value) * weight)
            .sum::<f64>() as f32
    };
    let rows = values.chunks_exact(width);
    rows.flat_map(|row| taps.iter().map(move |tap| sum(row, tap)))
        .collect()
}

/// `values` `[rows, width]` → `[taps, width]`.
fn vertical(values: &[f32], width: usize, taps: &[Tap<f64>]) -> Vec<f32> {
    let mut out = Vec::with_capacity(taps.len() * width);
    let mut sums = vec![0.0; width];
    for tap in taps {
        sums.fill(0.0);
        let rows = values[tap.first * width..].chunks_exact(width);
        for (row, weight) in rows.zip(&tap.weights) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += f64::from(value) * weight;
            }
        }
        out.extend(sums.iter().map(|&sum| sum as f32));
    }
    out
}
