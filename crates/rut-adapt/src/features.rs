//! Features and logits of a frozen network over a split, extracted once and kept in a cache on
//! disk. For training on them, see `linear_probe`.

mod cache;
mod centred;
mod file;
mod matrix;
mod part;
mod rows;

pub use cache::{FeatureCache, FeatureKey, Wanted};
pub(crate) use centred::Centred;
pub use file::FeatureShape;
pub use matrix::FeatureMatrix;

use candle_core::Tensor;
use rut_models::{FrozenNetwork, Normalization};
use rut_record::{FeatureType, SplitLogits};

use crate::error::{Error, Result};
use crate::evaluate::{Pass, each_batch, flat};
use crate::images::LabelledImages;
use crate::progress::Reporter;

/// What a frozen network says of every image of a split.
#[derive(Clone, Debug, PartialEq)]
pub struct Extracted {
    /// Pooled features [n, width].
    pub features: FeatureMatrix,
    /// Source logits [n, classes].
    pub logits: FeatureMatrix,
}

impl Extracted {
    /// Room for rows of `width` features and `classes` logits; none is in yet.
    pub fn new(width: usize, classes: usize, kept: FeatureType) -> Self {
        Self {
            features: FeatureMatrix::new(width, kept),
            logits: FeatureMatrix::new(classes, kept),
        }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.features.len()
    }

    /// Whether no image is in.
    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// Adds the rows of a batch.
    fn push(&mut self, features: &[f32], logits: &[f32]) -> Result<()> {
        self.features.push(features)?;
        self.logits.push(logits)
    }

    /// The rows at `indices`, each below the number of images, in their order.
    pub(crate) fn select(&self, indices: &[usize]) -> Self {
        Self {
            features: self.features.select(indices),
            logits: self.logits.select(indices),
        }
    }

    /// The features with their labels.
    ///
    /// # Errors
    /// If the number of labels differs from the number of images.
    pub fn labelled(self, labels: &[u32]) -> Result<LabelledFeatures> {
        if labels.len() != self.len() {
            return Err(Error::Option {
                field: "labels",
                expected: format!("one for each of {} images", self.len()),
                found: labels.len().to_string(),
            });
        }
        Ok(LabelledFeatures {
            features: self.features,
            labels: labels.to_vec(),
        })
    }

    /// The source logits with labels of the source's own classes.
    pub fn source_logits(&self, labels: &[u32]) -> SplitLogits {
        SplitLogits {
            values: self.logits.to_f32(),
            labels: labels.to_vec(),
            classes: self.logits.width(),
        }
    }
}

/// Features of a split and its labels.
#[derive(Clone, Debug)]
pub struct LabelledFeatures {
    /// [n, width]
    pub features: FeatureMatrix,
    /// `[n]`
    pub labels: Vec<u32>,
}

impl LabelledFeatures {
    /// Whether a head of `classes` classes can be fitted on them.
    ///
    /// # Errors
    /// If there are none, their labels are not as many, or a label is out of range.
    pub(crate) fn check(&self, classes: usize) -> Result<()> {
        let refuse = |field, expected: String, found: String| {
            Err(Error::Option {
                field,
                expected,
                found,
            })
        };
        let (images, labels) = (self.features.len(), &self.labels);
        if images == 0 || images != labels.len() {
            let expected = "training images, and a label for each".into();
            let found = format!("{images} and {} labels", labels.len());
            return refuse("training images", expected, found);
        }
        match labels.iter().find(|&&label| label as usize >= classes) {
            Some(label) => refuse("labels", format!("below {classes}"), label.to_string()),
            None => Ok(()),
        }
    }
}

/// A network and what its input is normalised by.
#[derive(Clone, Copy)]
pub struct Extractor<'a> {
    /// The network.
    pub network: &'a dyn FrozenNetwork,
    /// Mean and standard deviation of its input.
    pub normalization: Normalization,
    /// The precision that features are kept in.
    pub kept: FeatureType,
}

impl Extractor<'_> {
    /// Features and logits of all `images`, without a cache. `pass` says where a loop goes on that is stopped meanwhile.
    ///
    /// # Errors
    /// If an image cannot be read, the network fails, or the observer stops the pass.
    pub fn extract(
        &self,
        images: &dyn LabelledImages,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<Extracted> {
        let (width, classes) = (self.network.width(), self.network.classes());
        let mut all = Extracted::new(width, classes, self.kept);
        let rest = Rest { images, from: 0 };
        self.extract_rest(&rest, pass, reporter, |features, logits| {
            all.push(features, logits)
        })?;
        Ok(all)
    }

    /// Hands features [b, width] and logits [b, classes] of every batch to `take`.
    fn extract_rest(
        &self,
        images: &Rest<'_>,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
        mut take: impl FnMut(&[f32], &[f32]) -> Result<()>,
    ) -> Result<()> {
        let network = self.network;
        let channel = |values: [f32; 3]| {
            Tensor::new(&values, network.device())?
                .to_dtype(network.dtype())?
                .reshape((1, 3, 1, 1))
        };
        let (mean, std) = (
            channel(self.normalization.mean)?,
            channel(self.normalization.std)?,
        );
        each_batch(images, &network.placement(), pass, reporter, |batch, _| {
            let input = batch.broadcast_sub(&mean)?.broadcast_div(&std)?;
            let outputs = network.infer(&input)?;
            take(&flat(&outputs.features)?, &flat(&outputs.logits)?)
        })
    }
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
