//! [`Outcomes`]: what each sample contributes to accuracy, ECE, NLL and Brier score, kept apart so that samples can be drawn
//! again.

use crate::{Error, Predictions, Result};

/// What one sample contributes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) label: u32,
    pub(crate) correct: bool,
    pub(crate) confidence: f64,
    pub(crate) nll: f64,
    pub(crate) brier: f64,
}

/// The contributions of n ≥ 1 samples, in their order; 32 bytes each. Batches can be put together with
/// [`extend`](Self::extend).
///
/// ```
/// use rut_metrics::{Outcomes, Probs};
/// # fn main() -> rut_metrics::Result<()> {
/// let mut outcomes = Outcomes::of(Probs::new(&[0.75, 0.25], 2)?, &[0])?;
/// outcomes.extend(Probs::new(&[0.5, 0.5, 1.0, 0.0], 2)?, &[1, 0])?;
/// assert_eq!(outcomes.len(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Outcomes {
    pub(crate) samples: Vec<Outcome>,
    classes: usize,
}

impl Outcomes {
    /// Of predictions [n, classes] against `labels: [n]`.
    ///
    /// # Errors
    ///
    /// [`Error::LabelCount`], [`Error::Label`] or [`Error::InfiniteNll`].
    pub fn of<'a>(predictions: impl Into<Predictions<'a>>, labels: &[u32]) -> Result<Self> {
        let predictions = predictions.into();
        let mut outcomes = Self {
            samples: Vec::with_capacity(labels.len()),
            classes: predictions.classes(),
        };
        outcomes.extend(predictions, labels)?;
        Ok(outcomes)
    }

    /// Adds a batch. After an error nothing of the batch has been added.
    ///
    /// # Errors
    ///
    /// [`Error::ClassCount`] and what [`of`](Self::of) says.
    pub fn extend<'a>(
        &mut self,
        predictions: impl Into<Predictions<'a>>,
        labels: &[u32],
    ) -> Result<()> {
        let predictions = predictions.into();
        if predictions.classes() != self.classes {
            return Err(Error::ClassCount {
                expected: self.classes,
                found: predictions.classes(),
            });
        }
        predictions.check_likelihood(labels)?;
        predictions.for_each(labels, |sample, label, _| {
            let (correct, confidence) = (sample.correct(), sample.confidence);
            self.samples.push(Outcome {
                label,
                correct,
                confidence,
                nll: sample.nll,
                brier: sample.brier,
            });
        });
        Ok(())
    }

    /// Number of samples, n.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there is no sample; never so for a value that [`of`](Self::of) made.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// That `other` is about the same samples in the same order, as far as labels show.
    pub(crate) fn check_paired(&self, other: &Self) -> Result<()> {
        if self.len() != other.len() {
            return Err(Error::Length {
                field: "second run",
                expected: self.len(),
                found: other.len(),
            });
        }
        let mut pairs = self
            .samples
            .iter()
            .zip(&other.samples)
            .map(|(a, b)| (a.label, b.label))
            .enumerate();
        match pairs.find(|(_, (first, second))| first != second) {
            Some((index, (first, second))) => Err(Error::Unpaired {
                index,
                first,
                second,
            }),
            None => Ok(()),
        }
    }
}
