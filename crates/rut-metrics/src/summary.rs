//! [`Summary`]: every figure of a test set in one plain, serialisable value. How it is counted is in `accumulate`.

use serde::{Deserialize, Serialize};

use crate::{Accumulator, Bin, ClassAccuracy, Predictions, Result};

/// All figures of one set of predictions. Calibration is top-label with 15 bins (lo, hi] of equal width
/// ([`Binning::default`](crate::Binning)) unless a field says otherwise.
///
/// ```
/// use rut_metrics::{Probs, Summary};
/// # fn main() -> rut_metrics::Result<()> {
/// let probs = Probs::new(&[0.75, 0.25, 0.75, 0.25], 2)?;
/// let summary = Summary::of(probs, &[0, 1])?;
/// assert_eq!((summary.n, summary.classes), (2, 2));
/// assert_eq!(summary.accuracy, 0.5);
/// assert_eq!(summary.mean_confidence, 0.75);
/// assert_eq!(summary.ece, 0.25);
/// assert_eq!(summary.brier, 0.625); // (2 · 0.25² + 2 · 0.75²) / 2
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Samples. Calibration errors are biased upwards when there are few: state it beside them.
    pub n: u64,
    /// Classes.
    pub classes: u64,
    /// Share of samples predicted right, in [0, 1].
    pub accuracy: f64,
    /// Share of samples whose label is among the min(5, classes) largest values, in [0, 1].
    pub top5: f64,
    /// Count and accuracy of every class, `[classes]`.
    pub per_class: Vec<ClassAccuracy>,
    /// Mean negative log-likelihood, in nats.
    pub nll: f64,
    /// Mean Brier score, summed over the classes, in [0, 2].
    pub brier: f64,
    /// Mean of the largest probability, in [0, 1]. Above `accuracy`, the predictions are overconfident.
    pub mean_confidence: f64,
    /// The reliability diagram, 15 bins.
    pub bins: Vec<Bin>,
    /// Expected calibration error, in [0, 1]; see [`Reliability::ece`](crate::Reliability::ece).
    pub ece: f64,
    /// Root mean square calibration error, in [0, 1]; see [`Reliability::rmsce`](crate::Reliability::rmsce).
    pub rmsce: f64,
    /// Maximum calibration error, in [0, 1]; see [`Reliability::mce`](crate::Reliability::mce).
    pub mce: f64,
    /// ECE over 15 bins of equal mass, ties together, in [0, 1]; see [`EqualMass`](crate::EqualMass).
    pub adaptive_ece: f64,
    /// Mean one-against-rest ECE of the classes, in [0, 1]; see [`classwise_ece`](crate::classwise_ece).
    pub classwise_ece: f64,
    /// Squared calibration error without its bias, clamped at 0; see
    /// [`Reliability::debiased_ece_squared`](crate::Reliability::debiased_ece_squared).
    pub debiased_ece_squared: f64,
    /// Kolmogorov–Smirnov calibration error, in [0, 1]; see [`TopLabel::ks`](crate::TopLabel::ks).
    pub ks: f64,
}

impl Summary {
    /// All figures of `predictions` [n, classes] against `labels: [n]`, in one pass and a sort. Batches go to an
    /// [`Accumulator`], with the same result to the bit.
    ///
    /// # Errors
    ///
    /// [`Error::LabelCount`](crate::Error::LabelCount), [`Error::Label`](crate::Error::Label) or
    /// [`Error::InfiniteNll`](crate::Error::InfiniteNll).
    pub fn of<'a>(predictions: impl Into<Predictions<'a>>, labels: &[u32]) -> Result<Self> {
        let predictions = predictions.into();
        let mut accumulator = Accumulator::new(predictions.classes())?;
        accumulator.push(predictions, labels)?;
        accumulator.finish()
    }
}
