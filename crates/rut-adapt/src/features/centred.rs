//! Features less their means over the images, in f64: what heads are fitted on at once. The way back to features as they are
//! goes through the biases.

use std::ops::Range;

use candle_core::{Device, Tensor};

use super::FeatureMatrix;
use crate::error::Result;
use crate::head::LinearHead;

/// Rows that are widened at once for the means.
const ROWS: usize = 512;

/// Features less their means.
pub(crate) struct Centred<'a> {
    features: &'a FeatureMatrix,
    /// Of every feature.
    mean: Vec<f64>,
    single: Vec<f32>,
    rows: Vec<f64>,
}

impl<'a> Centred<'a> {
    /// Of all rows of `features`, of which there is one at least.
    pub(crate) fn new(features: &'a FeatureMatrix) -> Self {
        let (width, len) = (features.width(), features.len());
        let mut centred = Self {
            features,
            mean: vec![0.0; width],
            single: Vec::new(),
            rows: Vec::new(),
        };
        let mut sums = vec![0.0; width];
        for start in (0..len).step_by(ROWS) {
            let rows = centred.rows(start..(start + ROWS).min(len));
            for row in rows.chunks_exact(width) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += value;
                }
            }
        }
        sums.iter_mut().for_each(|sum| *sum /= len as f64);
        centred.mean = sums;
        centred
    }

    /// The rows of `range` less the means, [range, width].
    pub(crate) fn rows(&mut self, range: Range<usize>) -> &[f64] {
        let width = self.features.width();
        let single = self.features.widened(range, &mut self.single);
        self.rows.resize(single.len(), 0.0);
        let rows = self.rows.chunks_exact_mut(width);
        for (to, row) in rows.zip(single.chunks_exact(width)) {
            for ((to, value), mean) in to.iter_mut().zip(row).zip(&self.mean) {
                *to = f64::from(*value) - mean;
            }
        }
        &self.rows
    }

    /// The head for features as they are, of the one with `weight` [classes, width] and `bias` `[classes]` for centred ones;
    /// rounded to f32.
    ///
    /// # Errors
    /// If a tensor cannot be made.
    pub(crate) fn head(&self, weight: &[f64], bias: &[f64]) -> Result<LinearHead> {
        let rows = weight.chunks_exact(self.mean.len()).zip(bias);
        let moved = rows.map(|(row, bias)| {
            let moved: f64 = row.iter().zip(&self.mean).map(|(w, mean)| w * mean).sum();
            (bias - moved) as f32
        });
        let moved: Vec<f32> = moved.collect();
        let weight: Vec<f32> = weight.iter().map(|&value| value as f32).collect();
        let shape = (bias.len(), self.mean.len());
        Ok(LinearHead {
            weight: Tensor::from_vec(weight, shape, &Device::Cpu)?,
            bias: Tensor::from_vec(moved, bias.len(), &Device::Cpu)?,
        })
    }
}
