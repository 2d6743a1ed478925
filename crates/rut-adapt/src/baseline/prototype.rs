//! The nearest class mean: Mensink et al., "Distance-Based Image Classification" (PAMI 2013); with cosines, the classifier of
//! few-shot learning's baselines (Gidaris and Komodakis, CVPR 2018).

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::unit::{check_width, inverse_length, inverse_lengths, unit_rows};
use crate::error::Result;
use crate::features::{FeatureMatrix, LabelledFeatures};
use crate::head::KEY;
use crate::products::{self, Rows};
use crate::state::{self, unfit};

/// The value of [`KEY`] in a file of class means.
pub(crate) const VERSION: &str = "prototype version 1";

/// A direction for each class: that of the mean of its training images' features, each at unit length first.
///
/// logit_c is the cosine of an image's features with the direction of class c; 0, where either is zero.
#[derive(Clone, Debug, PartialEq)]
pub struct PrototypeHead {
    /// [classes, width], of unit length or zero.
    directions: Vec<f32>,
    width: usize,
}

/// Rows that are worked on at once.
const ROWS: usize = 512;

impl PrototypeHead {
    /// By training images whose labels are in range.
    pub(super) fn fit(train: &LabelledFeatures, classes: usize) -> Result<Self> {
        let LabelledFeatures { features, labels } = train;
        let width = features.width();
        let inverse = inverse_lengths(features)?;
        let mut sums = vec![0.0; classes * width];
        for (index, labels) in labels.chunks(ROWS).enumerate() {
            let start = index * ROWS;
            let rows = unit_rows(features, &inverse, start..start + labels.len());
            for (row, &label) in rows.chunks_exact(width).zip(labels) {
                let sum = &mut sums[label as usize * width..][..width];
                for (sum, value) in sum.iter_mut().zip(row) {
                    *sum += f64::from(*value);
                }
            }
        }
        let directions = sums.chunks_exact(width).flat_map(|sum| {
            let inverse = inverse_length(sum.iter().copied());
            sum.iter().map(move |value| (value * inverse) as f32)
        });
        Ok(Self {
            directions: directions.collect(),
            width,
        })
    }

    /// Number of target classes.
    pub fn classes(&self) -> usize {
        self.directions.len() / self.width
    }

    /// Values of all directions.
    pub fn values(&self) -> usize {
        self.directions.len()
    }

    /// Logits [n, classes] of `features`.
    ///
    /// # Errors
    /// If the features have another width, or one is not finite.
    pub(crate) fn logits(&self, features: &FeatureMatrix) -> Result<Vec<f32>> {
        check_width(features, self.width)?;
        let (inverse, classes) = (inverse_lengths(features)?, self.classes());
        let mut logits = vec![0.0; features.len() * classes];
        let parts = logits.par_chunks_mut(ROWS * classes).enumerate();
        parts.for_each(|(index, logits)| {
            let start = index * ROWS;
            let picks: Vec<usize> = (0..logits.len() / classes).collect();
            let rows = Rows {
                values: &unit_rows(features, &inverse, start..start + picks.len()),
                width: self.width,
                picks: &picks,
            };
            products::logits(rows, &self.directions, logits);
        });
        Ok(logits)
    }

    /// The head as a safetensors file with `directions`.
    ///
    /// # Errors
    /// If the tensor cannot be made.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let shape = (self.classes(), self.width);
        let directions = Tensor::from_slice(&self.directions, shape, &Device::Cpu)?;
        let tensors = BTreeMap::from([("directions".to_owned(), directions)]);
        state::serialize(&tensors, KEY, VERSION)
    }

    /// The head of the tensors of a file.
    ///
    /// # Errors
    /// If it is missing, or no matrix.
    pub(crate) fn of_tensors(mut tensors: BTreeMap<String, Tensor>) -> Result<Self> {
        let directions = tensors.remove("directions");
        let directions = directions.ok_or_else(|| unfit("directions", "a tensor", "none"))?;
        match *directions.dims() {
            [classes, width] if classes * width > 0 => Ok(Self {
                directions: directions.flatten_all()?.to_vec1()?,
                width,
            }),
            ref found => Err(unfit(
                "directions",
                "[classes, width]",
                &format!("{found:?}"),
            )),
        }
    }
}
