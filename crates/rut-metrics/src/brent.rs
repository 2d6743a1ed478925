//! The minimum of a function of one variable between two bounds, without derivatives (Brent 1973, chapter 5): parabolas
//! where they converge, golden sections where they do not.

/// 1 − 1/φ: the share of an interval that a golden section step goes.
const GOLDEN: f64 = 0.381_966_011_250_105_1;

/// A minimum and what it cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) x: f64,
    pub(crate) value: f64,
    pub(crate) evaluations: usize,
}

/// A point of the search and its value.
#[derive(Debug, Clone, Copy)]
struct Point {
    x: f64,
    value: f64,
}

/// The three lowest points so far and the bracket around them.
struct Search {
    lo: f64,
    hi: f64,
    best: Point,
    second: Point,
    third: Point,
    /// The last two steps: a parabola is trusted while it at least halves the one before the last.
    steps: [f64; 2],
}

/// Searches `lo..hi` down to `tolerance` in x, in at most `limit` evaluations of `f`. For a unimodal `f` the answer is its
/// minimum; the bounds themselves are never evaluated.
pub(crate) fn minimize(
    mut f: impl FnMut(f64) -> f64,
    bounds: (f64, f64),
    tolerance: f64,
    limit: usize,
) -> Found {
    let (lo, hi) = bounds;
    let x = lo + GOLDEN * (hi - lo);
    let first = Point { x, value: f(x) };
    let mut search = Search {
        lo,
        hi,
        best: first,
        second: first,
        third: first,
        steps: [0.0; 2],
    };
    let mut evaluations = 1;
    while evaluations < limit && !search.done(tolerance) {
        let x = search.next(tolerance);
        let value = f(x);
        search.take(Point { x, value });
        evaluations += 1;
    }
    Found {
        x: search.best.x,
        value: search.best.value,
        evaluations,
    }
}

impl Search {
    fn done(&self, tolerance: f64) -> bool {
        let middle = 0.5 * (self.lo + self.hi);
        (self.best.x - middle).abs() <= 2.0 * tolerance - 0.5 * (self.hi - self.lo)
    }

    fn next(&mut self, tolerance: f64) -> f64 {
        let x = self.best.x;
        let step = match self.parabola(tolerance) {
            Some(step) => {
                self.steps = [self.steps[1], step];
                step
            }
            None => {
                let room = if x < 0.5 * (self.lo + self.hi) {
                    self.hi - x
                } else {
                    self.lo - x
                };
                self.steps = [room, GOLDEN * room];
                GOLDEN * room
            }
        };
        // Two points nearer than the tolerance cannot be distinguished.
        if step.abs() >= tolerance {
            x + step
        } else {
            x + tolerance.copysign(step)
        }
    }

    /// The step to the vertex of the parabola through the three points, if it is small enough and inside.
    fn parabola(&self, tolerance: f64) -> Option<f64> {
        let before_last = self.steps[0];
        if before_last.abs() <= tolerance {
            return None;
        }
        let (x, w, v) = (self.best, self.second, self.third);
        let r = (x.x - w.x) * (x.value - v.value);
        let q = (x.x - v.x) * (x.value - w.value);
        let numerator = (x.x - v.x) * q - (x.x - w.x) * r;
        let denominator = 2.0 * (q - r);
        let step = -numerator / denominator;
        let vertex = x.x + step;
        // A denominator of 0 makes the step infinite or NaN, which fails here.
        let usable = step.abs() < 0.5 * before_last.abs() && vertex > self.lo && vertex < self.hi;
        if !usable {
            return None;
        }
        let near_a_bound = vertex - self.lo < 2.0 * tolerance || self.hi - vertex < 2.0 * tolerance;
        let towards_the_middle = tolerance.copysign(0.5 * (self.lo + self.hi) - x.x);
        Some(if near_a_bound {
            towards_the_middle
        } else {
            step
        })
    }

    fn take(&mut self, new: Point) {
        if new.value <= self.best.value {
            let bound = if new.x < self.best.x {
                &mut self.hi
            } else {
                &mut self.lo
            };
            *bound = self.best.x;
            (self.third, self.second, self.best) = (self.second, self.best, new);
            return;
        }
        let bound = if new.x < self.best.x {
            &mut self.lo
        } else {
            &mut self.hi
        };
        *bound = new.x;
        if new.value <= self.second.value || self.second.x == self.best.x {
            (self.third, self.second) = (self.second, new);
        } else if new.value <= self.third.value
            || self.third.x == self.best.x
            || self.third.x == self.second.x
        {
            self.third = new;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_vertex_of_a_parabola_at_once() {
        let found = minimize(|x| (x - 1.25).powi(2), (-5.0, 5.0), 1e-8, 100);
        assert!((found.x - 1.25).abs() < 1e-7, "{found:?}");
        assert!(found.evaluations < 12, "{found:?}");
    }

    #[test]
    fn finds_the_minimum_of_a_skewed_function() {
        // x − ln x has its minimum at 1.
        let found = minimize(|x: f64| x - x.ln(), (0.01, 50.0), 1e-9, 200);
        assert!((found.x - 1.0).abs() < 2e-8, "{found:?}");
        assert!(found.evaluations < 50, "{found:?}");
    }

    #[test]
    fn a_corner_takes_golden_sections() {
        let found = minimize(|x: f64| (x - 0.3).abs(), (0.0, 1.0), 1e-9, 200);
        assert!((found.x - 0.3).abs() < 1e-8, "{found:?}");
    }

    #[test]
    fn a_monotone_function_ends_at_its_bound() {
        let found = minimize(|x| x, (2.0, 3.0), 1e-8, 200);
        assert!(found.x - 2.0 < 1e-7, "{found:?}");
    }
}
