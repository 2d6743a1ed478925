//! [`Reliability`]: accuracy beside confidence, bin by bin, and the calibration errors that follow from it. How bins are
//! cut is in `binning` and `equal_mass`.

use serde::{Deserialize, Serialize};

use crate::binning::Binner;
use crate::{Binning, Result, TopLabel};

/// One bin of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bin {
    /// Lower edge, in [0, 1].
    pub lo: f64,
    /// Upper edge, in [0, 1].
    pub hi: f64,
    /// Samples in it.
    pub count: u64,
    /// Share of them predicted right; `None` where the bin is empty.
    pub accuracy: Option<f64>,
    /// Their mean confidence; `None` where the bin is empty.
    pub confidence: Option<f64>,
}

/// A reliability diagram: all samples in bins, none left out.
///
/// ```
/// use rut_metrics::{Binning, Reliability, TopLabel};
/// # fn main() -> rut_metrics::Result<()> {
/// // Two samples at 0.9, one right; two at 0.6, both right.
/// let top = TopLabel::new(vec![0.9, 0.9, 0.6, 0.6], vec![true, false, true, true])?;
/// let reliability = Reliability::equal_width(&top, &Binning::default())?;
/// assert!((reliability.ece() - 0.4).abs() < 1e-15); // (|0.5 − 0.9| + |1 − 0.6|) / 2
/// assert!((reliability.mce() - 0.4).abs() < 1e-15);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    bins: Vec<Bin>,
}

impl Reliability {
    /// Bins of equal width. With [`Convention::Torchmetrics`](crate::Convention::Torchmetrics) there is one more than
    /// `binning.bins`.
    ///
    /// # Errors
    ///
    /// What [`Binning::check`] says.
    pub fn equal_width(top: &TopLabel, binning: &Binning) -> Result<Self> {
        let binner = Binner::new(binning)?;
        let mut sums = vec![BinSum::default(); binner.len()];
        for (p, correct) in top.iter() {
            let p = binner.round(p);
            sums[binner.index(p)].add(p, correct);
        }
        let bins = sums
            .iter()
            .enumerate()
            .map(|(index, sum)| sum.bin(binner.range(index)))
            .collect();
        Ok(Self { bins })
    }

    /// Of bins that are complete.
    pub(crate) fn of_bins(bins: Vec<Bin>) -> Self {
        Self { bins }
    }

    /// The bins, by rising confidence.
    pub fn bins(&self) -> &[Bin] {
        &self.bins
    }

    /// The bins, given away.
    pub fn into_bins(self) -> Vec<Bin> {
        self.bins
    }

    /// Expected calibration error Σ_b (n_b / N) |acc_b − conf_b|, in [0, 1] (Guo et al. 2017, equation 3). Empty bins add 0.
    ///
    /// It is biased upwards on few samples: always state N beside it, and see
    /// [`debiased_ece_squared`](Self::debiased_ece_squared).
    pub fn ece(&self) -> f64 {
        self.gaps().map(|(weight, gap)| weight * gap.abs()).sum()
    }

    /// Root mean square calibration error √Σ_b (n_b / N) (acc_b − conf_b)², in [0, 1] (Hendrycks et al. 2019).
    pub fn rmsce(&self) -> f64 {
        self.gaps()
            .map(|(weight, gap)| weight * gap * gap)
            .sum::<f64>()
            .sqrt()
    }

    /// Maximum calibration error: the largest |acc_b − conf_b| over the bins that are not empty, in [0, 1] (Guo et al. 2017,
    /// equation 5).
    pub fn mce(&self) -> f64 {
        self.gaps().map(|(_, gap)| gap.abs()).fold(0.0, f64::max)
    }

