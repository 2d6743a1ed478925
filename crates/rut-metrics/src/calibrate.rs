//! Temperature scaling: the one scalar that lowers the negative log-likelihood most. What it is fitted on must not be the
//! set it is judged on.

use serde::{Deserialize, Serialize};

use crate::brent::{self, minimize};
use crate::proper_score::mean_nll;
use crate::{Error, Logits, Predictions, Result, Temperature};

/// Most evaluations of the likelihood: twice what golden sections alone need for the widest bracket.
const MOST_EVALUATIONS: usize = 200;

/// Where to look for the temperature, and how closely.
///
/// ```
/// use rut_metrics::TemperatureOptions;
/// assert!(TemperatureOptions::default().check().is_ok());
/// assert!(TemperatureOptions { lo: 2.0, hi: 1.0, ..Default::default() }.check().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemperatureOptions {
    /// Lower bound, at least 1e-6.
    pub lo: f64,
    /// Upper bound, above `lo`, at most 1e6.
    pub hi: f64,
    /// Width in ln T at which the search stops, in [1e-12, 0.1]. Below 1e-8 rounding in the likelihood decides.
    pub tolerance: f64,
}

impl Default for TemperatureOptions {
    /// T in [0.01, 100], to 1e-8 in ln T.
    fn default() -> Self {
        Self {
            lo: 0.01,
            hi: 100.0,
            tolerance: 1e-8,
        }
    }
}

impl TemperatureOptions {
    /// Whether the bounds and the tolerance are in their ranges.
    ///
    /// # Errors
    ///
    /// [`Error::Option`].
    pub fn check(&self) -> Result<()> {
        let lo = Temperature::new(self.lo)
            .map_err(|_| out_of_range("lo", "finite in [1e-6, 1e6]", self.lo))?;
        let hi = Temperature::new(self.hi)
            .map_err(|_| out_of_range("hi", "finite in [1e-6, 1e6]", self.hi))?;
        if lo >= hi {
            return Err(out_of_range("hi", "more than lo", self.hi));
        }
        if !(1e-12..=0.1).contains(&self.tolerance) {
            return Err(out_of_range(
                "tolerance",
                "finite in [1e-12, 0.1]",
                self.tolerance,
            ));
        }
        Ok(())
    }
}

/// Where in its bracket the minimum of the likelihood lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Minimum {
    /// Between the bounds, as it should.
    Inside,
    /// At the lower bound or below, as where every sample is right, or where logits differ by little.
    AtLower,
    /// At the upper bound or above: the logits are worse than saying nothing.
    AtUpper,
    /// Nowhere: all logits of each row are equal, or there is one class. The temperature is left at 1.
    Flat,
}

/// A fitted temperature, beside the raw figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemperatureFit {
    /// The minimiser, or the bound that `minimum` names.
    pub temperature: Temperature,
    /// Whether it is a minimum at all.
    pub minimum: Minimum,
    /// Mean negative log-likelihood of the logits as given, in nats.
    pub nll_before: f64,
    /// The same at `temperature`, in nats.
    pub nll_after: f64,
    /// Passes over the logits.
    pub evaluations: usize,
}

