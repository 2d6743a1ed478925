//! Accuracy: top-1, top-k and per class. No softmax: only the order of the values counts.
//!
//! Ties: among equal values the class with the smaller index is predicted first.

use serde::{Deserialize, Serialize};

use crate::{Error, Predictions, Result};

/// How many samples of one class there are, and the share of them that is predicted right.
///
/// ```
/// use rut_metrics::{Logits, per_class_accuracy};
/// # fn main() -> rut_metrics::Result<()> {
/// let logits = Logits::new(&[1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], 3)?;
/// let classes = per_class_accuracy(logits, &[0, 1, 1])?;
/// assert_eq!(classes[1].count, 2);
/// assert_eq!(classes[1].accuracy, Some(0.5));
/// assert_eq!(classes[2].accuracy, None); // no sample of class 2
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassAccuracy {
    /// Samples whose label is this class.
    pub count: u64,
    /// Share of them predicted right, in [0, 1]; `None` without a sample.
    pub accuracy: Option<f64>,
}

/// Share of samples whose first maximum is at the label, in [0, 1].
///
/// ```
/// use rut_metrics::{Logits, accuracy};
/// # fn main() -> rut_metrics::Result<()> {
/// // The second row is a tie: class 0 is predicted.
/// let logits = Logits::new(&[0.0, 1.0, 2.0, 2.0], 2)?;
/// assert_eq!(accuracy(logits, &[1, 1])?, 0.5);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::LabelCount`] or [`Error::Label`].
pub fn accuracy<'a>(predictions: impl Into<Predictions<'a>>, labels: &[u32]) -> Result<f64> {
    top_k_accuracy(predictions, labels, 1)
}

/// Share of samples whose label is among the `k` largest values of its row, in [0, 1].
///
/// ```
/// use rut_metrics::{Logits, top_k_accuracy};
/// # fn main() -> rut_metrics::Result<()> {
/// let logits = Logits::new(&[0.1, 0.3, 0.2], 3)?;
/// assert_eq!(top_k_accuracy(logits, &[2], 1)?, 0.0);
/// assert_eq!(top_k_accuracy(logits, &[2], 2)?, 1.0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::TopK`] unless 1 ≤ k ≤ classes; [`Error::LabelCount`] or [`Error::Label`].
pub fn top_k_accuracy<'a>(
    predictions: impl Into<Predictions<'a>>,
    labels: &[u32],
    k: usize,
) -> Result<f64> {
    let predictions = predictions.into();
    if k == 0 || k > predictions.classes() {
        return Err(Error::TopK {
            found: k,
            classes: predictions.classes(),
        });
    }
    predictions.check_labels(labels)?;
    let mut hits = 0u64;
    predictions.for_each_rank(labels, |rank| hits += u64::from(rank < k));
    Ok(hits as f64 / labels.len() as f64)
}

/// Count and accuracy of every class, `[classes]`, in the order of their index.
///
/// # Errors
///
/// [`Error::LabelCount`] or [`Error::Label`].
pub fn per_class_accuracy<'a>(
    predictions: impl Into<Predictions<'a>>,
    labels: &[u32],
) -> Result<Vec<ClassAccuracy>> {
    let predictions = predictions.into();
    predictions.check_labels(labels)?;
    let mut tallies = vec![Tally::default(); predictions.classes()];
    let mut remaining = labels.iter();
    predictions.for_each_rank(labels, |rank| {
        if let Some(&label) = remaining.next() {
            tallies[label as usize].add(rank == 0);
        }
    });
    Ok(tallies.iter().map(Tally::accuracy).collect())
}

/// Hits and samples of one class, while counting.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    count: u64,
    correct: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, correct: bool) {
        self.count += 1;
        self.correct += u64::from(correct);
    }

    pub(crate) fn accuracy(&self) -> ClassAccuracy {
        let accuracy = (self.count > 0).then(|| self.correct as f64 / self.count as f64);
        ClassAccuracy {
            count: self.count,
            accuracy,
        }
    }
}
