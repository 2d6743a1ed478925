//! Features and logits of a frozen network over a split, extracted once and kept in a cache on disk. Training on them
//! is `linear_probe`'s.

mod cache;

pub use cache::{FeatureCache, FeatureKey};

use candle_core::{DType, Tensor};
use rut_models::{FrozenNetwork, Normalization};

use crate::error::Result;
use crate::evaluate::{Pass, SplitLogits, each_batch, flat};
use crate::event::Phase;
use crate::images::LabelledImages;
use crate::linear_probe::LabelledFeatures;
use crate::progress::Reporter;
use crate::state::State;

/// What a frozen network says of every image of a split.
#[derive(Clone, Debug, PartialEq)]
pub struct Extracted {
    /// Pooled features [n, width], row-major.
    pub features: Vec<f32>,
    /// Source logits [n, classes], row-major.
    pub logits: Vec<f32>,
    /// Number of features of an image.
    pub width: usize,
    /// Number of source classes.
    pub classes: usize,
}

impl Extracted {
    /// Room for nothing yet.
    pub fn new(width: usize, classes: usize) -> Self {
        Self {
            features: Vec::new(),
            logits: Vec::new(),
            width,
            classes,
        }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.features.len() / self.width.max(1)
    }

    /// Whether no image is in.
    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// The features as a tensor [n, width], with their labels.
    ///
    /// # Errors
    /// If the number of labels differs from the number of images.
    pub fn labelled(&self, labels: &[u32], dtype: DType) -> Result<LabelledFeatures> {
        let features = Tensor::from_slice(
            &self.features,
            (labels.len(), self.width),
            &candle_core::Device::Cpu,
        )?;
        Ok(LabelledFeatures {
            features: features.to_dtype(dtype)?,
            labels: labels.to_vec(),
        })
    }

    /// The source logits with labels of the source's own classes.
    pub fn source_logits(&self, labels: &[u32]) -> SplitLogits {
        SplitLogits {
            values: self.logits.clone(),
            labels: labels.to_vec(),
            classes: self.classes,
        }
    }
}

/// Runs `network` over all `images` but the first `from`, normalised, and hands features [b, width] and logits
/// [b, classes] of every batch to `take`.
pub(crate) fn extract_from(
    network: &dyn FrozenNetwork,
    images: &dyn LabelledImages,
    from: usize,
    normalization: Normalization,
    reporter: &mut Reporter<'_>,
    mut take: impl FnMut(&[f32], &[f32]) -> Result<()>,
) -> Result<()> {
    let channel = |values: [f32; 3]| {
        Tensor::new(&values, network.device())?
            .to_dtype(network.dtype())?
            .reshape((1, 3, 1, 1))
    };
    let (mean, std) = (channel(normalization.mean)?, channel(normalization.std)?);
    let pass = Pass {
        phase: Phase::Extract,
        step: 0,
        state: &State::default,
    };
    each_batch(
        &Rest { images, from },
        network.dtype(),
        &pass,
        reporter,
        |batch, _| {
            let input = batch.broadcast_sub(&mean)?.broadcast_div(&std)?;
            let outputs = network.infer(&input)?;
            take(&flat(&outputs.features)?, &flat(&outputs.logits)?)
        },
    )
}

/// Features and logits of all `images` under `network`, without a cache.
///
/// # Errors
/// If an image cannot be read, the network fails, or the observer stops the pass.
pub fn extract(
    network: &dyn FrozenNetwork,
    images: &dyn LabelledImages,
    normalization: Normalization,
    reporter: &mut Reporter<'_>,
) -> Result<Extracted> {
    let mut all = Extracted::new(network.width(), network.classes());
    extract_from(
        network,
        images,
        0,
        normalization,
        reporter,
        |features, logits| {
            all.features.extend(features);
            all.logits.extend(logits);
            Ok(())
        },
    )?;
    Ok(all)
}

/// The images of a source from one index on.
struct Rest<'a> {
    images: &'a dyn LabelledImages,
    from: usize,
}

impl LabelledImages for Rest<'_> {
    fn len(&self) -> usize {
        self.images.len() - self.from
    }

    fn side(&self) -> usize {
        self.images.side()
    }

    fn labels(&self) -> &[u32] {
        &self.images.labels()[self.from..]
    }

    fn batch(&self, indices: &[usize]) -> Result<rut_data::Batch> {
        let shifted: Vec<usize> = indices.iter().map(|index| index + self.from).collect();
        self.images.batch(&shifted)
    }
}
