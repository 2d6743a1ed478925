//! Bilinear sampling of images at coordinates that can be trained, the same for all images of a batch.

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::batch::in_type_of;
use super::precomputed::precomputed;
use super::real::{Real, with_values};

/// Rows and columns that the pixels of a canvas are sampled at, each [S·S], in pixels.
pub(super) type Coordinates = [Tensor; 2];

/// Pixels that a thread goes back through at a time.
const PART: usize = 1024;

/// W(images) ⊙ `colour` + `border`: W samples `images` [n, 3, S, S], which are not trained, at coordinates; what lies outside is
/// 0. `colour` and `border` are [3, S, S]. Differentiable in all but the images; a sample that falls on a pixel has the slope
/// towards the next.
pub(super) fn warped(
    images: &Tensor,
    [rows, columns]: &Coordinates,
    colour: &Tensor,
    border: &Tensor,
) -> candle_core::Result<Tensor> {
    let (_, _, side, _) = images.dims4()?;
    let parts = [
        rows,
        columns,
        &colour.flatten_all()?,
        &border.flatten_all()?,
    ];
    let flat = Tensor::cat(&parts, 0)?;
    if flat.elem_count() != 8 * side * side {
        candle_core::bail!("move images: expected coordinates and colours of a side of {side}")
    }
    in_type_of!(images.dtype(), T => {
        let warp = Warp::<T>::new(flat.to_vec1()?, side);
        let moved = with_values(images, |images| warp.apply(images))?;
        let moved = Tensor::from_vec(moved, images.shape(), &Device::Cpu)?;
        let (images, shape) = (images.clone(), flat.shape().clone());
        precomputed(&flat, moved, move |gradient| {
            let total = with_values(gradient, |gradient| {
                with_values(&images, |images| warp.gradients(images, gradient))
            })??;
            Tensor::from_vec(total, shape, &Device::Cpu)
        })
    })
}

/// 1 where the samples at coordinates are 0 in all channels of all `images` [n, c, S, S], 0 elsewhere; [S, S].
pub(super) fn empty(images: &Tensor, [rows, columns]: &Coordinates) -> candle_core::Result<Tensor> {
    let (_, _, side, _) = images.dims4()?;
    in_type_of!(images.dtype(), T => {
        let (rows, columns) = (rows.to_vec1::<T>()?, columns.to_vec1::<T>()?);
        let taps = rows.iter().zip(&columns).map(|(&y, &x)| Tap::new(y, x, side));
        let cells: Vec<T> = with_values(images, |images| {
            let planes = images.chunks_exact(side * side);
            let black = |tap: Tap<T>| planes.clone().all(|plane| tap.of(plane) == T::of(0.0));
            taps.map(|tap| T::of(f64::from(u8::from(black(tap))))).collect()
        })?;
        Tensor::from_vec(cells, (side, side), &Device::Cpu)
    })
}

/// The four pixels around a sample.
#[derive(Clone, Copy)]
struct Tap<T> {
    at: [usize; 4],
    weight: [T; 4],
    down: [T; 4],
    right: [T; 4],
}

impl<T: Real> Tap<T> {
    fn new(y: T, x: T, side: usize) -> Self {
        let ([up, down], rows, of_row) = between(y, side);
        let ([left, right], columns, of_column) = between(x, side);
        let pairs = [(0, 0), (0, 1), (1, 0), (1, 1)];
        let [up, down] = [up * side, down * side];
        Self {
            at: [up + left, up + right, down + left, down + right],
            weight: pairs.map(|(row, column)| rows[row] * columns[column]),
            down: pairs.map(|(row, column)| of_row[row] * columns[column]),
            right: pairs.map(|(row, column)| rows[row] * of_column[column]),
        }
    }

    #[inline(always)]
    fn of(&self, plane: &[T]) -> T {
        self.with(&self.weight, plane)
    }

    #[inline(always)]
    fn with(&self, weights: &[T; 4], plane: &[T]) -> T {
        let mut sum = T::zero();
        for (&at, &weight) in self.at.iter().zip(weights) {
            sum += plane[at] * weight;
        }
        sum
    }
}

