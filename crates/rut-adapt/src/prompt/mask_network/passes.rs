//! Passes over the channels of one image before and after they are normalised, on the widest vectors that the machine has.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::convolution::Plane;
use super::norm::{CHUNK, Chunk, Norm, Partial, Sums};
use crate::prompt::real::Real;

/// Σ z and Σ z² of each channel.
pub(super) struct Moments<'a, T> {
    pub(super) plane: Plane,
    /// [channels, height, width]
    pub(super) convolved: &'a [T],
}

/// Channels that are normalised, and their sides after that.
#[derive(Clone, Copy)]
pub(super) struct Channels<'a, T> {
    pub(super) plane: Plane,
    /// The plane's own, or half of it: the largest of each 2 × 2.
    pub(super) after: Plane,
    pub(super) norms: &'a [Norm<T>],
    /// [channels, height, width]
    pub(super) convolved: &'a [T],
}

/// What ReLU and pooling make of them, padded.
pub(super) struct Activate<'a, T> {
    pub(super) of: Channels<'a, T>,
    pub(super) to: &'a mut [T],
}

/// Σ dy and Σ dy·ẑ of each channel, dy the gradient of what was normalised.
pub(super) struct Slopes<'a, T> {
    pub(super) of: Channels<'a, T>,
    /// Of the output.
    pub(super) gradient: &'a [T],
}

/// The gradient of the convolution, padded, from that of the output.
pub(super) struct Delta<'a, T> {
    pub(super) of: Channels<'a, T>,
    /// Of the output.
    pub(super) gradient: &'a [T],
    /// Means of dy and of dy·ẑ over the batch, of each channel.
    pub(super) means: &'a [[T; 2]],
    pub(super) to: &'a mut [T],
}

impl<'a, T: Real> Channels<'a, T> {
    #[inline(always)]
    fn pooled(self) -> bool {
        self.after != self.plane
    }

    #[inline(always)]
    fn channel(self, at: usize) -> &'a [T] {
        &self.convolved[at * self.plane.size()..][..self.plane.size()]
    }

    #[inline(always)]
    fn row(self, channel: &[T], row: usize) -> &[T] {
        &channel[row * self.plane.width..][..self.plane.width]
    }

    /// The pixels that each value of a row after pooling stands for, of `count` values from `start` on: upper left, upper right,
    /// lower left, lower right. Without pooling, the first is the pixel.
    #[inline(always)]
    fn corners(self, channel: &[T], row: usize, start: usize, count: usize) -> [Chunk<T>; 4] {
        let mut corners = [[T::zero(); CHUNK]; 4];
        if !self.pooled() {
            corners[0][..count].copy_from_slice(&self.row(channel, row)[start..start + count]);
            return corners;
        }
        for (below, pair) in corners.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            let pixels = &self.row(channel, 2 * row + below)[2 * start..2 * (start + count)];
            let [left, right] = pair;
            for (at, pixels) in pixels.as_chunks::<2>().0.iter().enumerate() {
                left[at] = pixels[0];
                right[at] = pixels[1];
            }
        }
        corners
    }

    /// 1 for the corner from which a value comes, the first of the largest, where ReLU lets it through; 0 for the others.
    #[inline(always)]
    fn shares(self, norm: &Norm<T>, corners: &[Chunk<T>; 4]) -> [Chunk<T>; 4] {
        let mut shares = [[T::zero(); CHUNK]; 4];
        if !self.pooled() {
            for at in 0..CHUNK {
                shares[0][at] = active(norm.value(corners[0][at]));
            }
            return shares;
        }
        for at in 0..CHUNK {
            let value = |corner: usize| norm.value(corners[corner][at]);
            let (a, b, c, d) = (value(0), value(1), value(2), value(3));
            let upper = if b > a { b } else { a };
            let lower = if d > c { d } else { c };
            let share = active(if lower > upper { lower } else { upper });
            let when = |condition: bool| if condition { share } else { T::zero() };
            let below = lower > upper;
            shares[0][at] = when(!below & (b <= a));
            shares[1][at] = when(!below & (b > a));
            shares[2][at] = when(below & (d <= c));
            shares[3][at] = when(below & (d > c));
        }
        shares
    }

    /// The row of the output's gradient, from `start` on.
    #[inline(always)]
    fn gradient(
        self,
        gradient: &[T],
        channel: usize,
        row: usize,
        start: usize,
    ) -> (Chunk<T>, usize) {
        let count = CHUNK.min(self.after.width - start);
        let from = channel * self.after.size() + row * self.after.width + start;
        let mut chunk = [T::zero(); CHUNK];
        chunk[..count].copy_from_slice(&gradient[from..from + count]);
        (chunk, count)
    }
}

