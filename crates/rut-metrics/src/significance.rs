//! How surprising differences are if there were none: Student's t test of paired values, and Holm's adjustment for many of them.

use crate::estimate::vary;
use crate::student::outside;

/// The two-sided p-value of Student's t test that `values`, the differences of pairs, have the mean 0. It is below 0.05 where the
/// 95 % interval of [`Estimate::over_seeds`](crate::Estimate::over_seeds) excludes 0. `None` over fewer than two values, and over
/// values that do not vary.
///
/// ```
/// // scipy 1.17.1: ttest_1samp([-1, 0.5, -0.75, -0.75], 0).
/// let p = rut_metrics::t_test(&[-1.0, 0.5, -0.75, -0.75]).unwrap();
/// assert!((p - 0.236153677386641).abs() < 1e-12);
/// ```
pub fn t_test(values: &[f64]) -> Option<f64> {
    let n = values.len();
    if n < 2 || !vary(values) {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let error = (squares / (n - 1) as f64 / n as f64).sqrt();
    Some(outside(mean.abs() / error, n - 1))
}

/// The p-values of a family of tests, adjusted by the step-down rule of Holm (1979), in the same order: to call a difference real
/// where the adjusted p-value is below 0.05 is wrong for any difference of the family with a probability of at most 5 %, whatever
/// depends on what. A value that is not a number counts as 1.
///
/// ```
/// // statsmodels 0.15.0: multipletests([0.01, 0.04, 0.03, 0.005], method="holm").
/// let adjusted = rut_metrics::holm(&[0.01, 0.04, 0.03, 0.005]);
/// assert_eq!(adjusted, [0.03, 0.06, 0.06, 0.02]);
/// ```
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let p = |at: usize| p_values.get(at).filter(|p| !p.is_nan()).map_or(1.0, |p| *p);
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p(*a).total_cmp(&p(*b)));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, at) in order.into_iter().enumerate() {
        let left = (p_values.len() - rank) as f64;
        largest = largest.max((left * p(at)).min(1.0));
        if let Some(place) = adjusted.get_mut(at) {
            *place = largest;
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Estimate;

    #[test]
    fn p_values_are_those_of_scipy() {
        // scipy 1.17.1: ttest_1samp(values, 0).pvalue.
        let golden: [(&[f64], f64); 4] = [
            (&[0.01, 0.02, 0.015, 0.03, 0.005], 0.020475874420910683),
            (&[-1.0, 0.5, -0.75, -0.75], 0.236153677386641),
            (&[0.1, 0.11], 0.030292344376736263),
            (&[0.0, 0.0, 1.0, -1.0], 1.0),
        ];
        for (values, want) in golden {
            let got = t_test(values).unwrap();
            assert!((got - want).abs() < 1e-9, "{values:?}: {got}, not {want}");
        }
        // Two images of 239 in both seeds: a difference of the last bits is none.
        let equal = [100.0 / 239.0 - 98.0 / 239.0, 102.0 / 239.0 - 100.0 / 239.0];
        assert_ne!(equal[0], equal[1]);
        for none in [&[][..], &[1.0], &[0.5, 0.5, 0.5], &equal] {
            assert_eq!(t_test(none), None);
        }
        // Never below 0, however clear.
        let clear = t_test(&[1.0, 1.001, 0.999, 1.0005, 1.0002, 0.9998]).unwrap();
        assert!((0.0..1e-14).contains(&clear), "{clear}");
    }

    #[test]
    fn a_p_value_below_a_twentieth_is_an_interval_without_zero() {
        for middle in 0..60 {
            let middle = f64::from(middle) * 0.05;
            let values = [middle - 1.0, middle + 0.25, middle + 0.75, middle, middle];
            let clear = Estimate::over_seeds(&values).unwrap().excludes_zero();
            assert_eq!(clear, t_test(&values).unwrap() < 0.05, "{middle}");
        }
    }

    #[test]
    fn adjusted_values_are_those_of_statsmodels() {
        // statsmodels 0.15.0: multipletests(values, method="holm")[1].
        let golden: [(&[f64], &[f64]); 4] = [
            (
                &[0.5, 0.02, 0.9, 0.02, 0.013],
                &[1.0, 0.08, 1.0, 0.08, 0.065],
            ),
            (&[0.2], &[0.2]),
            (&[1.0, 0.6], &[1.0, 1.0]),
            (&[], &[]),
        ];
        for (values, want) in golden {
            assert_eq!(holm(values), want);
        }
        assert_eq!(holm(&[f64::NAN, 0.01]), [1.0, 0.02]);
    }
}
