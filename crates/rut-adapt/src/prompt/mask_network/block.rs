//! A block of the mask network on a batch: convolution, batch normalisation, ReLU and perhaps the largest of each 2 × 2.

use pulp::Arch;
use rayon::prelude::*;

use super::Statistics;
use super::convolution::{Kernels, Plane, kernel_gradient, total};
use super::norm::{self, Norm, Sums, observed, totals};
use super::passes::{Activate, Channels, Delta, Moments, Slopes};
use crate::prompt::real::Real;
use crate::prompt::spare::Spare;

/// Parameters of a block.
#[derive(Clone, Copy)]
pub(super) struct Block<'a, T> {
    /// [outputs, inputs, 3, 3]
    pub(super) weight: &'a [T],
    /// [outputs]
    pub(super) bias: &'a [T],
    /// γ [outputs].
    pub(super) scale: &'a [T],
    /// β [outputs].
    pub(super) shift: &'a [T],
    /// Sides of its input.
    pub(super) plane: Plane,
    /// Whether its output has half of them.
    pub(super) pooled: bool,
}

/// What a batch left behind in a block.
pub(super) struct Passed<T> {
    /// Padded channels of each image that went in.
    input: Vec<T>,
    /// Of each image, before it was normalised [outputs, height, width].
    convolved: Vec<T>,
    norms: Vec<Norm<T>>,
    statistics: Statistics,
}

/// Gradients of a block's parameters, each summed over the images, and of its input.
pub(super) struct Gradients<T> {
    /// Of weight, bias, γ and β, in a row.
    pub(super) parameters: Vec<T>,
    /// [images, inputs, height, width]; empty where it was not asked for.
    pub(super) input: Vec<T>,
}

impl<T: Real> Passed<T> {
    /// Its memory for the next.
    pub(super) fn give(self, spare: &Spare) {
        spare.give(self.input);
        spare.give(self.convolved);
    }
}

impl<T: Real> Block<'_, T> {
    fn outputs(&self) -> usize {
        self.bias.len()
    }

    fn inputs(&self) -> usize {
        self.weight.len() / (9 * self.outputs())
    }

    /// Sides of its output.
    pub(super) fn after(&self) -> Plane {
        if self.pooled {
            self.plane.halved()
        } else {
            self.plane
        }
    }

    /// The output of padded images, padded, and what `backward` needs; `running` mean and variance are moved where the batch's
    /// own are taken.
    pub(super) fn forward(
        &self,
        input: Vec<T>,
        running: &mut [Vec<T>],
        statistics: Statistics,
        spare: &Spare,
    ) -> (Vec<T>, Passed<T>) {
        let arch = Arch::new();
        let per_image = self.inputs() * self.plane.padded();
        let images = input.len() / per_image;
        let per_result = self.outputs() * self.plane.size();
        let mut convolved = spare.take(images * per_result);
        let kernels = Kernels::forward(self.weight, self.bias);
        let sums: Vec<Sums> = convolved
            .par_chunks_exact_mut(per_result)
            .zip(input.par_chunks_exact(per_image))
            .map(|(to, image)| {
                kernels.convolve(self.plane, image, to);
                match statistics {
                    Statistics::Batch => arch.dispatch(Moments {
                        plane: self.plane,
                        convolved: to,
                    }),
                    Statistics::Running => Vec::new(),
                }
            })
            .collect();
        let known = match statistics {
            Statistics::Batch => observed(&sums, (images * self.plane.size()) as f64, running),
            Statistics::Running => norm::running(running),
        };
        let norms = Norm::of(&known, self.scale, self.shift);
        let after = self.after();
        let per_output = self.outputs() * after.padded();
        let mut output = spare.take(images * per_output);
        output
            .par_chunks_exact_mut(per_output)
            .zip(convolved.par_chunks_exact(per_result))
            .for_each(|(to, convolved)| {
                to.fill(T::zero());
                let of = self.channels(&norms, convolved);
                arch.dispatch(Activate { of, to });
            });
        let passed = Passed {
            input,
            convolved,
            norms,
            statistics,
        };
        (output, passed)
    }

    /// Goes back from the gradient [images, outputs, height, width] of its output; to its input, too, where `to_input`.
    pub(super) fn backward(
        &self,
        passed: &Passed<T>,
        gradient: &[T],
        to_input: bool,
    ) -> Gradients<T> {
        let arch = Arch::new();
        let (plane, outputs, inputs) = (self.plane, self.outputs(), self.inputs());
        let per_result = outputs * plane.size();
        let images = passed.convolved.len() / per_result;
        let convolved = passed.convolved.par_chunks_exact(per_result);
        let gradient = gradient.par_chunks_exact(outputs * self.after().size());
        let batch = convolved.zip(gradient);
        let sums: Vec<Sums> = batch
            .clone()
            .map(|(convolved, gradient)| {
                let of = self.channels(&passed.norms, convolved);
                arch.dispatch(Slopes { of, gradient })
            })
            .collect();
        let totals = totals(&sums);
        let count = (images * plane.size()) as f64;
        let means: Vec<[T; 2]> = totals
            .iter()
            .map(|total| match passed.statistics {
                Statistics::Batch => total.map(|sum| T::of(sum / count)),
                Statistics::Running => [T::zero(); 2],
            })
            .collect();
        let kernels = Kernels::backward(self.weight, outputs);
        let per_input = if to_input { inputs * plane.size() } else { 0 };
        let per_image: Vec<(Vec<T>, Vec<T>)> = batch
            .zip(passed.input.par_chunks_exact(inputs * plane.padded()))
            .map_init(
                || vec![T::zero(); outputs * plane.padded()],
                |delta, ((convolved, gradient), input)| {
                    arch.dispatch(Delta {
                        of: self.channels(&passed.norms, convolved),
                        gradient,
                        means: &means,
                        to: delta,
                    });
                    let mut back = vec![T::zero(); per_input];
                    if to_input {
                        kernels.convolve(plane, delta, &mut back);
                    }
                    (kernel_gradient(plane, input, delta), back)
                },
            )
            .collect();
        let (weight, input): (Vec<_>, Vec<_>) = per_image.into_iter().unzip();
        // The batch's mean takes a bias away: its gradient is 0 there.
        let bias =
            totals
                .iter()
                .zip(&passed.norms)
                .map(|([sum, _], norm)| match passed.statistics {
                    Statistics::Batch => 0.0,
                    Statistics::Running => sum * norm.scale.into(),
                });
        let scale = totals.iter().map(|total| total[1]);
        let shift = totals.iter().map(|total| total[0]);
        let parameters = total(&weight)
            .into_iter()
            .chain(bias)
            .chain(scale)
            .chain(shift);
        Gradients {
            parameters: parameters.map(T::of).collect(),
            input: input.concat(),
        }
    }

    /// What is normalised of an image.
    fn channels<'b>(&self, norms: &'b [Norm<T>], convolved: &'b [T]) -> Channels<'b, T> {
        Channels {
            plane: self.plane,
            after: self.after(),
            norms,
            convolved,
        }
    }
}
