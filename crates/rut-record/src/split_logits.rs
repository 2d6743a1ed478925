//! Logits of a whole split, and the few scores that a loop reports while it runs.

use rut_metrics::{Accumulator, Logits};

/// Logits of a whole split.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitLogits {
    /// [n, classes], row-major.
    pub values: Vec<f32>,
    /// `[n]`, below `classes`.
    pub labels: Vec<u32>,
    /// Number of classes.
    pub classes: usize,
}

/// The scores of a split that a loop reports while it trains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    /// Share of right predictions, 0–1.
    pub accuracy: f64,
    /// Mean negative log-likelihood, nats.
    pub nll: f64,
    /// Expected calibration error, 15 equal-width bins, 0–1.
    pub ece: f64,
}

impl SplitLogits {
    /// Accuracy, NLL and ECE.
    ///
    /// # Errors
    /// If a logit is not finite.
    pub fn scores(&self) -> rut_metrics::Result<Scores> {
        let mut accumulator = Accumulator::new(self.classes)?;
        accumulator.push(Logits::new(&self.values, self.classes)?, &self.labels)?;
        let summary = accumulator.finish()?;
        Ok(Scores {
            accuracy: summary.accuracy,
            nll: summary.nll,
            ece: summary.ece,
        })
    }
}
