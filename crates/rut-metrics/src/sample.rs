//! One row of predictions against its label: the arithmetic that every metric shares, so that a figure computed alone and
//! the same figure in a summary agree to the bit.

use crate::temperature::Temperature;

/// What one sample contributes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// How many classes are predicted before the true one; 0 for a hit.
    pub(crate) rank: usize,
    /// Largest probability, in [0, 1].
    pub(crate) confidence: f64,
    /// −ln p of the true class, in nats.
    pub(crate) nll: f64,
    /// Σ over classes of (p − one-hot)², in [0, 2].
    pub(crate) brier: f64,
}

impl Sample {
    /// From the logits in `row: [classes]`, which holds the probabilities afterwards.
    pub(crate) fn of_logits(row: &mut [f64], temperature: Temperature, label: usize) -> Self {
        let rank = rank(row, label);
        let nll = softmax(row, temperature, label);
        Self {
            rank,
            confidence: max(row),
            nll,
            brier: brier(row, label),
        }
    }

    /// From the probabilities in `row: [classes]`.
    pub(crate) fn of_probs(row: &[f64], label: usize) -> Self {
        Self {
            rank: rank(row, label),
            confidence: max(row),
            nll: -row[label].ln(),
            brier: brier(row, label),
        }
    }

    /// Whether the true class is the predicted one.
    pub(crate) fn correct(&self) -> bool {
        self.rank == 0
    }
}

/// How many classes come before `label` in the order of falling value, equal values by rising index. 0 exactly where the
/// first maximum is at `label`.
pub(crate) fn rank(row: &[f64], label: usize) -> usize {
    let value = row[label];
    let above = row.iter().filter(|&&other| other > value).count();
    let tied_before = row[..label].iter().filter(|&&other| other == value).count();
    above + tied_before
}

/// −log softmax(row / T) at `label`, in nats; `row` holds the differences to its maximum, over T, afterwards.
pub(crate) fn nll(row: &mut [f64], temperature: Temperature, label: usize) -> f64 {
    shift(row, temperature);
    row.iter().map(|value| value.exp()).sum::<f64>().ln() - row[label]
}

/// Turns `row` into softmax(row / T); returns what [`nll`] would.
fn softmax(row: &mut [f64], temperature: Temperature, label: usize) -> f64 {
    shift(row, temperature);
    let true_class = row[label];
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = value.exp();
        sum += *value;
    }
    for value in row.iter_mut() {
        *value /= sum;
    }
    sum.ln() - true_class
}

/// (row − max) / T: at most 0, so that no exponential overflows and a constant added to the row cancels.
fn shift(row: &mut [f64], temperature: Temperature) {
    let (max, divisor) = (max(row), temperature.get());
    for value in row.iter_mut() {
        *value = (*value - max) / divisor;
    }
}

fn max(row: &[f64]) -> f64 {
    // Not `f64::max`, whose care for NaN costs a branch; the values are finite here.
    row.iter().fold(
        f64::NEG_INFINITY,
        |max, &value| if value > max { value } else { max },
    )
}

fn brier(row: &[f64], label: usize) -> f64 {
    // Not Σp² − 2p + 1, which cancels where the true class has nearly all of the mass.
    let others = |slice: &[f64]| slice.iter().map(|p| p * p).sum::<f64>();
    others(&row[..label]) + others(&row[label + 1..]) + (1.0 - row[label]).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_breaks_ties_by_the_smaller_index() {
        let row = [1.0, 3.0, 3.0, 2.0];
        assert_eq!([0, 1, 2, 3].map(|label| rank(&row, label)), [3, 0, 1, 2]);
    }

    #[test]
    fn softmax_of_logarithms_gives_the_odds() {
        // softmax(ln 1, ln 3, ln 4) = (1, 3, 4) / 8.
        let mut row = [1f64.ln(), 3f64.ln(), 4f64.ln()];
        let sample = Sample::of_logits(&mut row, Temperature::ONE, 1);
        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-15, "{got} {want}");
        close(row[0], 0.125);
        close(row[1], 0.375);
        close(row[2], 0.5);
        close(sample.nll, (8.0f64 / 3.0).ln());
        close(sample.confidence, 0.5);
        close(sample.brier, 0.125 * 0.125 + 0.625 * 0.625 + 0.25);
        assert_eq!(sample.rank, 1);
    }

    #[test]
    fn extreme_logits_stay_finite() {
        let mut row = [1e300, -1e300];
        let sample = Sample::of_logits(&mut row, Temperature::ONE, 1);
        assert_eq!(sample.nll, 2e300);
        assert_eq!(row, [1.0, 0.0]);
    }
}
