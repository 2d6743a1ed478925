//! How sure a fitted temperature is, and whether it helps: it is fitted again on draws of the samples that it was fitted on.

use serde::{Deserialize, Serialize};

use crate::calibrate::{TemperatureFit, TemperatureOptions};
use crate::interval::{Interval, percentiles};
use crate::likelihood_table::LikelihoodTable;
use crate::proper_score::mean_nll;
use crate::resample::{Resample, Stream};
use crate::{BootstrapOptions, Logits, Predictions, Result, Temperature};

/// Percentile intervals of a fitted temperature and of what it gains (Efron 1979), over draws of n of the n samples that it
/// was fitted on.
///
/// Of the draw b, T_b is the temperature that minimises its NLL, and gain_b = NLL(1) − NLL(T_b), **both over all samples as
/// they are and not over the draw**: the samples stand for all images, and a draw for the samples that happened to be at
/// hand. So gain_b says what a temperature fitted on n images does to images that it was not fitted on. Over the draw
/// itself no T_b could lose; and other images than these, a test set say, must not decide whether a temperature is used.
/// A gain is largest at the temperature of the samples themselves: `gain.estimate` is that of the fit, and no draw has more.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemperatureIntervals {
    /// Samples that the temperature was fitted on.
    pub n: u64,
    /// Draws.
    pub resamples: u64,
    /// The temperature.
    pub temperature: Interval,
    /// NLL at T = 1 minus NLL at the temperature, nats.
    pub gain: Interval,
}

impl TemperatureIntervals {
    /// Whether the gain's interval lies above 0.
    pub fn shows_a_gain(&self) -> bool {
        self.gain.lo > 0.0
    }
}

/// The intervals of `fit`, which [`fit_temperature`](crate::fit_temperature) made of `logits` and `labels` with `options`;
/// `bootstrap` says how many draws, from a stream of their own, and at what level.
///
/// ```
/// use rut_metrics::{
///     BootstrapOptions, Logits, TemperatureOptions, bootstrap_temperature, fit_temperature,
/// };
/// # fn main() -> rut_metrics::Result<()> {
/// let options = TemperatureOptions::default();
/// let bootstrap = BootstrapOptions { resamples: 2000, ..BootstrapOptions::default() };
/// // Odds of 9 : 1 of which 3 : 1 are right, on four samples: T = 2 may be chance. On four hundred it is not.
/// for (times, shown) in [(1, false), (100, true)] {
///     let logits = [9f64.ln(), 0.0].repeat(4 * times);
///     let logits = Logits::new(&logits, 2)?;
///     let labels = [0, 0, 0, 1].repeat(times);
///     let fit = fit_temperature(logits, &labels, &options)?;
///     let intervals = bootstrap_temperature(logits, &labels, &fit, &options, &bootstrap)?;
///     assert_eq!(intervals.shows_a_gain(), shown);
///     assert!(intervals.temperature.lo < 2.0 && 2.0 < intervals.temperature.hi);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::LabelCount`](crate::Error::LabelCount), [`Error::Label`](crate::Error::Label) or what the options' checks say.
pub fn bootstrap_temperature(
    logits: Logits<'_>,
    labels: &[u32],
    fit: &TemperatureFit,
    options: &TemperatureOptions,
    bootstrap: &BootstrapOptions,
) -> Result<TemperatureIntervals> {
    bootstrap.check()?;
    Predictions::from(logits).check_labels(labels)?;
    let n = labels.len();
    let nll_at_one = mean_nll(logits, labels, Temperature::ONE);
    let mut table = LikelihoodTable::new(logits, labels, options)?;
    let mut resample = Resample::new(bootstrap.seed, n, Stream::Temperature);
    let mut counts = vec![0.0; n];
    let (mut temperatures, mut gains) = (Vec::new(), Vec::new());
    for _ in 0..bootstrap.resamples {
        counts.fill(0.0);
        for _ in 0..n {
            counts[resample.draw()] += 1.0;
        }
        let lowest = table.lowest(&counts);
        temperatures.push(lowest.map_or(1.0, |lowest| lowest.temperature));
        gains.push(lowest.map_or(0.0, |lowest| nll_at_one - lowest.nll));
    }
    let interval = |estimate: f64, draws: Vec<f64>| {
        let [lo, hi] = percentiles(draws, bootstrap.level);
        Interval { estimate, lo, hi }
    };
    Ok(TemperatureIntervals {
        n: n as u64,
        resamples: bootstrap.resamples as u64,
        temperature: interval(fit.temperature.get(), temperatures),
        gain: interval(nll_at_one - fit.nll_after, gains),
    })
}
