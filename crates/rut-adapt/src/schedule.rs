//! The learning rate as a function of epoch and step. It is not an optimiser.

use std::f64::consts::PI;

use rut_record::ScheduleKind;

use crate::error::{Error, Result};

/// The reference's.
const MILESTONES: [f64; 2] = [0.5, 0.72];

/// How a learning rate changes, whatever it is and however long the training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScheduleOptions {
    /// Which schedule.
    pub kind: ScheduleKind,
    /// Steps at the start in which the rate rises.
    pub warmup: u32,
    /// Shares of the training after which `multistep` takes a tenth.
    pub milestones: [f64; 2],
}

impl Default for ScheduleOptions {
    fn default() -> Self {
        Self {
            kind: ScheduleKind::MultiStep,
            warmup: 0,
            milestones: MILESTONES,
        }
    }
}

/// How a learning rate changes over a training.
///
/// ```
/// use rut_adapt::{Schedule, ScheduleKind, ScheduleOptions};
/// let schedule = Schedule { epochs: 100, ..Schedule::new(ScheduleOptions::default(), 0.01)? };
/// assert_eq!(schedule.at(49, 0).learning_rate(), 0.01);
/// assert!((schedule.at(50, 0).learning_rate() - 0.001).abs() < 1e-15);
/// assert!((schedule.at(72, 0).learning_rate() - 0.0001).abs() < 1e-15);
/// let options = ScheduleOptions { kind: ScheduleKind::Cosine, ..ScheduleOptions::default() };
/// let cosine = Schedule { options, ..schedule };
/// assert!((cosine.at(50, 0).learning_rate() - 0.005).abs() < 1e-15);
/// # Ok::<(), rut_adapt::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// Which one.
    pub options: ScheduleOptions,
    /// The learning rate at the start.
    pub initial: f64,
    /// Epochs of the training; at least 1.
    pub epochs: u32,
    /// Steps of the training; at least 1.
    pub steps: u64,
    /// Whether steps are what is given, and the rate of `multistep` and `cosine` falls over them and not over epochs.
    pub by_steps: bool,
}

impl Schedule {
    /// A schedule over one epoch of one step that starts at `initial`.
    ///
    /// # Errors
    /// If the learning rate is not a positive finite number, or a milestone no share.
    pub fn new(options: ScheduleOptions, initial: f64) -> Result<Self> {
        let [first, second] = options.milestones;
        if !(0.0 < first && first <= second && second <= 1.0) {
            return Err(Error::Option {
                field: "milestones",
                expected: "two shares of the training above 0, in order".into(),
                found: format!("{first}, {second}"),
            });
        }
        if !(initial.is_finite() && initial > 0.0) {
            return Err(Error::Option {
                field: "lr",
                expected: "a positive number".into(),
                found: initial.to_string(),
            });
        }
        Ok(Self {
            options,
            initial,
            epochs: 1,
            steps: 1,
            by_steps: false,
        })
    }

    /// Where it is in `epoch`, after `step` steps in all.
    ///
    /// In a warm-up of w steps, the rate of step k = 0, 1, … is (k + 1) / w of the whole. `multistep` is PyTorch's `MultiStepLR`,
    /// ×0.1 at ⌊m·E⌋ epochs of each milestone m (the reference's are 0.5 and 0.72);
    /// `cosine` is ½ (1 + cos(π e / E)) of the first rate in epoch e; `cosine-step` the same of steps.
    pub fn at(&self, epoch: u32, step: u64) -> Rate {
        let warmup = u64::from(self.options.warmup);
        let factor = if step < warmup {
            Factor::Share((step + 1) as f64 / warmup as f64)
        } else {
            self.factor(epoch, step)
        };
        Rate {
            initial: self.initial,
            factor,
        }
    }

    fn factor(&self, epoch: u32, step: u64) -> Factor {
        let cosine = |at: f64, of: f64| Factor::Share(0.5 * (1.0 + (PI * at / of).cos()));
        let warmup = u64::from(self.options.warmup);
        let after = step.saturating_sub(warmup) as f64;
        let steps = self.steps.saturating_sub(warmup).max(1) as f64;
        match self.options.kind {
            ScheduleKind::MultiStep => {
                let (at, length) = if self.by_steps {
                    (step, self.steps)
                } else {
                    (u64::from(epoch), u64::from(self.epochs))
                };
                let milestones = self.options.milestones;
                let milestones = milestones.map(|share| (share * length as f64) as u64);
                Factor::Drops(milestones.iter().filter(|&&drop| at >= drop).count())
            }
            ScheduleKind::Cosine if !self.by_steps => {
                cosine(f64::from(epoch), f64::from(self.epochs))
            }
            ScheduleKind::Cosine | ScheduleKind::CosineStep => cosine(after, steps),
            ScheduleKind::CosineCycling => cosine(after, f64::from(self.epochs)),
        }
    }
}

