//! Max-pooling with the index of each maximum, which candle's own does not give. It works on the host, one channel of
//! one image after the other, on as many threads as there are; no channel shares anything with another.

use candle_core::{Tensor, WithDType};
use rayon::prelude::*;

use super::{dims, is_double};
use crate::error::{Error, Result};
use crate::graph::MaxPool;

/// The maxima `[n, c, oh, ow]` of `x` `[n, c, h, w]`, and for each the row-major index of its pixel (u32): the first
/// maximum, or the last NaN where there is one, as in PyTorch.
pub(in super::super) fn max_pool(x: &Tensor, pool: MaxPool) -> Result<(Tensor, Tensor)> {
    if is_double(x) {
        forward::<f64>(x, pool)
    } else {
        forward::<f32>(x, pool)
    }
}

/// The gradient of the input, of shape `read`: each maximum's gradient goes to its pixel.
pub(in super::super) fn max_pool_backward(
    grad: &Tensor,
    argmax: &Tensor,
    read: &[usize],
) -> Result<Tensor> {
    if is_double(grad) {
        backward::<f64>(grad, argmax, read)
    } else {
        backward::<f32>(grad, argmax, read)
    }
}

fn forward<T: WithDType>(x: &Tensor, pool: MaxPool) -> Result<(Tensor, Tensor)> {
    let [n, c, height, width] = dims(x)?;
    let side = |length: usize| (length + 2 * pool.padding - pool.kernel) / pool.stride + 1;
    let shape = (n, c, side(height), side(width));
    let plane = Plane {
        pool,
        height,
        width,
        out_width: shape.3,
    };
    let values = x.flatten_all()?.to_vec1::<T>()?;
    let count = shape.2 * shape.3;
    let mut maxima = vec![T::zero(); n * c * count];
    let mut argmax = vec![0u32; n * c * count];
    let planes = maxima
        .par_chunks_mut(count)
        .zip(argmax.par_chunks_mut(count));
    planes
        .zip(values.par_chunks(height * width))
        .for_each(|((maxima, argmax), values)| plane.pool(values, maxima, argmax));
    let maxima = Tensor::from_vec(maxima, shape, x.device())?;
    let argmax = Tensor::from_vec(argmax, shape, x.device())?;
    Ok((maxima, argmax))
}

/// One channel of one image.
#[derive(Clone, Copy)]
struct Plane {
    pool: MaxPool,
    height: usize,
    width: usize,
    out_width: usize,
}

impl Plane {
    fn pool<T: WithDType>(self, values: &[T], maxima: &mut [T], argmax: &mut [u32]) {
        for (index, (maximum, at)) in maxima.iter_mut().zip(argmax).enumerate() {
            let rows = self.window(index / self.out_width, self.height);
            let columns = self.window(index % self.out_width, self.width);
            let mut best = rows.start * self.width + columns.start;
            for row in rows {
                for column in columns.clone() {
                    let candidate = row * self.width + column;
                    let value = values[candidate];
                    if value > values[best] || is_nan(value) {
                        best = candidate;
                    }
                }
            }
            (*maximum, *at) = (values[best], best as u32);
        }
    }

    /// The part of window `index` that lies in the image; padding is minus infinity and is never the first maximum.
    fn window(self, index: usize, length: usize) -> std::ops::Range<usize> {
        let start = index * self.pool.stride;
        let end = (start + self.pool.kernel).saturating_sub(self.pool.padding);
        start.saturating_sub(self.pool.padding)..end.min(length)
    }
}

/// NaN is the only value that differs from itself.
#[expect(
    clippy::eq_op,
    reason = "the element type is generic and has no is_nan"
)]
fn is_nan<T: WithDType>(value: T) -> bool {
    value != value
}

fn backward<T: WithDType>(grad: &Tensor, argmax: &Tensor, read: &[usize]) -> Result<Tensor> {
    let count: usize = grad.dims()[2..].iter().product();
    let pixels = read[2] * read[3];
    let grads = grad.flatten_all()?.to_vec1::<T>()?;
    let argmax = argmax.flatten_all()?.to_vec1::<u32>()?;
    if let Some(at) = argmax.iter().find(|&&at| at as usize >= pixels) {
        return Err(Error::Argument {
            what: "the record of a max-pool",
            found: format!("pixel {at}"),
            expected: format!("a pixel of {} × {}", read[2], read[3]),
        });
    }
    let mut sums = vec![T::zero(); read.iter().product()];
    let sources = grads.par_chunks(count).zip(argmax.par_chunks(count));
    sums.par_chunks_mut(pixels)
        .zip(sources)
        .for_each(|(sums, (grads, argmax))| {
            for (&grad, &at) in grads.iter().zip(argmax) {
                sums[at as usize] += grad;
            }
        });
    Ok(Tensor::from_vec(sums, read, grad.device())?)
}
