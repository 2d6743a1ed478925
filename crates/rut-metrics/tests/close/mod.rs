//! The one comparison of floating-point numbers.

/// How far apart two numbers may be: |got − want| ≤ abs + rel · |want|.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tolerance {
    /// Absolute part.
    pub(crate) abs: f64,
    /// Relative part.
    pub(crate) rel: f64,
}

/// Fails unless every number is within `tolerance`, and then names the worst index.
#[track_caller]
pub(crate) fn assert_close(name: &str, got: &[f64], want: &[f64], tolerance: Tolerance) {
    assert_eq!(got.len(), want.len(), "{name}: numbers of entries");
    let excess = |index: usize| {
        let difference = (got[index] - want[index]).abs();
        if difference.is_nan() {
            f64::INFINITY
        } else {
            difference - tolerance.abs - tolerance.rel * want[index].abs()
        }
    };
    let worst = (0..got.len()).max_by(|&a, &b| excess(a).total_cmp(&excess(b)));
    if let Some(worst) = worst.filter(|&worst| excess(worst) > 0.0) {
        panic!(
            "{name}: worst at index {worst}: got {:e}, want {:e}, {tolerance:?}",
            got[worst], want[worst]
        );
    }
}
