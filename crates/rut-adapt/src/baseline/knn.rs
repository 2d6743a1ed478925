//! Weighted k nearest neighbours, as self-supervised networks are evaluated with: Wu et al., "Unsupervised Feature Learning via
//! Non-Parametric Instance Discrimination" (CVPR 2018), section 3.4; DINO (Caron et al., ICCV 2021) with k = 20 and τ = 0.07.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;

use super::Baseline;
use super::nearest::{Neighbour, nearest};
use super::unit::{check_width, inverse_lengths, unit_rows};
use crate::error::Result;
use crate::features::{FeatureMatrix, LabelledFeatures};
use crate::head::KEY;
use crate::state::{self, unfit};

/// The value of [`KEY`] in a file of nearest neighbours.
pub(crate) const VERSION: &str = "knn version 1";

/// The training images themselves: an image is of the class of those nearest to it.
///
/// w_c = Σ exp(cos / τ) over those of the k nearest training images (by the cosine of features; of equal ones, that of the
/// smaller index) that are of class c, and logit_c = log((w_c + 1/C) / (Σ w + 1)) for C classes. These are the logarithms of
/// probabilities: the weights' shares, with one image's worth of weight at a cosine of 0 spread over all classes.
#[derive(Clone, Debug)]
pub struct KnnHead {
    train: LabelledFeatures,
    /// 1 / length of every training image's features.
    inverse: Vec<f64>,
    classes: usize,
    neighbours: usize,
    temperature: f64,
}

/// The most queries that a thread takes at once.
const QUERIES: usize = 256;

/// Queries between two words on how far it is.
const ROUND: usize = 4096;

impl KnnHead {
    /// By training images whose labels are in range, with options in range.
    pub(super) fn new(
        train: LabelledFeatures,
        classes: usize,
        neighbours: usize,
        temperature: f64,
    ) -> Result<Self> {
        Ok(Self {
            inverse: inverse_lengths(&train.features)?,
            train,
            classes,
            neighbours,
            temperature,
        })
    }

    /// Number of target classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Features and labels that are stored.
    pub fn values(&self) -> usize {
        self.train.labels.len() * (self.train.features.width() + 1)
    }

    /// Logits [n, classes] of `features`; `tell` hears how many rows are done, and may end it.
    ///
    /// # Errors
    /// If the features have another width, one is not finite, or `tell` fails.
    pub(crate) fn logits(
        &self,
        features: &FeatureMatrix,
        mut tell: impl FnMut(usize) -> Result<()>,
    ) -> Result<Vec<f32>> {
        check_width(features, self.train.features.width())?;
        let inverse = inverse_lengths(features)?;
        let mut logits = vec![0.0; features.len() * self.classes];
        for (index, logits) in logits.chunks_mut(ROUND * self.classes).enumerate() {
            let (start, rows) = (index * ROUND, logits.len() / self.classes);
            let part = rows.div_ceil(4 * rayon::current_num_threads());
            let part = part.clamp(1, QUERIES);
            let parts = logits.par_chunks_mut(part * self.classes).enumerate();
            parts.for_each(|(index, logits)| {
                let start = start + index * part;
                let queries = start..start + logits.len() / self.classes;
                let queries = unit_rows(features, &inverse, queries);
                let train = &self.train.features;
                let found = nearest(train, &self.inverse, &queries, self.neighbours);
                for (logits, nearest) in logits.chunks_exact_mut(self.classes).zip(found) {
                    self.score(&nearest, logits);
                }
            });
            tell(start + rows)?;
        }
        Ok(logits)
    }

    /// Logits `[classes]` of an image, by its neighbours. Weights are kept as logarithms: a small temperature makes large ones.
    fn score(&self, nearest: &[Neighbour], logits: &mut [f32]) {
        let exponent = |neighbour: &Neighbour| f64::from(neighbour.cosine) / self.temperature;
        let largest = nearest.first().map_or(0.0, exponent);
        let mut sums = vec![0.0; self.classes];
        for neighbour in nearest {
            let class = self.train.labels[neighbour.index] as usize;
            sums[class] += (exponent(neighbour) - largest).exp();
        }
        let all = log_add(largest + sums.iter().sum::<f64>().ln(), 0.0);
        let share = -(self.classes as f64).ln();
        for (logit, sum) in logits.iter_mut().zip(&sums) {
            *logit = (log_add(largest + sum.ln(), share) - all) as f32;
        }
    }

    /// The head as a safetensors file with `features`, in the precision that they are kept in, `labels` and the options.
    ///
    /// # Errors
    /// If a tensor cannot be made.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let LabelledFeatures { features, labels } = &self.train;
        let labels: Vec<i64> = labels.iter().map(|&label| i64::from(label)).collect();
        let counts = [self.neighbours as i64, self.classes as i64];
        let tensors = [
            ("features", features.to_tensor()?),
            (
                "labels",
                Tensor::from_vec(labels, self.inverse.len(), &Device::Cpu)?,
            ),
            ("neighbours_classes", Tensor::new(&counts, &Device::Cpu)?),
            (
                "temperature",
                Tensor::new(&[self.temperature], &Device::Cpu)?,
            ),
        ];
        let tensors = tensors.map(|(name, tensor)| (name.to_owned(), tensor));
        state::serialize(&BTreeMap::from(tensors), KEY, VERSION)
    }

    /// The head of the tensors of a file.
    ///
    /// # Errors
    /// If one is missing, or holds what no head has.
    pub(crate) fn of_tensors(mut tensors: BTreeMap<String, Tensor>) -> Result<Self> {
        let mut take = |name: &str, dtypes: &[DType]| {
            let tensor = tensors.remove(name);
            tensor
                .filter(|tensor| dtypes.contains(&tensor.dtype()))
                .ok_or_else(|| unfit(name, &format!("a tensor of {dtypes:?}"), "none"))
        };
        let features = take("features", &[DType::F16, DType::F32])?;
        let labels = take("labels", &[DType::I64])?.to_vec1::<i64>()?;
        let counts = take("neighbours_classes", &[DType::I64])?.to_vec1::<i64>()?;
        let temperature = take("temperature", &[DType::F64])?.to_vec1::<f64>()?;
        let count = |value: i64| usize::try_from(value).unwrap_or(0);
        let (&[neighbours, classes], &[temperature]) = (&*counts, &*temperature) else {
            let found = format!("{} and {}", counts.len(), temperature.len());
            return Err(unfit(
                "neighbours_classes, temperature",
                "2 and 1 values",
                &found,
            ));
        };
        let labels = labels
            .into_iter()
            .map(|label| u32::try_from(label).unwrap_or(u32::MAX));
        let train = LabelledFeatures {
            features: FeatureMatrix::of_tensor(&features)?,
            labels: labels.collect(),
        };
        let (classes, neighbours) = (count(classes), count(neighbours));
        train.check(classes)?;
        let options = Baseline::Knn {
            neighbours,
            temperature,
        };
        options.check()?;
        Self::new(train, classes, neighbours, temperature)
    }
}

/// log(exp(a) + exp(b)); one may be −∞.
fn log_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    high + (low - high).exp().ln_1p()
}
