//! A figure over several seeds, with what is known of its uncertainty. For which runs go into one,
//! see `study`.

use crate::Interval;
use serde::Serialize;

use crate::student::quantile_95;

/// What an interval allows for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// Variance from drawing images and from training: Student's t over seeds.
    Seeds,
    /// Sampling variance of the test set: bootstrap over its images.
    TestImages,
}

impl Spread {
    /// The name for readers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seeds => "t over seeds",
            Self::TestImages => "bootstrap over test images",
        }
    }
}

/// A mean, and a 95 % interval where there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean over seeds.
    pub mean: f64,
    /// The interval's ends.
    pub interval: Option<(f64, f64)>,
}

impl Estimate {
    /// The mean of `values` with Student's 95 % interval; none over fewer than two values, or over values that do not vary:
    /// where the seed decides nothing, seeds say nothing of uncertainty. `None` without a value.
    pub fn over_seeds(values: &[f64]) -> Option<Self> {
        let n = values.len();
        let mean = mean(values)?;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let interval = (n > 1 && vary(values)).then(|| {
            let error = (squares / (n - 1) as f64 / n as f64).sqrt();
            let half = quantile_95(n - 1) * error;
            (mean - half, mean + half)
        });
        Some(Self { mean, interval })
    }

    /// The mean of bootstrap estimates, and of their ends: how uncertain one seed's figure is by its test images.
    pub fn of_bootstraps(intervals: &[Interval]) -> Option<Self> {
        let of = |part: fn(&Interval) -> f64| mean(&intervals.iter().map(part).collect::<Vec<_>>());
        Some(Self {
            mean: of(|interval| interval.estimate)?,
            interval: Some((of(|interval| interval.lo)?, of(|interval| interval.hi)?)),
        })
    }

    /// One bootstrap interval.
    pub fn of(interval: Interval) -> Self {
        Self {
            mean: interval.estimate,
            interval: Some((interval.lo, interval.hi)),
        }
    }

    /// Whether there is an interval and 0 lies outside, by more than what sums in f64 are off by.
    pub fn excludes_zero(&self) -> bool {
        self.nearest_to_zero().is_some()
    }

    /// Of an interval that excludes 0, the end beside it.
    fn nearest_to_zero(&self) -> Option<f64> {
        let (lo, hi) = self.interval?;
        match (lo >= LEAST, hi <= -LEAST) {
            (true, _) => Some(lo),
            (_, true) => Some(hi),
            _ => None,
        }
    }

    /// How many digits after the point it takes to write it `scale` times as large, from `digits` up, so that an interval that
    /// excludes 0 does not look as if it began there.
    pub fn digits(&self, scale: f64, digits: usize) -> usize {
        let Some(end) = self.nearest_to_zero() else {
            return digits;
        };
        digits_apart(scale * end, digits)
    }

    /// The ends that a picture shows: the mean's own place where there is no interval.
    pub fn ends(&self) -> (f64, f64) {
        self.interval.unwrap_or((self.mean, self.mean))
    }
}

/// Whether values, all below 1,000 or so, differ by more than what sums and quotients in f64 are off by.
pub(crate) fn vary(values: &[f64]) -> bool {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most - least > 1e-12
}

/// An end nearer to 0 than this is 0: a ten-millionth of a share is no image, and sums in f64 are off by less.
const LEAST: f64 = 1e-7;

/// The least digits after the point, from `digits` up, with which `end` is not written as 0: the end of an interval that
/// excludes 0 must not look as if it did not.
///
/// ```
/// use rut_metrics::digits_apart;
/// assert_eq!(digits_apart(0.12, 1), 1);
/// assert_eq!(digits_apart(-0.004, 1), 3);
/// assert_eq!(digits_apart(0.0, 1), 1);
/// ```
pub fn digits_apart(end: f64, digits: usize) -> usize {
    let seen = |digits: &usize| {
        let text = format!("{end:.digits$}");
        text.chars().any(|c| matches!(c, '1'..='9'))
    };
    (digits..=digits + 5).find(seen).unwrap_or(digits)
}

/// The mean, or `None` without a value.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_seeds_have_students_interval() {
        // By hand: mean 0.8, deviation 0.02, error 0.02 / √3, t of two degrees of freedom 4.302653.
        let got = Estimate::over_seeds(&[0.78, 0.8, 0.82]).unwrap();
        let (lo, hi) = got.interval.unwrap();
        assert!((got.mean - 0.8).abs() < 1e-12);
        assert!((hi - 0.8 - 0.049_682_8).abs() < 1e-6, "{hi}");
        assert!((lo + hi - 1.6).abs() < 1e-12);
        // scipy 1.17.1: t.interval(0.95, 3, loc=-0.5, scale=sem([-1, 0.5, -0.75, -0.75])).
        let got = Estimate::over_seeds(&[-1.0, 0.5, -0.75, -0.75]).unwrap();
        let (lo, hi) = got.interval.unwrap();
        assert!(
            (lo + 1.577263166867).abs() < 1e-9 && (hi - 0.577263166867).abs() < 1e-9,
            "{lo} {hi}"
        );
        assert!(!got.excludes_zero());
    }

    #[test]
    fn one_seed_and_seeds_that_decide_nothing_have_no_interval() {
        assert_eq!(Estimate::over_seeds(&[]), None);
        for values in [&[0.5][..], &[0.1 + 0.2, 0.1 + 0.2, 0.1 + 0.2]] {
            let got = Estimate::over_seeds(values).unwrap();
            assert_eq!(got.interval, None);
            assert!(!got.excludes_zero());
        }
    }

    #[test]
    fn an_interval_that_touches_zero_shows_nothing() {
        let of = |lo, hi| Estimate {
            mean: 0.0,
            interval: Some((lo, hi)),
        };
        assert!(of(1e-6, 1.0).excludes_zero() && of(-1.0, -1e-6).excludes_zero());
        assert!(!of(1e-12, 1.0).excludes_zero() && !of(-1.0, -1e-12).excludes_zero());
        assert!(!of(0.0, 1.0).excludes_zero() && !of(-1.0, 1.0).excludes_zero());
        assert_eq!(of(4e-6, 1.0).digits(100.0, 1), 4);
        assert_eq!(
            (
                of(-1.0, -0.03).digits(1.0, 2),
                of(-1.0, 1e-6).digits(1.0, 2)
            ),
            (2, 2)
        );
    }
}
