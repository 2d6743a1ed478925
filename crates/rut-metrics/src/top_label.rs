//! [`TopLabel`]: the confidence of every prediction and whether it was right, which is all that top-label calibration
//! looks at.

use crate::equal_mass::{Sorted, ks};
use crate::{Error, Predictions, Result};

/// Confidence c = max p and correctness [argmax = y] of n ≥ 1 samples, in their order.
///
/// ```
/// use rut_metrics::{Logits, TopLabel};
/// # fn main() -> rut_metrics::Result<()> {
/// let top = TopLabel::of(Logits::new(&[0.0, 3f64.ln()], 2)?, &[0])?;
/// assert!((top.confidence()[0] - 0.75).abs() < 1e-15);
/// assert_eq!(top.correct(), [false]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TopLabel {
    confidence: Vec<f64>,
    correct: Vec<bool>,
}

impl TopLabel {
    /// From confidences in [0, 1] and correctness, n of each.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`], [`Error::Length`] or [`Error::Confidence`].
    pub fn new(confidence: Vec<f64>, correct: Vec<bool>) -> Result<Self> {
        if confidence.is_empty() {
            return Err(Error::Empty {
                field: "confidence",
            });
        }
        if confidence.len() != correct.len() {
            return Err(Error::Length {
                field: "correct",
                expected: confidence.len(),
                found: correct.len(),
            });
        }
        match confidence.iter().position(|p| !(0.0..=1.0).contains(p)) {
            Some(index) => Err(Error::Confidence {
                index,
                found: confidence[index],
            }),
            None => Ok(Self {
                confidence,
                correct,
            }),
        }
    }

    /// Of predictions [n, classes] against `labels: [n]`.
    ///
    /// # Errors
    ///
    /// [`Error::LabelCount`] or [`Error::Label`].
    pub fn of<'a>(predictions: impl Into<Predictions<'a>>, labels: &[u32]) -> Result<Self> {
        let predictions = predictions.into();
        predictions.check_labels(labels)?;
        let mut top = Self::default();
        predictions.for_each(labels, |sample, _, _| {
            top.push(sample.confidence, sample.correct())
        });
        Ok(top)
    }

    /// Confidences, one per sample, in [0, 1].
    pub fn confidence(&self) -> &[f64] {
        &self.confidence
    }

    /// Whether each prediction is right; one per sample, n in all.
    pub fn correct(&self) -> &[bool] {
        &self.correct
    }

    /// Mean confidence, in [0, 1].
    pub fn mean_confidence(&self) -> f64 {
        self.confidence.iter().sum::<f64>() / self.confidence.len() as f64
    }

    /// Kolmogorov–Smirnov calibration error: max |Σ_{i ≤ j} (c_i − a_i) / N| over samples sorted by confidence, in [0, 1]
    /// (Gupta et al. 2021). Needs no bins. Samples of equal confidence count together, so that the order of the
    /// samples is of no consequence.
    ///
    /// ```
    /// use rut_metrics::TopLabel;
    /// # fn main() -> rut_metrics::Result<()> {
    /// let top = TopLabel::new(vec![0.9, 0.5, 0.9], vec![true, true, false])?;
    /// // Sums after 0.5: −0.5; after both 0.9: −0.5 + 1.8 − 1 = 0.3; over three samples.
    /// assert!((top.ks() - 0.5 / 3.0).abs() < 1e-15);
    /// # Ok(())
    /// # }
    /// ```
    pub fn ks(&self) -> f64 {
        ks(&Sorted::of(self))
    }

    pub(crate) fn push(&mut self, confidence: f64, correct: bool) {
        self.confidence.push(confidence);
        self.correct.push(correct);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (f64, bool)> {
        self.confidence
            .iter()
            .copied()
            .zip(self.correct.iter().copied())
    }
}
