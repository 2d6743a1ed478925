//! ECE as some published code computes it, on raw logits or batch by batch: to measure what that
//! does to a conclusion, and for nothing else. For the figures to report, see `reliability`.

use serde::{Deserialize, Serialize};

use crate::{Error, Logits, Result, TopLabel};

/// Bins of equal width on [0, 1].
const BINS: usize = 15;

/// Which values are binned as confidences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BinnedValues {
    /// The largest softmax probability.
    #[default]
    Probabilities,
    /// The largest logit as it is. Bins stay those of [0, 1]: what lies above 14/15 shares the last one, what is negative
    /// the first. Adding a constant to all logits changes the figure.
    Logits,
}

/// Over which samples an ECE is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Batching {
    /// All at once.
    #[default]
    Whole,
    /// Batch by batch; the sum over the batches, divided by the number of samples. It shrinks as batches grow.
    BatchSum,
    /// Batch by batch; the mean over the batches. Small batches inflate it.
    BatchMean,
}

/// An ECE of 15 bins of equal width, (lo, hi], that need not be one of probabilities over the whole set.
///
/// ```
/// use rut_metrics::{BatchedEce, Batching, BinnedValues, Logits};
/// # fn main() -> rut_metrics::Result<()> {
/// let rows = [3.0f64, 1.0, 3.0, 1.0]; // twice the logit 3 for class 0
/// let logits = Logits::new(&rows, 2)?;
/// let ece = |values, batching| {
///     let rule = BatchedEce { values, batching, batch_size: 1 };
///     rule.of(logits, &[0, 1])
/// };
/// // One bin: |3 − 1/2|. Of batches of one: |3 − 1| and |3 − 0|.
/// assert_eq!(ece(BinnedValues::Logits, Batching::Whole)?, 2.5);
/// assert_eq!(ece(BinnedValues::Logits, Batching::BatchSum)?, 5.0 / 2.0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchedEce {
    /// What is binned.
    pub values: BinnedValues,
    /// Over what.
    pub batching: Batching,
    /// Samples in a batch, at least 1; the last may have fewer.
    pub batch_size: usize,
}

impl BatchedEce {
    /// The figure of `logits` [n, classes] against `labels: [n]`, batches in order.
    ///
    /// # Errors
    ///
    /// [`Error::Option`], [`Error::LabelCount`] or [`Error::Label`].
    pub fn of(&self, logits: Logits<'_>, labels: &[u32]) -> Result<f64> {
        if self.batch_size == 0 {
            return Err(Error::Option {
                field: "batch_size",
                expected: "at least 1",
                found: 0.0,
            });
        }
        let top = TopLabel::of(logits, labels)?;
        let samples: Vec<(f64, bool)> = match self.values {
            BinnedValues::Probabilities => top.iter().collect(),
            BinnedValues::Logits => {
                let hits = top.correct().iter().copied();
                largest(logits).into_iter().zip(hits).collect()
            }
        };
        let size = match self.batching {
            Batching::Whole => samples.len(),
            Batching::BatchSum | Batching::BatchMean => self.batch_size,
        };
        let sum: f64 = samples.chunks(size).map(ece).sum();
        Ok(match self.batching {
            Batching::Whole => sum,
            Batching::BatchSum => sum / samples.len() as f64,
            Batching::BatchMean => sum / samples.len().div_ceil(size) as f64,
        })
    }
}

/// The largest logit of every row.
fn largest(logits: Logits<'_>) -> Vec<f64> {
    let mut row = vec![0.0; logits.classes()];
    let of_row = |index: usize| {
        logits.values.copy_to(index * row.len(), &mut row);
        row.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    };
    (0..logits.rows()).map(of_row).collect()
}

/// Σ_b (n_b / n) |mean value − accuracy| over the bins of one batch.
fn ece(samples: &[(f64, bool)]) -> f64 {
    let mut bins = [(0.0, 0.0); BINS];
    for &(value, correct) in samples {
        let above = (1..BINS).filter(|&edge| value > edge as f64 / BINS as f64);
        let (values, hits) = &mut bins[above.count()];
        *values += value;
        *hits += f64::from(u8::from(correct));
    }
    let gaps = bins
        .iter()
        .map(|(values, hits): &(f64, f64)| (values - hits).abs());
    gaps.sum::<f64>() / samples.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Binning, Reliability};

    /// Rows of two logits, of every magnitude, with labels.
    fn rows() -> (Vec<f64>, Vec<u32>) {
        let values = (0..400).map(|i| f64::from(i * 37 % 101) / 9.0 - 4.0);
        (values.collect(), (0..200).map(|i| i % 2).collect())
    }

    fn of(values: &[f64], labels: &[u32], rule: BatchedEce) -> f64 {
        rule.of(Logits::new(values, 2).unwrap(), labels).unwrap()
    }

    const LOGITS: BatchedEce = BatchedEce {
        values: BinnedValues::Logits,
        batching: Batching::Whole,
        batch_size: 64,
    };

    #[test]
    fn on_probabilities_over_the_whole_set_it_is_the_ece() {
        let (values, labels) = rows();
        let rule = BatchedEce {
            values: BinnedValues::Probabilities,
            ..LOGITS
        };
        let top = TopLabel::of(Logits::new(&values, 2).unwrap(), &labels).unwrap();
        let want = Reliability::equal_width(&top, &Binning::default()).unwrap();
        assert!((of(&values, &labels, rule) - want.ece()).abs() < 1e-14);
    }

    #[test]
    fn on_logits_a_constant_changes_it() {
        let (values, labels) = rows();
        let moved: Vec<f64> = values.iter().map(|value| value + 1.0).collect();
        assert!((of(&moved, &labels, LOGITS) - of(&values, &labels, LOGITS)).abs() > 0.1);
    }

    #[test]
    fn above_the_bins_and_below_them_there_is_one_bin_each() {
        // Largest logits −2 (first bin), 2 and 4 (last bin, mean 3, half of them right), and 1/15, on an edge: the first.
        let values = [-2.0, -3.0, 2.0, 0.0, 4.0, 0.0, 1.0 / 15.0, 0.0];
        let labels = [1, 0, 1, 0];
        let first: f64 = -2.0 + 1.0 / 15.0 - 1.0;
        let want = (first.abs() + (6.0 - 1.0)) / 4.0;
        assert!((of(&values, &labels, LOGITS) - want).abs() < 1e-15);
    }

    #[test]
    fn sums_over_batches_depend_on_their_size_and_means_count_batches() {
        let (values, labels) = rows();
        let by = |batching, batch_size| {
            let rule = BatchedEce {
                batching,
                batch_size,
                ..LOGITS
            };
            of(&values, &labels, rule)
        };
        // 200 samples: batches of 64, 64, 64 and 8.
        let (sum, mean) = (by(Batching::BatchSum, 64), by(Batching::BatchMean, 64));
        assert!((sum * 200.0 - mean * 4.0).abs() < 1e-12);
        assert!(by(Batching::BatchSum, 128) < 0.6 * sum);
        assert!((by(Batching::BatchMean, 200) - by(Batching::Whole, 1)).abs() < 1e-15);
        let rule = BatchedEce {
            batch_size: 0,
            ..LOGITS
        };
        assert!(rule.of(Logits::new(&values, 2).unwrap(), &labels).is_err());
    }
}
