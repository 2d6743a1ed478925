//! Rows of features at unit length, for cosines. A row of zeros stays one, and has a cosine of 0 with every other.

use std::ops::Range;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::features::FeatureMatrix;

/// Rows that are worked on at once.
const ROWS: usize = 512;

/// 1 / length of every row; 0 for a row of zeros.
///
/// # Errors
/// If a feature is not finite.
pub(super) fn inverse_lengths(features: &FeatureMatrix) -> Result<Vec<f64>> {
    let mut inverse = vec![0.0; features.len()];
    let parts = inverse.par_chunks_mut(ROWS).enumerate();
    parts.for_each(|(index, inverse)| {
        let start = index * ROWS;
        let mut buffer = Vec::new();
        let rows = features.widened(start..start + inverse.len(), &mut buffer);
        for (inverse, row) in inverse.iter_mut().zip(rows.chunks_exact(features.width())) {
            *inverse = inverse_length(row.iter().map(|&value| f64::from(value)));
        }
    });
    match inverse.iter().position(|inverse| inverse.is_nan()) {
        None => Ok(inverse),
        Some(row) => Err(Error::Option {
            field: "features",
            expected: "finite numbers".into(),
            found: format!("others, of image {row}"),
        }),
    }
}

/// 1 / length; 0 of zeros; no number where a value is not finite.
pub(super) fn inverse_length(values: impl Iterator<Item = f64>) -> f64 {
    let square: f64 = values.map(|value| value * value).sum();
    if square == 0.0 {
        0.0
    } else if square.is_finite() {
        square.sqrt().recip()
    } else {
        f64::NAN
    }
}

/// The rows of `range` at unit length, [range, width]; `inverse` is of all rows.
pub(super) fn unit_rows(
    features: &FeatureMatrix,
    inverse: &[f64],
    range: Range<usize>,
) -> Vec<f32> {
    let width = features.width();
    let mut buffer = Vec::new();
    let rows = features.widened(range.clone(), &mut buffer);
    let mut unit = Vec::with_capacity(rows.len());
    for (row, inverse) in rows.chunks_exact(width).zip(&inverse[range]) {
        unit.extend(row.iter().map(|&value| (f64::from(value) * inverse) as f32));
    }
    unit
}

/// Whether features fit a head of `width`.
///
/// # Errors
/// If not.
pub(super) fn check_width(features: &FeatureMatrix, width: usize) -> Result<()> {
    if features.width() == width {
        return Ok(());
    }
    Err(Error::Option {
        field: "features' width",
        expected: width.to_string(),
        found: features.width().to_string(),
    })
}
