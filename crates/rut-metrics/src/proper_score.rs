//! Proper scores: negative log-likelihood and Brier score, means over the samples. Lower is better, and the true
//! probabilities are the best answer.

use crate::sample;
use crate::{Logits, Predictions, Result, Temperature};

/// Mean negative log-likelihood −ln p_y, in nats, from log-softmax where logits are given.
///
/// ```
/// use rut_metrics::{Logits, nll};
/// # fn main() -> rut_metrics::Result<()> {
/// // Equal logits say 1/4 for each of four classes, whatever is added to all of them.
/// let logits = Logits::new(&[700.0; 4], 4)?;
/// assert_eq!(nll(logits, &[2])?, 4f64.ln());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::LabelCount`](crate::Error::LabelCount), [`Error::Label`](crate::Error::Label), or
/// [`Error::InfiniteNll`](crate::Error::InfiniteNll) where probabilities give the true class 0.
pub fn nll<'a>(predictions: impl Into<Predictions<'a>>, labels: &[u32]) -> Result<f64> {
    let predictions = predictions.into();
    predictions.check_likelihood(labels)?;
    if let Predictions::Logits(logits) = predictions {
        return Ok(mean_nll(logits, labels, logits.temperature));
    }
    let mut sum = 0.0;
    predictions.for_each(labels, |sample, _, _| sum += sample.nll);
    Ok(sum / labels.len() as f64)
}

/// Mean Brier score Σ_k (p_k − [k = y])², summed over the classes: 0 is best, 2 is worst (Brier 1950). Some
/// libraries divide by the number of classes; this one does not.
///
/// ```
/// use rut_metrics::{Probs, brier};
/// # fn main() -> rut_metrics::Result<()> {
/// let probs = Probs::new(&[1.0, 0.0, 0.5, 0.5], 2)?;
/// assert_eq!(brier(probs, &[1, 0])?, 1.25); // (2 + 0.5) / 2
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::LabelCount`](crate::Error::LabelCount) or [`Error::Label`](crate::Error::Label).
pub fn brier<'a>(predictions: impl Into<Predictions<'a>>, labels: &[u32]) -> Result<f64> {
    let predictions = predictions.into();
    predictions.check_labels(labels)?;
    let mut sum = 0.0;
    predictions.for_each(labels, |sample, _, _| sum += sample.brier);
    Ok(sum / labels.len() as f64)
}

/// [`nll`] of logits at `temperature` instead of their own, without the other figures of a row. The labels must have been
/// checked.
pub(crate) fn mean_nll(logits: Logits<'_>, labels: &[u32], temperature: Temperature) -> f64 {
    let mut row = vec![0.0; logits.classes];
    let mut sum = 0.0;
    for (index, &label) in labels.iter().enumerate() {
        logits.values.copy_to(index * row.len(), &mut row);
        sum += sample::nll(&mut row, temperature, label as usize);
    }
    sum / labels.len() as f64
}
