//! The mask network of SMM: a few convolutions whose output says how much of a prompt each patch of an image gets.
//!
//! Not of candle-nn's layers, with which it took several times as long as a ResNet-50 behind it: each of their operations is a pass
//! over the batch by one thread. The tests compare it with them.

mod block;
mod convolution;
mod norm;
mod passes;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;
use rut_data::Stream;

use self::block::{Block, Passed};
use self::convolution::{Kernels, Plane, kernel_gradient, total};
use super::real::Real;
use super::spare::Spare;

/// Channels of the blocks; the fifth is there with six layers.
const CHANNELS: [usize; 6] = [3, 8, 16, 32, 64, 128];
/// Names of the tensors of a block, and of its running statistics.
const BLOCK: [&str; 4] = ["conv.weight", "conv.bias", "norm.weight", "norm.bias"];
const RUNNING: [&str; 2] = ["norm.running_mean", "norm.running_var"];

/// Shape of a mask network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MaskShape {
    /// Convolutions: 5 or 6, the last of which gives the mask.
    pub(super) layers: usize,
    /// Side of the patches that get one value, pixels: 1, 2, 4 … 2^(layers − 1).
    pub(super) patch: usize,
    /// Channels of the mask: 3, or 1 for the mean of the last block's channels in place of the last convolution.
    pub(super) channels: usize,
}

/// Whether batch normalisation takes the statistics of the batch, or running ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statistics {
    Batch,
    Running,
}

/// What a batch left behind.
pub(super) struct Trace<T: Real> {
    blocks: Vec<Passed<T>>,
    /// Of the last block, padded.
    output: Vec<T>,
    spare: Arc<Spare>,
}

impl<T: Real> Drop for Trace<T> {
    fn drop(&mut self) {
        for passed in self.blocks.drain(..) {
            passed.give(&self.spare);
        }
        self.spare.give(std::mem::take(&mut self.output));
    }
}

impl MaskShape {
    /// Number of blocks of convolution, batch normalisation, ReLU and perhaps pooling.
    fn blocks(self) -> usize {
        self.layers - 1
    }

    /// Names of the parameters, in their order.
    pub(super) fn names(self) -> Vec<String> {
        let of_block = |block| BLOCK.map(|part| format!("mask.{block}.{part}"));
        let mut names: Vec<String> = (0..self.blocks()).flat_map(of_block).collect();
        if self.channels == 3 {
            names.extend(["mask.last.weight".into(), "mask.last.bias".into()]);
        }
        names
    }

    /// Names of the running statistics, in their order.
    pub(super) fn buffer_names(self) -> Vec<String> {
        let of_block = |block| RUNNING.map(|part| format!("mask.{block}.{part}"));
        (0..self.blocks()).flat_map(of_block).collect()
    }

    /// Parameters before training: convolutions uniform in ±1/√(9·c), as `torch.nn.Conv2d` starts, with c the channels before;
    /// batch normalisation 1 and 0.
    pub(super) fn parameters(
        self,
        stream: &mut Stream,
        (dtype, device): (DType, &Device),
    ) -> candle_core::Result<Vec<Tensor>> {
        let mut all = Vec::new();
        let mut convolution = |from: usize, to: usize| -> candle_core::Result<[Tensor; 2]> {
            let bound = 1.0 / (9.0 * from as f64).sqrt();
            let mut draw = |n: usize| -> Vec<f32> {
                let value = |_| ((2.0 * stream.uniform() - 1.0) * bound) as f32;
                (0..n).map(value).collect()
            };
            let weight = Tensor::from_vec(draw(to * from * 9), (to, from, 3, 3), device)?;
            let bias = Tensor::from_vec(draw(to), to, device)?;
            Ok([weight.to_dtype(dtype)?, bias.to_dtype(dtype)?])
        };
        for block in 0..self.blocks() {
            let to = CHANNELS[block + 1];
            all.extend(convolution(CHANNELS[block], to)?);
            all.push(Tensor::ones(to, dtype, device)?);
            all.push(Tensor::zeros(to, dtype, device)?);
        }
        if self.channels == 3 {
            all.extend(convolution(CHANNELS[self.blocks()], 3)?);
        }
        Ok(all)
    }

    /// Running statistics before training: mean 0, variance 1.
    pub(super) fn buffers(self, dtype: DType, device: &Device) -> candle_core::Result<Vec<Tensor>> {
        let mut all = Vec::new();
        for block in 0..self.blocks() {
            all.push(Tensor::zeros(CHANNELS[block + 1], dtype, device)?);
            all.push(Tensor::ones(CHANNELS[block + 1], dtype, device)?);
        }
        Ok(all)
    }

