//! Baselines on frozen features: heads that are computed from the training images in one go, without steps or epochs. A trained
//! linear head is `linear_probe`'s.

mod cholesky;
mod knn;
mod nearest;
mod prototype;
mod ridge;
mod unit;

pub use knn::KnnHead;
pub use prototype::PrototypeHead;

pub(crate) use knn::VERSION as KNN_VERSION;
pub(crate) use prototype::VERSION as PROTOTYPE_VERSION;

use crate::error::{Error, Result};
use crate::features::LabelledFeatures;
use crate::probe_head::ProbeHead;

/// A head that is computed, not trained, and its options.
///
/// ```
/// use rut_adapt::{Baseline, FeatureMatrix, LabelledFeatures};
/// let features = FeatureMatrix::from_f32(vec![2.0, 0.0, 0.0, 3.0], 2)?;
/// let data = LabelledFeatures { features, labels: vec![0, 1] };
/// let head = Baseline::Prototype.fit(data.clone(), 2)?;
/// assert_eq!(head.logits(&data)?.values, [1.0, 0.0, 0.0, 1.0]);
/// # Ok::<(), rut_adapt::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Baseline {
    /// The nearest training images by cosine: [`KnnHead`].
    Knn {
        /// k: how many of them; all, where there are fewer.
        neighbours: usize,
        /// τ: what cosines are divided by.
        temperature: f64,
    },
    /// The mean of each class, by cosine: [`PrototypeHead`].
    Prototype,
    /// Ridge regression of the classes, as scikit-learn's `RidgeClassifier`: a linear head, whose scores are no logits.
    ///
    /// W and b minimise Σ ‖W x + b − y‖² + α ‖W‖² over the training images, where y is 1 for the image's class and −1 for every
    /// other one.
    Ridge {
        /// α.
        alpha: f64,
    },
}

/// The smallest temperature of k nearest neighbours: below it, logits leave the range in which f32 tells them apart.
const LEAST_TEMPERATURE: f64 = 1e-4;

impl Baseline {
    /// Whether the options are in range.
    ///
    /// # Errors
    /// If one is not.
    pub fn check(self) -> Result<()> {
        let refuse = |field, expected: &str, found: f64| {
            Err(Error::Option {
                field,
                expected: expected.into(),
                found: found.to_string(),
            })
        };
        match self {
            Self::Knn { neighbours: 0, .. } => refuse("neighbours", "at least 1", 0.0),
            Self::Knn { temperature, .. }
                if !(temperature.is_finite() && temperature >= LEAST_TEMPERATURE) =>
            {
                let expected = format!("a number, {LEAST_TEMPERATURE} or more");
                refuse("knn_temperature", &expected, temperature)
            }
            Self::Ridge { alpha } if !(alpha.is_finite() && alpha > 0.0) => {
                refuse("ridge_alpha", "a positive number", alpha)
            }
            _ => Ok(()),
        }
    }

    /// The head of `classes` classes that `train` gives.
    ///
    /// # Errors
    /// If an option is out of range, there are no training images, or a label or a feature cannot be used.
    pub fn fit(self, train: LabelledFeatures, classes: usize) -> Result<ProbeHead> {
        self.check()?;
        train.check(classes)?;
        Ok(match self {
            Self::Knn {
                neighbours,
                temperature,
            } => ProbeHead::Knn(KnnHead::new(train, classes, neighbours, temperature)?),
            Self::Prototype => ProbeHead::Prototype(PrototypeHead::fit(&train, classes)?),
            Self::Ridge { alpha } => ProbeHead::Linear(ridge::fit(&train, classes, alpha)?),
        })
    }
}
