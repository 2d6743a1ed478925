//! The same in f64. Here, too, every sum has an order of its own that no thread or neighbour changes.

use pulp::{Arch, Simd, WithSimd};

/// `to` = rows · `row`, with `rows` [to, row's length].
pub(crate) fn dots(row: &[f64], rows: &[f64], to: &mut [f64]) {
    Arch::new().dispatch(Dots { row, rows, to });
}

/// `to` += Σ factor · row, one row after the other; rows are as long as `to`.
pub(crate) fn add_rows<'a>(rows: impl Iterator<Item = (f64, &'a [f64])>, to: &mut [f64]) {
    Arch::new().dispatch(AddRows { rows, to });
}

struct Dots<'a> {
    row: &'a [f64],
    rows: &'a [f64],
    to: &'a mut [f64],
}

impl WithSimd for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (to, other) in self
            .to
            .iter_mut()
            .zip(self.rows.chunks_exact(self.row.len()))
        {
            *to = dot(simd, self.row, other);
        }
    }
}

/// Σ a·b, of slices of one length.
#[inline(always)]
pub(crate) fn dot<S: Simd>(simd: S, a: &[f64], b: &[f64]) -> f64 {
    let (a, a_tail) = S::as_simd_f64s(a);
    let (b, b_tail) = S::as_simd_f64s(b);
    let mut sums = [simd.splat_f64s(0.0); 4];
    let (a_parts, a_rest) = a.as_chunks::<4>();
    let (b_parts, b_rest) = b.as_chunks::<4>();
    for (a, b) in a_parts.iter().zip(b_parts) {
        for i in 0..4 {
            sums[i] = simd.mul_add_e_f64s(a[i], b[i], sums[i]);
        }
    }
    for (a, b) in a_rest.iter().zip(b_rest) {
        sums[0] = simd.mul_add_e_f64s(*a, *b, sums[0]);
    }
    let low = simd.add_f64s(sums[0], sums[1]);
    let sum = simd.add_f64s(low, simd.add_f64s(sums[2], sums[3]));
    let tail: f64 = a_tail.iter().zip(b_tail).map(|(a, b)| a * b).sum();
    simd.reduce_sum_f64s(sum) + tail
}

struct AddRows<'to, R> {
    rows: R,
    to: &'to mut [f64],
}

impl<'a, R: Iterator<Item = (f64, &'a [f64])>> WithSimd for AddRows<'_, R> {
    type Output = ();

    /// A plain loop: the compiler turns it into vectors of the instruction set at hand.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (factor, row) in self.rows {
            for (to, value) in self.to.iter_mut().zip(row) {
                *to += factor * value;
            }
        }
    }
}
