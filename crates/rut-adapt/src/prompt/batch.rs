//! What a prompt does to all images of a batch, on plain values, by as many threads as there are.

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::precomputed::precomputed;
use super::real::{Real, with_values};

/// Runs `$call` with `$real` the type of `$dtype`.
macro_rules! in_type_of {
    ($dtype:expr, $real:ident => $call:expr) => {
        match $dtype {
            candle_core::DType::F32 => {
                type $real = f32;
                $call
            }
            candle_core::DType::F64 => {
                type $real = f64;
                $call
            }
            other => candle_core::bail!("a prompt: expected f32 or f64, found {other:?}"),
        }
    };
}
pub(super) use in_type_of;

/// `images` [n, 3, S, S], which are not trained, with `delta` [3, S, S] added to each. Differentiable in `delta`.
///
/// # Errors
/// If shapes or types do not fit.
pub(super) fn added(images: &Tensor, delta: &Tensor) -> candle_core::Result<Tensor> {
    if images.dims().get(1..) != Some(delta.dims()) {
        candle_core::bail!(
            "add a prompt: expected one of shape {:?}, found {:?}",
            &images.dims()[1..],
            delta.dims()
        )
    }
    in_type_of!(delta.dtype(), T => {
        let sums = with_values::<T, _>(images, |images| {
            with_values::<T, _>(delta, |delta| add(images, delta))
        })??;
        let result = Tensor::from_vec(sums, images.shape(), &Device::Cpu)?;
        let shape = delta.shape().clone();
        precomputed(delta, result, move |gradient| {
            let total = with_values::<T, _>(gradient, |gradient| total(gradient, shape.elem_count()))?;
            Tensor::from_vec(total, shape, &Device::Cpu)
        })
    })
}

fn add<T: Real>(images: &[T], delta: &[T]) -> Vec<T> {
    let mut sums = vec![T::zero(); images.len()];
    sums.par_chunks_exact_mut(delta.len())
        .zip(images.par_chunks_exact(delta.len()))
        .for_each(|(sums, image)| {
            for ((sum, &value), &delta) in sums.iter_mut().zip(image).zip(delta) {
                *sum = value + delta;
            }
        });
    sums
}

/// Values that a thread sums at a time.
const PART: usize = 1024;

/// The sum over images of `size` values, in their order.
fn total<T: Real>(images: &[T], size: usize) -> Vec<T> {
    let mut sums = vec![T::zero(); size];
    sums.par_chunks_mut(PART)
        .enumerate()
        .for_each(|(part, sums)| {
            for image in images.chunks_exact(size) {
                for (sum, &value) in sums.iter_mut().zip(&image[part * PART..]) {
                    *sum += value;
                }
            }
        });
    sums
}

/// Images [n, 3, s, s] in the middle of black canvases [n, 3, side, side], `before` pixels before, channel by channel less
/// `mean` and over `std`.
///
/// # Errors
/// If the images are neither f32 nor f64.
pub(super) fn normalized(
    images: &Tensor,
    (side, before): (usize, usize),
    mean: [f32; 3],
    std: [f32; 3],
) -> candle_core::Result<Tensor> {
    let (n, _, own, _) = images.dims4()?;
    in_type_of!(images.dtype(), T => {
        let channel = |at: usize| (T::of(mean[at].into()), T::of(std[at].into()));
        let mut canvas = vec![T::of(0.0); n * 3 * side * side];
        with_values::<T, _>(images, |images| {
            canvas
                .par_chunks_exact_mut(side * side)
                .zip(images.par_chunks_exact(own * own))
                .enumerate()
                .for_each(|(at, (canvas, image))| {
                    let (mean, std) = channel(at % 3);
                    canvas.fill((T::of(0.0) - mean) / std);
                    let rows = canvas.chunks_exact_mut(side).skip(before);
                    for (to, from) in rows.zip(image.chunks_exact(own)) {
                        for (to, &from) in to[before..].iter_mut().zip(from) {
                            *to = (from - mean) / std;
                        }
                    }
                });
        })?;
        Tensor::from_vec(canvas, (n, 3, side, side), &Device::Cpu)
    })
}
