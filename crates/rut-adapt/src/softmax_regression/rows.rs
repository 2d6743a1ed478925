//! Rows of a feature matrix as the products take them: those of a batch, and those of a whole split in turn.

use rayon::prelude::*;

use super::{add, unfit};
use crate::error::Result;
use crate::features::FeatureMatrix;
use crate::products::{Rows, logits as logits_of};

/// Rows with their labels; `labels` are all rows', `indices` say which of them.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    pub(super) rows: Rows<'a>,
    pub(super) labels: &'a [u32],
    pub(super) indices: &'a [usize],
}

impl Batch<'_> {
    pub(super) fn part(self, start: usize, len: usize) -> Self {
        Self {
            rows: self.rows.part(start, len),
            indices: &self.indices[start..start + len],
            ..self
        }
    }
}

/// The rows at `indices`: where they lie, or widened into `buffer`, `part` at a time.
pub(super) fn batch_rows<'a>(
    features: &'a FeatureMatrix,
    indices: &'a [usize],
    part: usize,
    buffer: &'a mut Vec<f32>,
    counting: &'a mut Vec<usize>,
) -> Rows<'a> {
    let width = features.width();
    if let Some(values) = features.as_f32() {
        return Rows {
            values,
            width,
            picks: indices,
        };
    }
    buffer.resize(indices.len() * width, 0.0);
    if part < indices.len() {
        let places = buffer.par_chunks_mut(part * width);
        let parts = places.zip(indices.par_chunks(part));
        parts.for_each(|(to, indices)| features.gather(indices, to));
    } else {
        features.gather(indices, buffer);
    }
    counting.clear();
    counting.extend(0..indices.len());
    Rows {
        values: buffer,
        width,
        picks: counting,
    }
}

/// Rows of a pass that are worked on at once.
const PASS_ROWS: usize = 1024;

/// Logits [n, classes] of every row, for `weight` [classes, width] and `bias` `[classes]`.
pub(super) fn head_logits(
    weight: &[f32],
    bias: &[f32],
    features: &FeatureMatrix,
) -> Result<Vec<f32>> {
    let (classes, width, len) = (bias.len(), features.width(), features.len());
    if classes == 0 || weight.len() != classes * width {
        let found = format!("{} weights of {classes} classes", weight.len());
        return Err(unfit("head", &format!("{width} weights per class"), &found));
    }
    let mut logits = vec![0.0; len * classes];
    let parts = logits.par_chunks_mut(PASS_ROWS * classes).enumerate();
    parts.for_each(|(index, logits)| {
        let start = index * PASS_ROWS;
        let indices: Vec<usize> = (start..start + logits.len() / classes).collect();
        let (mut buffer, mut counting) = (Vec::new(), Vec::new());
        let rows = batch_rows(
            features,
            &indices,
            indices.len(),
            &mut buffer,
            &mut counting,
        );
        logits_of(rows, weight, logits);
        logits
            .chunks_exact_mut(classes)
            .for_each(|row| add(row, bias));
    });
    Ok(logits)
}