/// The pixels before and behind a coordinate, their weights, and the slopes of these; of a pixel outside, both are 0.
fn between<T: Real>(at: T, side: usize) -> ([usize; 2], [T; 2], [T; 2]) {
    let exact: f64 = at.into();
    let floor = exact.floor();
    let behind = at - T::of(floor);
    let pixels = [floor, floor + 1.0];
    let inside = pixels.map(|pixel| pixel >= 0.0 && pixel < side as f64);
    let valid = inside.map(|inside| T::of(f64::from(u8::from(inside))));
    (
        std::array::from_fn(|i| if inside[i] { pixels[i] as usize } else { 0 }),
        [(T::of(1.0) - behind) * valid[0], behind * valid[1]],
        [T::zero() - valid[0], valid[1]],
    )
}

/// A motion of images, and their colours and border after it.
struct Warp<T> {
    taps: Vec<Tap<T>>,
    /// [3, S, S]
    colour: Vec<T>,
    /// [3, S, S]
    border: Vec<T>,
}

impl<T: Real> Warp<T> {
    /// Of rows, columns, colour and border in a row.
    fn new(mut values: Vec<T>, side: usize) -> Self {
        let size = side * side;
        let border = values.split_off(5 * size);
        let colour = values.split_off(2 * size);
        let (rows, columns) = values.split_at(size);
        let both = rows.iter().zip(columns);
        Self {
            taps: both.map(|(&y, &x)| Tap::new(y, x, side)).collect(),
            colour,
            border,
        }
    }

    fn apply(&self, images: &[T]) -> Vec<T> {
        let size = self.taps.len();
        let mut moved = vec![T::zero(); images.len()];
        moved
            .par_chunks_exact_mut(size)
            .zip(images.par_chunks_exact(size))
            .enumerate()
            .for_each(|(at, (to, plane))| {
                let start = at % 3 * size;
                let after = self.colour[start..].iter().zip(&self.border[start..]);
                for ((to, tap), (&colour, &border)) in to.iter_mut().zip(&self.taps).zip(after) {
                    *to = tap.of(plane) * colour + border;
                }
            });
        moved
    }

    /// Of rows, columns, colour and border in a row, each summed over images in their order.
    fn gradients(&self, images: &[T], gradient: &[T]) -> Vec<T> {
        let size = self.taps.len();
        let parts: Vec<[Vec<T>; 8]> = self
            .taps
            .par_chunks(PART)
            .enumerate()
            .map(|(part, taps)| {
                let mut sums: [Vec<T>; 8] = std::array::from_fn(|_| vec![T::zero(); taps.len()]);
                let planes = images.chunks_exact(size).zip(gradient.chunks_exact(size));
                for (at, (plane, gradient)) in planes.enumerate() {
                    self.add(at % 3, part * PART, taps, (plane, gradient), &mut sums);
                }
                sums
            })
            .collect();
        let mut total = Vec::with_capacity(8 * size);
        for of in 0..8 {
            parts.iter().for_each(|part| total.extend(&part[of]));
        }
        total
    }

    /// Adds what the pixels from `first` on of one channel of an image give.
    fn add(
        &self,
        channel: usize,
        first: usize,
        taps: &[Tap<T>],
        (plane, gradient): (&[T], &[T]),
        sums: &mut [Vec<T>; 8],
    ) {
        let [rows, columns, rest @ ..] = sums;
        let (colours, borders) = rest.split_at_mut(3);
        let (colours, borders) = (&mut colours[channel], &mut borders[channel]);
        let colour = &self.colour[channel * self.taps.len() + first..];
        for (at, tap) in taps.iter().enumerate() {
            let dy = gradient[first + at];
            colours[at] += dy * tap.of(plane);
            borders[at] += dy;
            let moved = dy * colour[at];
            rows[at] += moved * tap.with(&tap.down, plane);
            columns[at] += moved * tap.with(&tap.right, plane);
        }
    }
}