impl<T: Real> WithSimd for Moments<'_, T> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Sums {
        let mut all = Vec::new();
        for channel in self.convolved.chunks_exact(self.plane.size()) {
            let mut sums = Partial::default();
            for values in channel.chunks(CHUNK) {
                let (mut z, mut square) = ([0.0; CHUNK], [0.0; CHUNK]);
                for (z, &value) in z.iter_mut().zip(values) {
                    *z = value.into();
                }
                for at in 0..CHUNK {
                    square[at] = z[at] * z[at];
                }
                sums.add(&z, &square);
            }
            all.push(sums.total());
        }
        all
    }
}

impl<T: Real> WithSimd for Activate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let of = self.of;
        for (at, to) in self.to.chunks_exact_mut(of.after.padded()).enumerate() {
            let (norm, channel) = (of.norms[at], of.channel(at));
            for row in 0..of.after.height {
                let to = &mut to[of.after.row(row)..][..of.after.width];
                for (start, to) in (0..).step_by(CHUNK).zip(to.chunks_mut(CHUNK)) {
                    let corners = of.corners(channel, row, start, to.len());
                    let mut values = [T::zero(); CHUNK];
                    for at in 0..CHUNK {
                        values[at] = larger(norm.value(corners[0][at]), T::zero());
                    }
                    if of.pooled() {
                        for corner in &corners[1..] {
                            for at in 0..CHUNK {
                                values[at] = larger(values[at], norm.value(corner[at]));
                            }
                        }
                    }
                    to.copy_from_slice(&values[..to.len()]);
                }
            }
        }
    }
}

impl<T: Real> WithSimd for Slopes<'_, T> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Sums {
        let of = self.of;
        let mut all = Vec::new();
        for (at, norm) in of.norms.iter().enumerate() {
            let channel = of.channel(at);
            let mut sums = Partial::default();
            for row in 0..of.after.height {
                for start in (0..of.after.width).step_by(CHUNK) {
                    let (gradient, count) = of.gradient(self.gradient, at, row, start);
                    let corners = of.corners(channel, row, start, count);
                    let shares = of.shares(norm, &corners);
                    let (mut slopes, mut along) = ([0.0; CHUNK], [0.0; CHUNK]);
                    for at in 0..CHUNK {
                        let (mut share, mut z) = (T::zero(), T::zero());
                        for corner in 0..4 {
                            share += shares[corner][at];
                            z += shares[corner][at] * corners[corner][at];
                        }
                        let dy = gradient[at] * share;
                        slopes[at] = dy.into();
                        along[at] = (dy * norm.normalized(z)).into();
                    }
                    sums.add(&slopes, &along);
                }
            }
            all.push(sums.total());
        }
        all
    }
}

impl<T: Real> WithSimd for Delta<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let of = self.of;
        for (at, to) in self.to.chunks_exact_mut(of.plane.padded()).enumerate() {
            let (norm, [mean, along]) = (of.norms[at], self.means[at]);
            let channel = of.channel(at);
            for row in 0..of.after.height {
                for start in (0..of.after.width).step_by(CHUNK) {
                    let (gradient, count) = of.gradient(self.gradient, at, row, start);
                    let corners = of.corners(channel, row, start, count);
                    let mut back = of.shares(&norm, &corners);
                    for (back, corner) in back.iter_mut().zip(&corners) {
                        for at in 0..CHUNK {
                            back[at] = norm.back(corner[at], gradient[at] * back[at], mean, along);
                        }
                    }
                    of.scatter(&back, row, start..start + count, to);
                }
            }
        }
    }
}

impl<T: Real> Channels<'_, T> {
    /// Puts `corners` back where they came from, into a padded channel.
    #[inline(always)]
    fn scatter(self, corners: &[Chunk<T>; 4], row: usize, columns: Range<usize>, to: &mut [T]) {
        let plane = self.plane;
        if !self.pooled() {
            let to = &mut to[plane.row(row)..][columns.clone()];
            to.copy_from_slice(&corners[0][..columns.len()]);
            return;
        }
        for (below, [left, right]) in corners.as_chunks::<2>().0.iter().enumerate() {
            let to = &mut to[plane.row(2 * row + below)..][2 * columns.start..2 * columns.end];
            for (at, to) in to.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                *to = [left[at], right[at]];
            }
        }
    }
}

/// The larger of two, or what is no number.
#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if b > a || b.partial_cmp(&b).is_none() {
        b
    } else {
        a
    }
}

/// 1 for what ReLU lets through, otherwise 0.
#[inline(always)]
fn active<T: Real>(value: T) -> T {
    if value > T::zero() {
        T::of(1.0)
    } else {
        T::zero()
    }
}
