//! Bootstrap percentile intervals over test samples: how far a figure, or a difference between two runs, varies
//! with the sampling of the test set. They do not include the variance of training.

use serde::{Deserialize, Serialize};

use crate::binning::Binner;
use crate::outcomes::{Outcome, Outcomes};
use crate::reliability::BinSum;
use crate::resample::{Resample, Stream};
use crate::{Binning, Error, Reliability, Result};

/// How intervals are drawn.
///
/// ```
/// use rut_metrics::BootstrapOptions;
/// let options = BootstrapOptions { resamples: 2000, ..BootstrapOptions::default() };
/// assert_eq!(options.level, 0.95);
/// assert!(BootstrapOptions { level: 95.0, ..options }.check().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootstrapOptions {
    /// How many sets of n samples are drawn, at least 2.
    pub resamples: usize,
    /// Coverage aimed at, in (0, 1).
    pub level: f64,
    /// Fixes every draw.
    pub seed: u64,
    /// Bins of the ECE.
    pub binning: Binning,
}

impl Default for BootstrapOptions {
    /// 1000 resamples, 95 %, seed 0, 15 bins.
    fn default() -> Self {
        Self {
            resamples: 1000,
            level: 0.95,
            seed: 0,
            binning: Binning::default(),
        }
    }
}

impl BootstrapOptions {
    /// Whether every option is in its range.
    ///
    /// # Errors
    ///
    /// [`Error::Option`].
    pub fn check(&self) -> Result<()> {
        if self.resamples < 2 {
            let found = self.resamples as f64;
            return Err(Error::Option {
                field: "resamples",
                expected: "at least 2",
                found,
            });
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::Option {
                field: "level",
                expected: "between 0 and 1, such as 0.95",
                found: self.level,
            });
        }
        self.binning.check()
    }
}

/// A figure and its percentile interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The figure on the samples as they are.
    pub estimate: f64,
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

/// The intervals of four figures, or of their differences, from the same draws.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intervals {
    /// Samples.
    pub n: u64,
    /// Accuracy.
    pub accuracy: Interval,
    /// Expected calibration error. Each draw adds noise of its own, so its interval lies high where the error is near 0 or n
    /// is small, and may even lie above the estimate.
    pub ece: Interval,
    /// Negative log-likelihood, in nats.
    pub nll: Interval,
    /// Brier score, summed over the classes.
    pub brier: Interval,
}

/// Percentile intervals of accuracy, ECE, NLL and Brier score (Efron 1979): n samples are drawn with replacement
/// `resamples` times, and the ends are the quantiles (1 ∓ level) / 2 of each figure, linear between order statistics.
///
/// ```
/// use rut_metrics::{BootstrapOptions, Outcomes, Probs, bootstrap};
/// # fn main() -> rut_metrics::Result<()> {
/// let probs = [0.75, 0.25].repeat(100);
/// let labels = [[0; 75].as_slice(), &[1; 25]].concat();
/// let outcomes = Outcomes::of(Probs::new(&probs, 2)?, &labels)?;
/// let accuracy = bootstrap(&outcomes, &BootstrapOptions::default())?.accuracy;
/// assert_eq!(accuracy.estimate, 0.75);
/// // The normal approximation says 0.75 ∓ 0.085.
/// assert!((accuracy.lo - 0.665).abs() < 0.02 && (accuracy.hi - 0.835).abs() < 0.02);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// What [`BootstrapOptions::check`] says.
pub fn bootstrap(outcomes: &Outcomes, options: &BootstrapOptions) -> Result<Intervals> {
    let run = Run::new(outcomes, options)?;
    draw([run], |[run]| run, options)
}

/// Percentile intervals of the differences `first` − `second` of two runs on one test set, whose samples are drawn together:
/// what makes both runs better or worse cancels. An interval that holds 0 shows no difference.
///
/// ```
/// use rut_metrics::{BootstrapOptions, Outcomes, Probs, bootstrap_difference};
/// # fn main() -> rut_metrics::Result<()> {
/// let (probs, labels) = ([0.75, 0.25, 0.5, 0.5], [0, 1]);
/// let outcomes = Outcomes::of(Probs::new(&probs, 2)?, &labels)?;
/// let same = bootstrap_difference(&outcomes, &outcomes, &BootstrapOptions::default())?;
/// assert_eq!((same.nll.lo, same.nll.estimate, same.nll.hi), (0.0, 0.0, 0.0));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Length`] or [`Error::Unpaired`] where the runs are not about the same samples, and what
/// [`BootstrapOptions::check`] says.
pub fn bootstrap_difference(
    first: &Outcomes,
    second: &Outcomes,
    options: &BootstrapOptions,
) -> Result<Intervals> {
    first.check_paired(second)?;
    let runs = [Run::new(first, options)?, Run::new(second, options)?];
    let difference = |[a, b]: [Figures; 2]| std::array::from_fn(|figure| a[figure] - b[figure]);
    draw(runs, difference, options)
}

