//! Comparison of numbers with a named tolerance; a failure prints the worst element.

/// How far a number may be from what it should be: `abs` + `rel` · the largest magnitude expected.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    pub abs: f64,
    pub rel: f64,
}

impl Tolerance {
    pub const EXACT: Self = Self { abs: 0.0, rel: 0.0 };

    pub const fn rel(rel: f64) -> Self {
        Self { abs: 0.0, rel }
    }
}

/// Panics with the worst index where an element is too far off; gives the largest error relative to the largest
/// magnitude.
pub fn assert_close(what: &str, got: &[f64], want: &[f64], tolerance: Tolerance) -> f64 {
    assert_eq!(got.len(), want.len(), "{what}: number of elements");
    let largest = want.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    let error = |i: usize| {
        if got[i] == want[i] {
            0.0
        } else {
            (got[i] - want[i]).abs()
        }
    };
    let worst = (0..got.len())
        .max_by(|&a, &b| error(a).total_cmp(&error(b)))
        .unwrap_or(0);
    let limit = tolerance.abs + tolerance.rel * largest;
    assert!(
        error(worst) <= limit,
        "{what}: worst at {worst}: got {}, want {}, error {:e} above {limit:e} (largest magnitude {largest:e})",
        got[worst],
        want[worst],
        error(worst),
    );
    error(worst) / largest
}

/// Euclidean norm of a − b relative to that of b.
pub fn relative_l2(a: &[f64], b: &[f64]) -> f64 {
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|v| v * v).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
}
