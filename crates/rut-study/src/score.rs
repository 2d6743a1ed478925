//! A split's logits as figures: every metric raw and at the fitted temperature, with intervals. The formulas are
//! `rut-metrics`'.

use rut_adapt::evaluate::SplitLogits;
use rut_metrics::{
    BootstrapOptions, Intervals, Logits, Outcomes, Summary, Temperature, TemperatureFit,
    TemperatureOptions, bootstrap, fit_temperature,
};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

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

/// The temperature that minimises the NLL of validation logits (Guo et al. 2017, section 4.2).
///
/// # Errors
/// If a logit is not finite.
pub fn temperature(validation: &SplitLogits) -> Result<TemperatureFit> {
    let fit = || {
        let logits = Logits::new(&validation.values, validation.classes)?;
        fit_temperature(logits, &validation.labels, &TemperatureOptions::default())
    };
    fit().map_err(unscored("validation"))
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