/// A schedule at one point of a training.
///
/// ```
/// use rut_adapt::{Schedule, ScheduleOptions};
/// let schedule = Schedule { epochs: 100, ..Schedule::new(ScheduleOptions::default(), 0.01)? };
/// let rate = schedule.at(50, 0);
/// assert_eq!((rate.learning_rate(), rate.from(1.0)), (0.001, 0.1));
/// # Ok::<(), rut_adapt::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    initial: f64,
    factor: Factor,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Factor {
    /// ×0.1 so many times.
    Drops(usize),
    /// This share of the whole.
    Share(f64),
}

impl Rate {
    /// The learning rate.
    pub fn learning_rate(self) -> f64 {
        self.from(self.initial)
    }

    /// The rate that the schedule started at.
    pub fn initial(self) -> f64 {
        self.initial
    }

    /// The learning rate of the same schedule, had it started at `initial`. Milestones multiply one by one, as PyTorch's
    /// chained form does.
    pub fn from(self, initial: f64) -> f64 {
        match self.factor {
            Factor::Drops(passed) => (0..passed).fold(initial, |rate, _| rate * 0.1),
            Factor::Share(share) => initial * share,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: ScheduleKind) -> ScheduleOptions {
        ScheduleOptions {
            kind,
            ..ScheduleOptions::default()
        }
    }

    fn rates(kind: ScheduleKind, epochs: u32) -> Vec<f64> {
        let schedule = Schedule {
            epochs,
            steps: u64::from(epochs) * 2,
            ..Schedule::new(of(kind), 1.0).unwrap()
        };
        let rate = |epoch| schedule.at(epoch, u64::from(epoch) * 2).learning_rate();
        (0..epochs).map(rate).collect()
    }

    fn assert_rates(found: &[f64], want: &[f64]) {
        let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
        let same = found.len() == want.len() && found.iter().zip(want).all(near);
        assert!(same, "{found:?} {want:?}");
    }

    /// Rates of every epoch, as PyTorch 2.15's `MultiStepLR` and `CosineAnnealingLR` give them.
    #[test]
    fn rates_are_pytorch_s() {
        let multistep = |epochs| rates(ScheduleKind::MultiStep, epochs);
        assert_rates(&multistep(1), &[0.01]);
        assert_rates(&multistep(2), &[1.0, 0.01]);
        assert_rates(&multistep(3), &[1.0, 0.1, 0.01]);
        let half = std::f64::consts::SQRT_2 / 4.0;
        let cosine = [1.0, 0.5 + half, 0.5, 0.5 - half];
        assert_rates(&rates(ScheduleKind::Cosine, 4), &cosine);
        assert_rates(&rates(ScheduleKind::CosineStep, 4), &cosine);
        let cycling = [1.0, 0.5, 0.0, 0.5];
        assert_rates(&rates(ScheduleKind::CosineCycling, 4), &cycling);
    }

    #[test]
    fn a_warm_up_rises_to_the_whole_rate() {
        let options = ScheduleOptions {
            warmup: 4,
            ..of(ScheduleKind::CosineStep)
        };
        let schedule = Schedule {
            steps: 12,
            ..Schedule::new(options, 40.0).unwrap()
        };
        let at = |step| schedule.at(0, step).learning_rate();
        assert_rates(&[at(0), at(3), at(4), at(8)], &[10.0, 40.0, 40.0, 20.0]);
    }

    #[test]
    fn a_rate_that_is_no_positive_number_is_refused() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = Schedule::new(ScheduleOptions::default(), rate).unwrap_err();
            assert!(error.to_string().contains("lr"));
        }
        for milestones in [[0.0, 0.5], [0.7, 0.5], [0.5, 1.5], [f64::NAN, 0.5]] {
            let options = ScheduleOptions {
                milestones,
                ..ScheduleOptions::default()
            };
            let error = Schedule::new(options, 0.1).unwrap_err();
            assert!(error.to_string().contains("milestones"));
        }
    }
}
