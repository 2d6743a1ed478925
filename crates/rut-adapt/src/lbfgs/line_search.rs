//! A step along a direction that meets the strong Wolfe conditions (Nocedal and Wright, algorithms 3.5 and 3.6, with cubic
//! interpolation, equation 3.59). Which direction is the caller's.

use super::dot;
use crate::error::Result;

/// Share of the promised decrease that a step must bring.
const DECREASE: f64 = 1e-4;
/// Share of the slope that may be left.
const CURVATURE: f64 = 0.9;
/// Evaluations after which a search is given up.
const PATIENCE: u32 = 40;

/// The function along a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) step: f64,
    pub(super) value: f64,
    pub(super) slope: f64,
}

/// A line through `x` along `direction`.
pub(super) struct Line<'a, F> {
    x: &'a [f64],
    direction: &'a [f64],
    function: &'a mut F,
    pub(super) evaluations: u32,
    /// Where the function was evaluated last.
    at: Vec<f64>,
    gradient: Vec<f64>,
}

/// A point that was found, its place and its gradient.
pub(super) type Found = Option<(Point, Vec<f64>, Vec<f64>)>;

impl<'a, F: FnMut(&[f64], &mut [f64]) -> Result<f64>> Line<'a, F> {
    pub(super) fn new(x: &'a [f64], direction: &'a [f64], function: &'a mut F) -> Self {
        Self {
            x,
            direction,
            function,
            evaluations: 0,
            at: vec![0.0; x.len()],
            gradient: vec![0.0; x.len()],
        }
    }

    fn evaluate(&mut self, step: f64) -> Result<Point> {
        for ((at, x), d) in self.at.iter_mut().zip(self.x).zip(self.direction) {
            *at = x + step * d;
        }
        self.evaluations += 1;
        let value = (self.function)(&self.at, &mut self.gradient)?;
        let slope = dot(&self.gradient, self.direction);
        Ok(Point { step, value, slope })
    }

    /// A step from `start`, tried first at `first`; `None` if none is found.
    pub(super) fn search(&mut self, start: Point, first: f64) -> Result<Found> {
        let (mut before, mut step) = (start, first);
        while self.evaluations < PATIENCE {
            let now = self.evaluate(step)?;
            let rose = self.evaluations > 1 && now.value > before.value + noise(start);
            // A value that is no number is too far out.
            if !is_lower(now, start) || rose {
                return self.zoom(start, before, now);
            }
            if now.slope.abs() <= -CURVATURE * start.slope {
                return Ok(self.found(now));
            }
            if now.slope >= 0.0 {
                return self.zoom(start, now, before);
            }
            before = now;
            step *= 2.0;
        }
        Ok(None)
    }

    /// A step between `low`, the best so far, and `high`.
    fn zoom(&mut self, start: Point, mut low: Point, mut high: Point) -> Result<Found> {
        while self.evaluations < PATIENCE {
            let now = self.evaluate(between(low, high))?;
            if !is_lower(now, start) || now.value > low.value + noise(start) {
                high = now;
            } else {
                if now.slope.abs() <= -CURVATURE * start.slope {
                    return Ok(self.found(now));
                }
                if now.slope * (high.step - low.step) >= 0.0 {
                    high = low;
                }
                low = now;
            }
            if (high.step - low.step).abs() <= f64::EPSILON * low.step.abs() {
                break;
            }
        }
        // Where rounding hides the rest of the slope, a lower value is still a step.
        if low.step > 0.0 && low.value < start.value + noise(start) {
            let now = self.evaluate(low.step)?;
            return Ok(self.found(now));
        }
        Ok(None)
    }

    fn found(&mut self, point: Point) -> Found {
        let (at, gradient) = (
            std::mem::take(&mut self.at),
            std::mem::take(&mut self.gradient),
        );
        Some((point, at, gradient))
    }
}

/// Whether a step brings the decrease it promised. Near the minimum, where rounding hides it, slopes say so instead (Hager
/// and Zhang 2005, the approximate Wolfe conditions).
fn is_lower(now: Point, start: Point) -> bool {
    now.value <= start.value + DECREASE * now.step * start.slope
        || now.value <= start.value + noise(start)
            && now.slope <= (2.0 * DECREASE - 1.0) * start.slope
}

/// A difference of values that may be rounding.
fn noise(start: Point) -> f64 {
    1e-13 * start.value.abs()
}

/// The minimum of the cubic through both points, or the middle where it lies outside or too near an end.
fn between(a: Point, b: Point) -> f64 {
    let middle = 0.5 * (a.step + b.step);
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.step - b.step);
    let root = (d1 * d1 - a.slope * b.slope).sqrt() * (b.step - a.step).signum();
    let share = (b.slope + root - d1) / (b.slope - a.slope + 2.0 * root);
    let cubic = b.step - (b.step - a.step) * share;
    let width = (b.step - a.step).abs();
    let inside = (cubic - a.step).abs() >= 0.05 * width
        && (cubic - b.step).abs() >= 0.05 * width
        && (cubic - a.step) * (cubic - b.step) < 0.0;
    // A comparison with what is no number is false.
    if inside { cubic } else { middle }
}