    /// The mask [n, c, S/p, S/p] of normalised images [n, 3, S, S], side S, and what `backward` needs; `running` statistics are
    /// moved where the batch's own are taken. `parameters` are in a row.
    pub(super) fn forward<T: Real>(
        self,
        parameters: &[T],
        running: &mut [Vec<T>],
        (images, side): (&[T], usize),
        statistics: Statistics,
        spare: &Arc<Spare>,
    ) -> (Vec<T>, Trace<T>) {
        let mut plane = square(side);
        let count = images.len() / (CHANNELS[0] * plane.size());
        let mut x = spare.take(count * CHANNELS[0] * plane.padded());
        let each = images.par_chunks_exact(CHANNELS[0] * plane.size());
        x.par_chunks_exact_mut(CHANNELS[0] * plane.padded())
            .zip(each)
            .for_each(|(to, image)| {
                to.fill(T::zero());
                plane.pad(image, to);
            });
        let mut blocks = Vec::new();
        for (block, running) in running.chunks_exact_mut(2).enumerate() {
            let block = self.block(parameters, block, plane);
            let (output, passed) = block.forward(x, running, statistics, spare);
            (x, plane) = (output, block.after());
            blocks.push(passed);
        }
        let mut mask = vec![T::zero(); count * self.channels * plane.size()];
        let last = CHANNELS[self.blocks()];
        let each = x.par_chunks_exact(last * plane.padded());
        let to = mask.par_chunks_exact_mut(self.channels * plane.size());
        match self.last(parameters) {
            Some([weight, bias]) => {
                let kernels = Kernels::forward(weight, bias);
                to.zip(each)
                    .for_each(|(to, x)| kernels.convolve(plane, x, to));
            }
            None => to.zip(each).for_each(|(to, x)| plane.mean(x, to)),
        }
        let trace = Trace {
            blocks,
            output: x,
            spare: spare.clone(),
        };
        (mask, trace)
    }

    /// The gradient of the parameters, in a row, from that of the mask [n, c, S/p, S/p].
    pub(super) fn backward<T: Real>(
        self,
        parameters: &[T],
        side: usize,
        trace: &Trace<T>,
        gradient: &[T],
    ) -> Vec<T> {
        let (mut back, of_last) = self.last_backward(parameters, side, &trace.output, gradient);
        let mut gradients = vec![of_last];
        for (at, passed) in trace.blocks.iter().enumerate().rev() {
            let block = self.block(parameters, at, self.plane(side, at));
            let found = block.backward(passed, &back, at > 0);
            back = found.input;
            gradients.push(found.parameters);
        }
        gradients.into_iter().rev().flatten().collect()
    }

    /// The gradients of the last block's padded `output` [n, last, S/p, S/p], and of the last convolution, if there is one.
    fn last_backward<T: Real>(
        self,
        parameters: &[T],
        side: usize,
        output: &[T],
        gradient: &[T],
    ) -> (Vec<T>, Vec<T>) {
        let (plane, last) = (self.plane(side, self.blocks()), CHANNELS[self.blocks()]);
        let mut back = vec![T::zero(); output.len() / plane.padded() * plane.size()];
        let each = back
            .par_chunks_exact_mut(last * plane.size())
            .zip(gradient.par_chunks_exact(self.channels * plane.size()));
        let Some([weight, bias]) = self.last(parameters) else {
            each.for_each(|(to, gradient)| {
                for to in to.chunks_exact_mut(plane.size()) {
                    for (to, &gradient) in to.iter_mut().zip(gradient) {
                        *to = gradient / T::of(last as f64);
                    }
                }
            });
            return (back, Vec::new());
        };
        let kernels = Kernels::backward(weight, bias.len());
        let per_image: Vec<Vec<T>> = each
            .zip(output.par_chunks_exact(last * plane.padded()))
            .map_init(
                || vec![T::zero(); bias.len() * plane.padded()],
                |delta, ((to, gradient), output)| {
                    plane.pad(gradient, delta);
                    kernels.convolve(plane, delta, to);
                    kernel_gradient(plane, output, delta)
                },
            )
            .collect();
        let mut of_bias = vec![0.0; bias.len()];
        for (at, channel) in gradient.chunks_exact(plane.size()).enumerate() {
            of_bias[at % bias.len()] += channel.iter().map(|&g| g.into()).sum::<f64>();
        }
        let of_last = total(&per_image).into_iter().chain(of_bias);
        (back, of_last.map(T::of).collect())
    }

    /// Sides of the input of a block, or of the output of the last.
    fn plane(self, side: usize, block: usize) -> Plane {
        let halved = |plane: Plane, block: usize| {
            if self.pools(block) {
                plane.halved()
            } else {
                plane
            }
        };
        (0..block).fold(square(side), halved)
    }

    fn pools(self, block: usize) -> bool {
        self.patch >= 2 << block
    }

    /// A block of the network, whose input has sides `plane`.
    fn block<T>(self, parameters: &[T], block: usize, plane: Plane) -> Block<'_, T> {
        let size = |block: usize| CHANNELS[block + 1] * (9 * CHANNELS[block] + 3);
        let start = (0..block).map(size).sum::<usize>();
        let own = &parameters[start..start + size(block)];
        let outputs = CHANNELS[block + 1];
        let (weight, rest) = own.split_at(own.len() - 3 * outputs);
        Block {
            weight,
            bias: &rest[..outputs],
            scale: &rest[outputs..2 * outputs],
            shift: &rest[2 * outputs..],
            plane,
            pooled: self.pools(block),
        }
    }

    /// Weight and bias of the last convolution, if there is one.
    fn last<T>(self, parameters: &[T]) -> Option<[&[T]; 2]> {
        let bias = parameters.len().checked_sub(3)?;
        let weight = bias.checked_sub(27 * CHANNELS[self.blocks()])?;
        (self.channels == 3).then(|| [&parameters[weight..bias], &parameters[bias..]])
    }
}

fn square(side: usize) -> Plane {
    Plane {
        height: side,
        width: side,
    }
}
