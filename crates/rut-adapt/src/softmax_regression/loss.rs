//! Softmax, cross-entropy and its gradient, in one pass over the logits and in place.

use super::normal;
use crate::loss::Scored;

/// What a batch's rows scored under one head.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RowScore {
    /// Cross-entropy, nats.
    loss: f64,
    /// Whether the largest logit (the first of several) is the label's.
    hit: bool,
}

/// Turns `logits` of one row and head into the gradient of `scale` times their cross-entropy.
pub(super) fn row_gradient(logits: &mut [f32], label: usize, scale: f32) -> RowScore {
    let (mut best, mut largest) = (0, f32::NEG_INFINITY);
    for (class, &logit) in logits.iter().enumerate() {
        if logit > largest {
            (best, largest) = (class, logit);
        }
    }
    let own = logits[label] - largest;
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        *logit = (*logit - largest).exp();
        sum += *logit;
    }
    let factor = scale / sum;
    for value in logits.iter_mut() {
        *value = normal(*value * factor);
    }
    logits[label] -= scale;
    RowScore {
        loss: f64::from(sum).ln() - f64::from(own),
        hit: best == label,
    }
}

/// Mean loss and hits over a batch, one row after the other; `rows` are one head's.
pub(super) fn mean<'a>(rows: impl Iterator<Item = &'a RowScore>) -> Scored {
    let (mut loss, mut correct, mut count) = (0.0, 0, 0);
    for row in rows {
        loss += row.loss;
        correct += usize::from(row.hit);
        count += 1;
    }
    Scored {
        loss: loss / f64::from(count.max(1)),
        correct,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes: p = 1/(1 + e⁻²) of the first.
    #[test]
    fn a_row_s_loss_and_gradient_are_those_of_the_formula() {
        let mut logits = [3.0, 1.0];
        let score = row_gradient(&mut logits, 1, 0.5);
        let p = 1.0 / (1.0 + (-2f64).exp());
        assert!((score.loss + (1.0 - p).ln()).abs() < 1e-7 && !score.hit);
        assert!((f64::from(logits[0]) - 0.5 * p).abs() < 1e-7);
        assert!((f64::from(logits[1]) + 0.5 * p).abs() < 1e-7);
    }

    #[test]
    fn no_logit_is_too_large_and_no_number_stays_none() {
        let mut logits = [1e30, -1e30];
        assert_eq!(row_gradient(&mut logits, 0, 1.0).loss, 0.0);
        for poison in [f32::NAN, f32::INFINITY] {
            let mut logits = [poison, 0.0];
            assert!(!row_gradient(&mut logits, 1, 1.0).loss.is_finite());
        }
    }

    #[test]
    fn a_mean_is_over_the_rows() {
        let row = |loss, hit| RowScore { loss, hit };
        let scored = mean([row(1.0, true), row(2.0, false)].iter());
        assert_eq!((scored.loss, scored.correct), (1.5, 1));
        assert_eq!(mean([].iter()).correct, 0);
    }
}