    /// Debiased squared calibration error Σ_b (n_b / N) [(acc_b − conf_b)² − acc_b (1 − acc_b) / (n_b − 1)], clamped at 0
    /// (Kumar et al. 2019, section 5). A bin of one sample cannot estimate its own noise and adds 0, as in
    /// verified_calibration.
    ///
    /// ```
    /// use rut_metrics::{Binning, Reliability, TopLabel};
    /// # fn main() -> rut_metrics::Result<()> {
    /// let top = TopLabel::new(vec![0.9; 4], vec![true, true, false, false])?;
    /// let reliability = Reliability::equal_width(&top, &Binning::default())?;
    /// let want = 0.4 * 0.4 - 0.25 / 3.0;
    /// assert!((reliability.debiased_ece_squared() - want).abs() < 1e-15);
    /// # Ok(())
    /// # }
    /// ```
    pub fn debiased_ece_squared(&self) -> f64 {
        let total = self.total();
        let terms = self.filled().filter(|(count, ..)| *count > 1.0).map(
            |(count, accuracy, confidence)| {
                let noise = accuracy * (1.0 - accuracy) / (count - 1.0);
                count / total * ((accuracy - confidence).powi(2) - noise)
            },
        );
        terms.fold(0.0, |sum, term| sum + term).max(0.0)
    }

    /// (n_b / N, acc_b − conf_b) of the bins that are not empty.
    fn gaps(&self) -> impl Iterator<Item = (f64, f64)> {
        let total = self.total();
        self.filled()
            .map(move |(count, accuracy, confidence)| (count / total, accuracy - confidence))
    }

    /// (n_b, acc_b, conf_b) of the bins that are not empty.
    fn filled(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        self.bins
            .iter()
            .filter_map(|bin| Some((bin.count as f64, bin.accuracy?, bin.confidence?)))
    }

    fn total(&self) -> f64 {
        self.bins.iter().map(|bin| bin.count).sum::<u64>() as f64
    }
}

/// What falls into one bin, while counting.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BinSum {
    count: u64,
    correct: u64,
    confidence: f64,
}

impl BinSum {
    pub(crate) fn add(&mut self, p: f64, correct: bool) {
        self.count += 1;
        self.correct += u64::from(correct);
        self.confidence += p;
    }

    pub(crate) fn bin(&self, (lo, hi): (f64, f64)) -> Bin {
        let count = self.count as f64;
        let filled = self.count > 0;
        let accuracy = filled.then(|| self.correct as f64 / count);
        let confidence = filled.then(|| self.confidence / count);
        Bin {
            lo,
            hi,
            count: self.count,
            accuracy,
            confidence,
        }
    }

    /// n_b |acc_b − conf_b|.
    pub(crate) fn weighted_gap(&self) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        let count = self.count as f64;
        count * (self.correct as f64 / count - self.confidence / count).abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bins of five (0, 0.2], …: three samples at 0.3 (one right), one at 0.4 (wrong), two at 1 (both right).
    fn example() -> Reliability {
        let top = TopLabel::new(
            vec![0.3, 0.3, 0.3, 0.4, 1.0, 1.0],
            vec![true, false, false, false, true, true],
        );
        Reliability::equal_width(
            &top.unwrap(),
            &Binning {
                bins: 5,
                ..Binning::default()
            },
        )
        .unwrap()
    }

    fn assert_close(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-15, "got {got}, want {want}");
    }

    #[test]
    fn bins_hold_counts_and_means() {
        let bins = example().into_bins();
        assert_eq!(
            bins.iter().map(|bin| bin.count).collect::<Vec<_>>(),
            [0, 4, 0, 0, 2]
        );
        assert_eq!((bins[0].accuracy, bins[0].confidence), (None, None));
        assert_eq!(bins[1].accuracy, Some(0.25));
        assert_close(bins[1].confidence.unwrap(), 0.325);
        assert_eq!(
            (bins[4].lo, bins[4].hi, bins[4].confidence),
            (0.8, 1.0, Some(1.0))
        );
    }

    #[test]
    fn errors_by_hand() {
        let reliability = example();
        // The only gap: four of six samples, 0.25 against 0.325.
        assert_close(reliability.ece(), 4.0 / 6.0 * 0.075);
        assert_close(reliability.mce(), 0.075);
        assert_close(reliability.rmsce(), (4.0f64 / 6.0 * 0.075 * 0.075).sqrt());
        // 0.075² − 0.25 · 0.75 / 3 is negative.
        assert_eq!(reliability.debiased_ece_squared(), 0.0);
    }

    #[test]
    fn a_bin_of_one_sample_adds_nothing_to_the_debiased_error() {
        let top = TopLabel::new(vec![0.9], vec![false]).unwrap();
        let reliability = Reliability::equal_width(&top, &Binning::default()).unwrap();
        assert_eq!(reliability.ece(), 0.9);
        assert_eq!(reliability.debiased_ece_squared(), 0.0);
    }
}