/// Accuracy, ECE, NLL, Brier score.
type Figures = [f64; 4];

/// Samples with their bins looked up, and the sums of one draw.
struct Run {
    samples: Vec<(Outcome, usize)>,
    correct: u64,
    nll: f64,
    brier: f64,
    bins: Vec<BinSum>,
}

impl Run {
    fn new(outcomes: &Outcomes, options: &BootstrapOptions) -> Result<Self> {
        options.check()?;
        let binner = Binner::new(&options.binning)?;
        let look_up = |outcome: &Outcome| {
            let confidence = binner.round(outcome.confidence);
            (
                Outcome {
                    confidence,
                    ..*outcome
                },
                binner.index(confidence),
            )
        };
        let samples = outcomes.samples.iter().map(look_up).collect();
        Ok(Self {
            samples,
            correct: 0,
            nll: 0.0,
            brier: 0.0,
            bins: vec![BinSum::default(); binner.len()],
        })
    }

    fn add(&mut self, index: usize) {
        let (outcome, bin) = self.samples[index];
        self.correct += u64::from(outcome.correct);
        self.nll += outcome.nll;
        self.brier += outcome.brier;
        self.bins[bin].add(outcome.confidence, outcome.correct);
    }

    /// The figures of what was added since the last call.
    fn take(&mut self) -> Figures {
        let n = self.samples.len() as f64;
        let ece =
            Reliability::of_bins(self.bins.iter().map(|sum| sum.bin((0.0, 1.0))).collect()).ece();
        let figures = [self.correct as f64 / n, ece, self.nll / n, self.brier / n];
        (self.correct, self.nll, self.brier) = (0, 0.0, 0.0);
        self.bins.fill(BinSum::default());
        figures
    }
}

fn draw<const RUNS: usize>(
    mut runs: [Run; RUNS],
    combine: impl Fn([Figures; RUNS]) -> Figures,
    options: &BootstrapOptions,
) -> Result<Intervals> {
    let n = runs[0].samples.len();
    let mut figures = |indices: &mut dyn FnMut(usize) -> usize| {
        for position in 0..n {
            let index = indices(position);
            runs.iter_mut().for_each(|run| run.add(index));
        }
        combine(runs.each_mut().map(Run::take))
    };
    let estimates = figures(&mut |position| position);
    let mut resample = Resample::new(options.seed, n, Stream::Figures);
    let draws: Vec<Figures> = (0..options.resamples)
        .map(|_| figures(&mut |_| resample.draw()))
        .collect();
    let interval = |figure: usize| {
        let values = draws.iter().map(|draw| draw[figure]).collect();
        let [lo, hi] = percentiles(values, options.level);
        Interval {
            estimate: estimates[figure],
            lo,
            hi,
        }
    };
    let [accuracy, ece, nll, brier] = std::array::from_fn(interval);
    Ok(Intervals {
        n: n as u64,
        accuracy,
        ece,
        nll,
        brier,
    })
}

/// The ends between which the middle share `level` of `values` lies.
pub(crate) fn percentiles(mut values: Vec<f64>, level: f64) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    [-1.0, 1.0].map(|side| quantile(&values, 0.5 + 0.5 * side * level))
}

/// Quantile `q` of sorted values, linear between order statistics (Hyndman and Fan 1996, definition 7; numpy's default).
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let position = q * (sorted.len() - 1) as f64;
    let below = (position.floor() as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_linear_between_order_statistics() {
        let sorted = [1.0, 2.0, 4.0];
        let got = [0.0, 0.25, 0.5, 0.75, 1.0].map(|q| quantile(&sorted, q));
        assert_eq!(got, [1.0, 1.5, 2.0, 3.0, 4.0]);
    }
}
