//! The negative log-likelihood of every sample as a function of the inverse temperature, tabulated: what a temperature
//! fitted again and again on other draws of the same samples needs. Which draws, `temperature_intervals` says.
//!
//! With s the logits of a sample, y its label and β = 1 / T, its NLL is ℓ(β) = ln Σ exp(β s) − β s_y, with
//! ℓ′(β) = E[s] − s_y and ℓ″(β) = Var[s] under softmax(β s). ℓ is convex, so the sum over any draw has one minimum.

use crate::calibrate::TemperatureOptions;
use crate::{Logits, Result, Temperature};

/// Nodes are the ends of so many cells of equal width in ln β. In one, a cubic through slopes and bends, and a quintic
/// through values, are wrong by far less than what draws differ by.
const CELLS: usize = 512;

/// Nodes between the bounds of a temperature, each computed when it is first asked for.
pub(crate) struct LikelihoodTable<'a> {
    logits: Logits<'a>,
    labels: &'a [u32],
    /// Inverse temperatures, rising.
    betas: Vec<f64>,
    nodes: Vec<Option<Node>>,
}

/// All samples at one inverse temperature.
struct Node {
    /// Mean NLL, and its first and second derivative.
    mean: [f64; 3],
    /// ℓ′ of every sample.
    slopes: Vec<f64>,
    /// ℓ″ of every sample.
    bends: Vec<f64>,
}

/// Where the NLL of a draw is lowest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lowest {
    /// The temperature.
    pub(crate) temperature: f64,
    /// Mean NLL at it of all samples as they are, not of the draw.
    pub(crate) nll: f64,
}

impl<'a> LikelihoodTable<'a> {
    /// Of `logits` and `labels`, which must have been checked, between the bounds of `options`.
    pub(crate) fn new(
        logits: Logits<'a>,
        labels: &'a [u32],
        options: &TemperatureOptions,
    ) -> Result<Self> {
        options.check()?;
        let (lo, hi) = (-options.hi.ln(), -options.lo.ln());
        let beta = |at: usize| match at {
            0 => 1.0 / options.hi,
            CELLS => 1.0 / options.lo,
            at => (lo + (hi - lo) * at as f64 / CELLS as f64).exp(),
        };
        Ok(Self {
            logits: logits.at_temperature(Temperature::ONE),
            labels,
            betas: (0..=CELLS).map(beta).collect(),
            nodes: (0..=CELLS).map(|_| None).collect(),
        })
    }

    /// The minimum over a draw that holds every sample as often as `counts` says: at a bound where it lies there or beyond,
    /// and none where the temperature changes nothing.
    pub(crate) fn lowest(&mut self, counts: &[f64]) -> Option<Lowest> {
        let mut slope = |at| dot(&self.node(at).slopes, counts);
        let (first, last) = (slope(0), slope(CELLS));
        match (first >= 0.0, last <= 0.0) {
            (true, true) => None,
            (true, false) => Some(self.at(0)),
            (false, true) => Some(self.at(CELLS)),
            (false, false) => Some(self.inside(counts, [first, last])),
        }
    }

    /// The minimum over a draw whose slopes at the bounds are `ends`, one below and one above 0.
    fn inside(&mut self, counts: &[f64], ends: [f64; 2]) -> Lowest {
        // Slopes rise with β: halve the cells down to the one where they cross 0.
        let (mut below, mut above) = ((0, ends[0]), (CELLS, ends[1]));
        while above.0 - below.0 > 1 {
            let middle = (below.0 + above.0) / 2;
            let found = dot(&self.node(middle).slopes, counts);
            if found > 0.0 {
                above = (middle, found)
            } else {
                below = (middle, found)
            }
        }
        self.within(below.0, counts, [below.1, above.1])
    }

    /// The minimum in the cell from the node `at`, at whose ends the draw's slopes are `slopes`.
    fn within(&mut self, at: usize, counts: &[f64], slopes: [f64; 2]) -> Lowest {
        let width = self.betas[at + 1] - self.betas[at];
        let bends = [at, at + 1].map(|at| width * dot(&self.node(at).bends, counts));
        let share = root(slopes, bends);
        let ends = [at, at + 1].map(|at| {
            let [value, slope, bend] = self.node(at).mean;
            [value, width * slope, width * width * bend]
        });
        Lowest {
            temperature: 1.0 / (self.betas[at] + share * width),
            nll: quintic(ends, share),
        }
    }

