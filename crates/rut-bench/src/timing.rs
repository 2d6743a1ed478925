//! Repeating something and saying how long it took.

use std::time::Instant;

use serde::Serialize;

use crate::error::Result;

/// How often something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Repeats {
    /// Times before the clock counts.
    pub warmup: usize,
    /// Times that count; at least 1.
    pub repeat: usize,
}

/// Median, smallest and largest of several values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Timing {
    /// The middle one; of an even number, the mean of the two middle ones.
    pub median: f64,
    /// The smallest.
    pub minimum: f64,
    /// The largest.
    pub maximum: f64,
}

impl Timing {
    /// Of `values`; zeros where there are none.
    ///
    /// ```
    /// let timing = rut_bench::Timing::of(&[3.0, 1.0, 2.0, 5.0]);
    /// assert_eq!((timing.median, timing.minimum, timing.maximum), (2.5, 1.0, 5.0));
    /// ```
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(0.0);
        let last = sorted.len().saturating_sub(1);
        Self {
            median: (at(last / 2) + at(last.div_ceil(2))) / 2.0,
            minimum: at(0),
            maximum: at(last),
        }
    }

    /// The rates at which `count` things are done in times like these.
    pub fn rates(&self, count: usize) -> Self {
        let rate = |seconds: f64| count as f64 / seconds;
        Self {
            median: rate(self.median),
            minimum: rate(self.maximum),
            maximum: rate(self.minimum),
        }
    }
}

/// Seconds of each repetition of `pass` that counts.
///
/// # Errors
/// Those of `pass`.
pub(super) fn seconds(repeats: Repeats, mut pass: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    for _ in 0..repeats.warmup {
        pass()?;
    }
    let lap = |_| {
        let start = Instant::now();
        pass()?;
        Ok(start.elapsed().as_secs_f64())
    };
    (0..repeats.repeat).map(lap).collect()
}
