//! Class-wise calibration: every class against the rest, not only the predicted one.

use crate::binning::Binner;
use crate::reliability::BinSum;
use crate::{Binning, Predictions, Result};

/// Class-wise (static) ECE: the mean over classes k of the one-against-rest ECE of p_k against [y = k], in [0, 1]
/// (Kull et al. 2019; SCE in Nixon et al. 2019). Every probability of every row is binned.
///
/// ```
/// use rut_metrics::{Binning, Probs, classwise_ece};
/// # fn main() -> rut_metrics::Result<()> {
/// let probs = Probs::new(&[0.75, 0.25, 0.75, 0.25], 2)?;
/// // Class 0: 0.75 said, 0.5 seen; class 1: 0.25 said, 0.5 seen.
/// assert_eq!(classwise_ece(probs, &[0, 1], &Binning::default())?, 0.25);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::LabelCount`](crate::Error::LabelCount), [`Error::Label`](crate::Error::Label) or what [`Binning::check`] says.
pub fn classwise_ece<'a>(
    predictions: impl Into<Predictions<'a>>,
    labels: &[u32],
    binning: &Binning,
) -> Result<f64> {
    let predictions = predictions.into();
    predictions.check_labels(labels)?;
    let mut bins = ClassBins::new(predictions.classes(), Binner::new(binning)?);
    predictions.for_each(labels, |_, label, probs| bins.add(probs, label));
    Ok(bins.ece(labels.len()))
}

/// Bins of every class, while counting.
#[derive(Debug, Clone)]
pub(crate) struct ClassBins {
    binner: Binner,
    /// [classes, bins]
    sums: Vec<BinSum>,
}

impl ClassBins {
    pub(crate) fn new(classes: usize, binner: Binner) -> Self {
        let sums = vec![BinSum::default(); classes * binner.len()];
        Self { binner, sums }
    }

    /// Adds one sample: its probabilities `[classes]` and its label.
    pub(crate) fn add(&mut self, probs: &[f64], label: u32) {
        let label = label as usize;
        for ((class, &p), bins) in probs
            .iter()
            .enumerate()
            .zip(self.sums.chunks_exact_mut(self.binner.len()))
        {
            let p = self.binner.round(p);
            bins[self.binner.index(p)].add(p, class == label);
        }
    }

    /// The error over the `n` samples added.
    pub(crate) fn ece(&self, n: usize) -> f64 {
        let classes = self.sums.len() / self.binner.len();
        self.sums.iter().map(BinSum::weighted_gap).sum::<f64>() / n as f64 / classes as f64
    }
}
