//! Student's t: quantiles for intervals over a few seeds, and probabilities for tests. For which figures they go around, see
//! `estimate`.

use std::f64::consts::PI;

/// The t that holds 95 % of Student's distribution of `degrees` ≥ 1 degrees of freedom between −t and t.
pub fn quantile_95(degrees: usize) -> f64 {
    // The largest is that of one degree of freedom, 12.7.
    let (mut lo, mut hi) = (0.0, 16.0);
    while hi - lo > 1e-13 {
        let middle = f64::midpoint(lo, hi);
        if within(middle, degrees) < 0.95 {
            lo = middle
        } else {
            hi = middle
        }
    }
    f64::midpoint(lo, hi)
}

/// The probability of a t farther from 0 than `t` ≥ 0.
pub fn outside(t: f64, degrees: usize) -> f64 {
    (1.0 - within(t, degrees)).clamp(0.0, 1.0)
}

/// The probability between −t and t (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4): finite sums in cos θ, tan θ = t / √ν.
fn within(t: f64, degrees: usize) -> f64 {
    let theta = (t / (degrees as f64).sqrt()).atan();
    let (sine, cosine) = theta.sin_cos();
    let odd = degrees % 2 == 1;
    let first = if odd { cosine } else { 1.0 };
    let from = if odd { 3 } else { 2 };
    let last = degrees.saturating_sub(2);
    let next = |(sum, term): (f64, f64), k: usize| {
        let term = term * (k - 1) as f64 / k as f64 * cosine * cosine;
        (sum + term, term)
    };
    let (sum, _) = (from..=last).step_by(2).fold((first, first), next);
    match (odd, degrees) {
        (true, 1) => 2.0 / PI * theta,
        (true, _) => 2.0 / PI * (theta + sine * sum),
        (false, _) => sine * sum,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_scipy() {
        // scipy 1.17.1: scipy.stats.t.ppf(0.975, degrees).
        let golden = [
            (1, 12.706204736175),
            (2, 4.302652729749),
            (3, 3.182446305284),
            (4, 2.776445105198),
            (5, 2.570581835636),
            (9, 2.262157162798),
            (10, 2.228138851986),
            (29, 2.045229642133),
            (30, 2.042272456301),
            (100, 1.983971518524),
            (999, 1.962341461133),
        ];
        for (degrees, want) in golden {
            let got = quantile_95(degrees);
            assert!(
                (got - want).abs() < 1e-9,
                "{degrees}: {got}, expected {want}"
            );
        }
    }
}
