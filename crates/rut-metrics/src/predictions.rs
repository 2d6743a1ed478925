//! [`Predictions`]: logits or probabilities where either will do, and their agreement with labels. Checked once, up
//! front; what walks over the rows afterwards trusts it.

use crate::sample::Sample;
use crate::{Error, Logits, Probs, Result};

/// What a classifier said about n samples: [`Logits`] or [`Probs`], both row-major [n, classes]. Every metric takes
/// either, by `Into`.
///
/// ```
/// use rut_metrics::{Logits, Predictions, Probs, nll};
/// # fn main() -> rut_metrics::Result<()> {
/// let values = [3f64.ln(), 0.0];
/// let logits = Predictions::from(Logits::new(&values, 2)?);
/// let probs = Predictions::from(Probs::new(&[0.75, 0.25], 2)?);
/// assert!((nll(logits, &[1])? - nll(probs, &[1])?).abs() < 1e-15);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Predictions<'a> {
    /// Unnormalised log-probabilities.
    Logits(Logits<'a>),
    /// Probabilities.
    Probs(Probs<'a>),
}

impl<'a> From<Logits<'a>> for Predictions<'a> {
    fn from(logits: Logits<'a>) -> Self {
        Self::Logits(logits)
    }
}

impl<'a> From<Probs<'a>> for Predictions<'a> {
    fn from(probs: Probs<'a>) -> Self {
        Self::Probs(probs)
    }
}

impl Predictions<'_> {
    /// Number of samples, n.
    pub fn rows(&self) -> usize {
        match self {
            Self::Logits(logits) => logits.rows(),
            Self::Probs(probs) => probs.rows(),
        }
    }

    /// Width of a row.
    pub fn classes(&self) -> usize {
        match self {
            Self::Logits(logits) => logits.classes(),
            Self::Probs(probs) => probs.classes(),
        }
    }

    /// One label per row, each below the number of classes.
    pub(crate) fn check_labels(&self, labels: &[u32]) -> Result<()> {
        let classes = self.classes();
        if labels.len() != self.rows() {
            return Err(Error::LabelCount {
                expected: self.rows(),
                found: labels.len(),
            });
        }
        match labels.iter().position(|&label| label as usize >= classes) {
            Some(index) => Err(Error::Label {
                index,
                found: labels[index],
                classes,
            }),
            None => Ok(()),
        }
    }

    /// What [`check_labels`](Self::check_labels) asks, and that no true class has probability 0. Logits are finite, so
    /// their log-softmax is.
    pub(crate) fn check_likelihood(&self, labels: &[u32]) -> Result<()> {
        self.check_labels(labels)?;
        let Self::Probs(probs) = self else {
            return Ok(());
        };
        for (row, &label) in labels.iter().enumerate() {
            if probs.values.at(row * probs.classes + label as usize) == 0.0 {
                return Err(Error::InfiniteNll { row, label });
            }
        }
        Ok(())
    }

    /// Calls `visit` with every sample in order, its label and its probabilities `[classes]`. The labels must have been
    /// checked.
    pub(crate) fn for_each(&self, labels: &[u32], mut visit: impl FnMut(Sample, u32, &[f64])) {
        let mut row = vec![0.0; self.classes()];
        for (index, &label) in labels.iter().enumerate() {
            let sample = match self {
                Self::Logits(logits) => {
                    logits.values.copy_to(index * row.len(), &mut row);
                    Sample::of_logits(&mut row, logits.temperature, label as usize)
                }
                Self::Probs(probs) => {
                    probs.values.copy_to(index * row.len(), &mut row);
                    Sample::of_probs(&row, label as usize)
                }
            };
            visit(sample, label, &row);
        }
    }

    /// Calls `visit` with the rank of the true class of every sample in order, 0 for a hit, without a softmax. The
    /// labels must have been checked.
    pub(crate) fn for_each_rank(&self, labels: &[u32], mut visit: impl FnMut(usize)) {
        let mut row = vec![0.0; self.classes()];
        let values = match self {
            Self::Logits(logits) => logits.values,
            Self::Probs(probs) => probs.values,
        };
        for (index, &label) in labels.iter().enumerate() {
            values.copy_to(index * row.len(), &mut row);
            visit(crate::sample::rank(&row, label as usize));
        }
    }
}
