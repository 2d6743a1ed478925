//! A split's logits as figures: every metric at T = 1 and at the fitted temperature, with intervals. For
//! the formulas, see `rut-metrics`.

use std::fmt;

use rut_metrics::{
    BootstrapOptions, Intervals, Logits, Minimum, Outcomes, Summary, Temperature, TemperatureFit,
    TemperatureIntervals, TemperatureOptions, bootstrap, bootstrap_temperature, fit_temperature,
};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::split_logits::SplitLogits;

/// Figures of one split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitScores {
    /// All metrics of the logits as they are.
    pub raw: Summary,
    /// 95 % bootstrap intervals of raw figures, over the split's images.
    pub intervals: Intervals,
    /// All metrics at the temperature fitted on the validation images; `None` without any.
    pub at_temperature: Option<Summary>,
}

/// How often a temperature is fitted again to see how sure it is.
const REFITS: usize = 2000;

/// The temperature that minimises the NLL of `logits` (Guo et al. 2017, section 4.2), and the bootstrap's 95 % intervals of it
/// and of what it gains, over the same samples.
///
/// # Errors
/// [`rut_metrics::Error`] for labels that do not go with the logits.
pub fn temperature_of(
    logits: Logits<'_>,
    labels: &[u32],
) -> rut_metrics::Result<(TemperatureFit, TemperatureIntervals)> {
    let options = TemperatureOptions::default();
    let bootstrap = BootstrapOptions {
        resamples: REFITS,
        ..BootstrapOptions::default()
    };
    let fit = fit_temperature(logits, labels, &options)?;
    let intervals = bootstrap_temperature(logits, labels, &fit, &options, &bootstrap)?;
    Ok((fit, intervals))
}

/// The same of validation logits.
///
/// # Errors
/// If a logit is not finite.
pub fn temperature(validation: &SplitLogits) -> Result<(TemperatureFit, TemperatureIntervals)> {
    let fit = || {
        let logits = Logits::new(&validation.values, validation.classes)?;
        temperature_of(logits, &validation.labels)
    };
    fit().map_err(unscored("validation"))
}

/// Why the figures at a fitted temperature are not to be led with, but those at T = 1. Its words are for readers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Doubt {
    /// The NLL falls up to a bound of the search, or the temperature changes nothing.
    NoMinimum(TemperatureFit),
    /// The interval of its gain does not lie above 0.
    NoGain(TemperatureFit, TemperatureIntervals),
}

impl Doubt {
    /// Of `fit`, if there is one and it is in doubt. Records of earlier versions have no `intervals`: only what `fit` itself
    /// shows is known of those.
    pub fn of(
        fit: Option<&TemperatureFit>,
        intervals: Option<&TemperatureIntervals>,
    ) -> Option<Self> {
        let fit = fit?;
        if fit.minimum != Minimum::Inside {
            return Some(Self::NoMinimum(*fit));
        }
        let intervals = intervals.filter(|intervals| !intervals.shows_a_gain())?;
        Some(Self::NoGain(*fit, *intervals))
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMinimum(fit) => {
                let t = fit.temperature.get();
                let why = match fit.minimum {
                    Minimum::Flat => "changes nothing on the images that it was fitted on",
                    _ => "lies at a bound of its search",
                };
                write!(f, "T = {t:.3} {why}")
            }
            Self::NoGain(
                fit,
                TemperatureIntervals {
                    n,
                    temperature,
                    gain,
                    ..
                },
            ) => write!(
                f,
                "T = {:.3} is not shown to help: fitted again on draws of its {n} images, T is {:.3} to {:.3} and the NLL \
                 falls by {:.4} to {:.4} (95 %)",
                fit.temperature.get(),
                temperature.lo,
                temperature.hi,
                gain.lo,
                gain.hi,
            ),
        }?;
        f.write_str("; read the figures at T = 1")
    }
}

/// Figures of `logits`, at `temperature` too if there is one. `what` names the split in errors.
///
/// # Errors
/// If a logit is not finite, or there are none.
pub fn score(
    logits: &SplitLogits,
    temperature: Option<Temperature>,
    what: &str,
) -> Result<SplitScores> {
    let score = || {
        let raw = Logits::new(&logits.values, logits.classes)?;
        let at = temperature
            .map(|temperature| Summary::of(raw.at_temperature(temperature), &logits.labels))
            .transpose()?;
        let intervals = bootstrap(
            &Outcomes::of(raw, &logits.labels)?,
            &BootstrapOptions::default(),
        )?;
        Ok(SplitScores {
            raw: Summary::of(raw, &logits.labels)?,
            intervals,
            at_temperature: at,
        })
    };
    score().map_err(unscored(what))
}

fn unscored(what: &str) -> impl FnOnce(rut_metrics::Error) -> Error {
    let what = format!("the {what} logits");
    move |source| Error::Metrics { what, source }
}
