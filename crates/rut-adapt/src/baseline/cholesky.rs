//! Symmetric positive definite systems by Cholesky's factorisation in f64. Every sum has an order of its own: threads change no
//! bit.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::products::double;

/// Columns that are eliminated at once.
const PANEL: usize = 64;

/// A lower triangle L, row by row, with A = L Lᵀ.
pub(super) struct Cholesky {
    lower: Vec<f64>,
    side: usize,
}

impl Cholesky {
    /// Of the matrix whose lower triangle `matrix` [side, side] holds; `None` where it is not positive definite.
    pub(super) fn of(mut matrix: Vec<f64>, side: usize) -> Option<Self> {
        for start in (0..side).step_by(PANEL) {
            let end = (start + PANEL).min(side);
            let (above, below) = matrix.split_at_mut(end * side);
            let panel = &mut above[start * side..];
            for i in 0..end - start {
                let (done, row) = panel.split_at_mut(i * side);
                let row = &mut row[..side];
                eliminate(row, done, start);
                let at = start + i;
                let square = row[at] - dot(&row[..at], &row[..at]);
                // Also refuses what is no number.
                if !(square > 0.0 && square.is_finite()) {
                    return None;
                }
                row[at] = square.sqrt();
            }
            let rows = below.par_chunks_exact_mut(side);
            rows.for_each(|row| eliminate(row, panel, start));
        }
        Some(Self {
            lower: matrix,
            side,
        })
    }

    /// Turns `b` into x with A x = b, for each row of `right` [n, side].
    pub(super) fn solve(&self, right: &mut [f64]) {
        right.par_chunks_exact_mut(self.side).for_each(|b| {
            for (i, row) in self.lower.chunks_exact(self.side).enumerate() {
                b[i] = (b[i] - dot(&row[..i], &b[..i])) / row[i];
            }
            for (i, row) in self.lower.chunks_exact(self.side).enumerate().rev() {
                b[i] /= row[i];
                let (before, from) = b.split_at_mut(i);
                double::add_rows(std::iter::once((-from[0], &row[..i])), before);
            }
        });
    }
}

/// The entries of `row` below those of `panel`, whose first row is that of index `start`.
fn eliminate(row: &mut [f64], panel: &[f64], start: usize) {
    Arch::new().dispatch(Eliminate { row, panel, start });
}

struct Eliminate<'a> {
    row: &'a mut [f64],
    panel: &'a [f64],
    start: usize,
}

impl WithSimd for Eliminate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { row, panel, start } = self;
        for (at, other) in (start..).zip(panel.chunks_exact(row.len())) {
            let sum = double::dot(simd, &row[..at], &other[..at]);
            row[at] = (row[at] - sum) / other[at];
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    Arch::new().dispatch(Dot { a, b })
}

struct Dot<'a> {
    a: &'a [f64],
    b: &'a [f64],
}

impl WithSimd for Dot<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        double::dot(simd, self.a, self.b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Larger than a panel: A = Bᵀ B + I with a solution that is known.
    #[test]
    fn a_solution_solves() {
        let side = 150;
        let b = |i: usize, j: usize| ((i * 31 + j * 17) % 13) as f64 - 6.0;
        let mut matrix = vec![0.0; side * side];
        for i in 0..side {
            for j in 0..side {
                let sum: f64 = (0..7).map(|r| b(r, i) * b(r, j)).sum();
                matrix[i * side + j] = sum + f64::from(u8::from(i == j));
            }
        }
        let solution: Vec<f64> = (0..side).map(|i| (i as f64).sin()).collect();
        let mut right: Vec<f64> = matrix
            .chunks_exact(side)
            .map(|row| row.iter().zip(&solution).map(|(a, x)| a * x).sum())
            .collect();
        Cholesky::of(matrix, side).unwrap().solve(&mut right);
        for (found, want) in right.iter().zip(&solution) {
            assert!((found - want).abs() < 1e-10, "{found} for {want}");
        }
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        assert!(Cholesky::of(vec![1.0, 0.0, 2.0, 1.0], 2).is_none());
        assert!(Cholesky::of(vec![f64::NAN], 1).is_none());
    }
}
