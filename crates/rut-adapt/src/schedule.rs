//! The learning rate as a function of the epoch, or of the step where steps are what is given. It is not an optimiser.

use crate::error::{Error, Result};

/// PyTorch's `MultiStepLR` with the reference's milestones: ×0.1 at ⌊0.5·E⌋ and at ⌊0.72·E⌋ epochs.
///
/// ```
/// let schedule = rut_adapt::MultiStep::new(0.01, 100)?;
/// assert_eq!(schedule.learning_rate(49), 0.01);
/// assert!((schedule.learning_rate(50) - 0.001).abs() < 1e-15);
/// assert!((schedule.learning_rate(72) - 0.0001).abs() < 1e-15);
/// # Ok::<(), rut_adapt::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MultiStep {
    initial: f64,
    milestones: [u32; 2],
}

impl MultiStep {
    /// A schedule over `epochs` epochs that starts at `learning_rate`.
    ///
    /// # Errors
    /// If the learning rate is not a positive finite number.
    pub fn new(learning_rate: f64, epochs: u32) -> Result<Self> {
        if !(learning_rate.is_finite() && learning_rate > 0.0) {
            return Err(Error::Option {
                field: "lr",
                expected: "a positive number".into(),
                found: learning_rate.to_string(),
            });
        }
        let at = |share: f64| (share * f64::from(epochs)) as u32;
        Ok(Self {
            initial: learning_rate,
            milestones: [at(0.5), at(0.72)],
        })
    }

    /// The learning rate of `epoch`, counted from 0. Multiplied milestone by milestone, as PyTorch's chained form does.
    pub fn learning_rate(&self, epoch: u32) -> f64 {
        self.at(epoch).learning_rate()
    }

    /// Where the schedule is in `epoch`, counted from 0.
    pub fn at(&self, epoch: u32) -> Rate {
        let passed = self.milestones.iter().filter(|&&at| epoch >= at).count();
        Rate {
            initial: self.initial,
            passed,
        }
    }
}

/// A schedule in one epoch.
///
/// ```
/// let rate = rut_adapt::MultiStep::new(0.01, 100)?.at(50);
/// assert_eq!((rate.learning_rate(), rate.from(1.0)), (0.001, 0.1));
/// # Ok::<(), rut_adapt::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    initial: f64,
    passed: usize,
}

impl Rate {
    /// The learning rate.
    pub fn learning_rate(self) -> f64 {
        self.from(self.initial)
    }

    /// The learning rate of the same schedule, had it started at `initial`.
    pub fn from(self, initial: f64) -> f64 {
        (0..self.passed).fold(initial, |rate, _| rate * 0.1)
    }
}

#[cfg(test)]
mod tests {
    use super::MultiStep;

    /// Rates of every epoch, as PyTorch 2.15's `MultiStepLR` gives them.
    #[test]
    fn short_runs_meet_milestones_at_once_as_in_pytorch() {
        for (epochs, want) in [
            (1, vec![0.01]),
            (2, vec![1.0, 0.01]),
            (3, vec![1.0, 0.1, 0.01]),
        ] {
            let schedule = MultiStep::new(1.0, epochs).unwrap();
            for (epoch, want) in (0..).zip(want) {
                assert!(
                    (schedule.learning_rate(epoch) - want).abs() < 1e-15,
                    "{epochs} epochs, epoch {epoch}"
                );
            }
        }
    }

    #[test]
    fn a_rate_that_is_no_positive_number_is_refused() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(
                MultiStep::new(rate, 10)
                    .unwrap_err()
                    .to_string()
                    .contains("lr")
            );
        }
    }
}