    /// All samples at the node `at`.
    fn at(&mut self, at: usize) -> Lowest {
        Lowest {
            temperature: 1.0 / self.betas[at],
            nll: self.node(at).mean[0],
        }
    }

    fn node(&mut self, at: usize) -> &Node {
        let (logits, labels, beta) = (self.logits, self.labels, self.betas[at]);
        self.nodes[at].get_or_insert_with(|| Node::new(logits, labels, beta))
    }
}

impl Node {
    fn new(logits: Logits<'_>, labels: &[u32], beta: f64) -> Self {
        let n = labels.len();
        let (mut slopes, mut bends) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let mut row = vec![0.0; logits.classes];
        let mut nll = 0.0;
        for (index, &label) in labels.iter().enumerate() {
            logits.values.copy_to(index * row.len(), &mut row);
            let moments = Moments::of(&row, beta);
            let own = row[label as usize] - moments.max;
            nll += moments.sum.ln() - beta * own;
            slopes.push(moments.mean - own);
            bends.push(moments.variance);
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / n as f64;
        Self {
            mean: [nll / n as f64, mean(&slopes), mean(&bends)],
            slopes,
            bends,
        }
    }
}

/// The logits of a sample under their own softmax, less the largest.
struct Moments {
    max: f64,
    sum: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    fn of(row: &[f64], beta: f64) -> Self {
        let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let [mut sum, mut first, mut second] = [0.0; 3];
        for value in row {
            let below = value - max;
            let weight = (beta * below).exp();
            // What weighs nothing may be so far below that its square is infinite.
            if weight > 0.0 {
                sum += weight;
                first += weight * below;
                second += weight * below * below;
            }
        }
        let mean = first / sum;
        Self {
            max,
            sum,
            mean,
            variance: (second / sum - mean * mean).max(0.0),
        }
    }
}

/// Σ a b, in eight sums side by side: always in this order.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a
        .remainder()
        .iter()
        .zip(b.remainder())
        .map(|(a, b)| a * b)
        .sum();
    let mut sums = [0.0; 8];
    for (a, b) in a.zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    rest + sums.iter().sum::<f64>()
}

/// Where in 0..1 the cubic with `values` (at most 0, more than 0) and derivatives `slopes` at its ends crosses 0.
fn root(values: [f64; 2], slopes: [f64; 2]) -> f64 {
    let [a, b] = values;
    let cubic = |t: f64| {
        let u = 1.0 - t;
        u * u * ((1.0 + 2.0 * t) * a + t * slopes[0])
            + t * t * ((1.0 + 2.0 * u) * b - u * slopes[1])
    };
    let (mut lo, mut hi) = (0.0, 1.0);
    // Halves down to the last bit of a share of a cell.
    for _ in 0..52 {
        let middle = 0.5 * (lo + hi);
        if cubic(middle) > 0.0 {
            hi = middle
        } else {
            lo = middle
        }
    }
    0.5 * (lo + hi)
}

/// The quintic with value, first and second derivative `ends` at 0 and 1, at `t`.
fn quintic(ends: [[f64; 3]; 2], t: f64) -> f64 {
    let half = |[value, slope, bend]: [f64; 3], t: f64| {
        let u = 1.0 - t;
        u.powi(3)
            * (value * (1.0 + 3.0 * t + 6.0 * t * t)
                + slope * t * (1.0 + 3.0 * t)
                + 0.5 * bend * t * t)
    };
    let [first, [value, slope, bend]] = ends;
    half(first, t) + half([value, -slope, bend], 1.0 - t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cubics_and_quintics_are_exact() {
        // (t + 1)³ − 2 and (t − 2)⁵ and their derivatives at 0 and 1.
        assert!((root([-1.0, 6.0], [3.0, 12.0]) - (2f64.cbrt() - 1.0)).abs() < 1e-15);
        let ends = [[-32.0, 80.0, -160.0], [-1.0, 5.0, -20.0]];
        assert!((quintic(ends, 0.25) - (-1.75f64).powi(5)).abs() < 1e-13);
    }

    #[test]
    fn sums_have_all_terms() {
        let ones = vec![1.0; 19];
        let counted: Vec<f64> = (0..19).map(f64::from).collect();
        assert_eq!(dot(&ones, &counted), 171.0);
    }
}