/// The T that minimises the mean negative log-likelihood of softmax(logits / T) on `labels: [n]` (Guo et al. 2017, section
/// 4.2), by Brent's search in ln T. The likelihood is convex in 1 / T, so there is one minimum. A temperature that `logits`
/// already have is replaced, not multiplied.
///
/// ```
/// use rut_metrics::{Logits, Minimum, TemperatureOptions, fit_temperature};
/// # fn main() -> rut_metrics::Result<()> {
/// // Three of four are right, so 3 : 1 are the right odds; the logits say 9 : 1, which is twice too much in logarithms.
/// let logits = [9f64.ln(), 0.0].repeat(4);
/// let fit = fit_temperature(Logits::new(&logits, 2)?, &[0, 0, 0, 1], &TemperatureOptions::default())?;
/// assert_eq!(fit.minimum, Minimum::Inside);
/// assert!((fit.temperature.get() - 2.0).abs() < 1e-6);
/// assert!(fit.nll_after < fit.nll_before);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::LabelCount`], [`Error::Label`] or what [`TemperatureOptions::check`] says.
pub fn fit_temperature(
    logits: Logits<'_>,
    labels: &[u32],
    options: &TemperatureOptions,
) -> Result<TemperatureFit> {
    options.check()?;
    Predictions::from(logits).check_labels(labels)?;
    let (lo, hi) = (Temperature::new(options.lo)?, Temperature::new(options.hi)?);
    let nll_at = |log: f64| mean_nll(logits, labels, clamped_exp(log, lo, hi));
    let found = minimize(
        nll_at,
        (options.lo.ln(), options.hi.ln()),
        options.tolerance,
        MOST_EVALUATIONS,
    );
    let at_bounds = [lo, hi].map(|bound| mean_nll(logits, labels, bound));
    let minimum = locate(&found, at_bounds);
    let (temperature, nll_after) = match minimum {
        Minimum::Inside => (clamped_exp(found.x, lo, hi), found.value),
        Minimum::AtLower => (lo, at_bounds[0]),
        Minimum::AtUpper => (hi, at_bounds[1]),
        Minimum::Flat => (Temperature::ONE, found.value),
    };
    let nll_before = mean_nll(logits, labels, logits.temperature);
    Ok(TemperatureFit {
        temperature,
        minimum,
        nll_before,
        nll_after,
        evaluations: found.evaluations + 3,
    })
}

fn locate(found: &brent::Found, [at_lo, at_hi]: [f64; 2]) -> Minimum {
    match (at_lo <= found.value, at_hi <= found.value) {
        (true, true) => Minimum::Flat,
        (true, false) => Minimum::AtLower,
        (false, true) => Minimum::AtUpper,
        (false, false) => Minimum::Inside,
    }
}

/// The temperature of a logarithm between those of the bounds, whatever the rounding.
fn clamped_exp(log: f64, lo: Temperature, hi: Temperature) -> Temperature {
    Temperature::new(log.exp().clamp(lo.get(), hi.get())).unwrap_or(lo)
}

fn out_of_range(field: &'static str, expected: &'static str, found: f64) -> Error {
    Error::Option {
        field,
        expected,
        found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(values: &[f64], labels: &[u32]) -> TemperatureFit {
        let logits = Logits::new(values, 2).unwrap();
        fit_temperature(logits, labels, &TemperatureOptions::default()).unwrap()
    }

    #[test]
    fn all_right_goes_to_the_lower_bound() {
        let fit = fit(&[5.0, 0.0, 0.0, 5.0], &[0, 1]);
        assert_eq!(
            (fit.minimum, fit.temperature.get(), fit.nll_after),
            (Minimum::AtLower, 0.01, 0.0)
        );
    }

    #[test]
    fn all_wrong_goes_to_the_upper_bound() {
        let fit = fit(&[5.0, 0.0, 0.0, 5.0], &[1, 0]);
        assert_eq!(
            (fit.minimum, fit.temperature.get()),
            (Minimum::AtUpper, 100.0)
        );
    }

    #[test]
    fn equal_logits_leave_the_temperature_alone() {
        let fit = fit(&[2.0, 2.0], &[1]);
        assert_eq!(
            (fit.minimum, fit.temperature),
            (Minimum::Flat, Temperature::ONE)
        );
        assert_eq!(fit.nll_before, fit.nll_after);
    }

    #[test]
    fn an_earlier_temperature_is_replaced() {
        let values = [9f64.ln(), 0.0].repeat(4);
        let logits = Logits::new(&values, 2)
            .unwrap()
            .at_temperature(Temperature::new(5.0).unwrap());
        let fit = fit_temperature(logits, &[0, 0, 0, 1], &TemperatureOptions::default()).unwrap();
        assert!((fit.temperature.get() - 2.0).abs() < 1e-6);
    }
}
