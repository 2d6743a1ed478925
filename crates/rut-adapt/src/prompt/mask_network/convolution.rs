//! Convolutions with 3 × 3 kernels, stride 1 and a border of zeros, whose kernels are trained.
//!
//! Each sum has an order of its own: an output over channels, rows and columns of its kernel, a kernel's gradient over rows, in
//! as many partial sums as a vector has lanes. So no other image and no thread changes a bit.

use pulp::{Arch, Simd, WithSimd};

use super::super::real::Real;

/// Rows of planes are padded to a multiple of it, which all vectors divide.
const LANES: usize = 16;
/// Outputs that share what is read.
const TILE: usize = 4;
/// Weights of a kernel.
const KERNEL: usize = 9;

/// Sides of a channel of an image. Padded, it has a border of zeros, wider on the right, for whole vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plane {
    pub(super) height: usize,
    pub(super) width: usize,
}

impl Plane {
    /// Pixels.
    pub(super) fn size(self) -> usize {
        self.height * self.width
    }

    /// From one row of it padded to the next.
    fn stride(self) -> usize {
        self.width.next_multiple_of(LANES) + 2
    }

    /// Values of it padded.
    pub(super) fn padded(self) -> usize {
        (self.height + 2) * self.stride()
    }

    /// Where a row begins in it padded.
    pub(super) fn row(self, row: usize) -> usize {
        (row + 1) * self.stride() + 1
    }

    /// The half of it on each side.
    pub(super) fn halved(self) -> Self {
        Self {
            height: self.height / 2,
            width: self.width / 2,
        }
    }

    /// Channels `values` [channels, height, width], each padded, in `to`, which is 0 elsewhere.
    pub(super) fn pad<T: Real>(self, values: &[T], to: &mut [T]) {
        let planes = values.chunks_exact(self.size());
        for (plane, to) in planes.zip(to.chunks_exact_mut(self.padded())) {
            for (row, pixels) in plane.chunks_exact(self.width).enumerate() {
                to[self.row(row)..][..self.width].copy_from_slice(pixels);
            }
        }
    }

    /// The mean `to` [height, width] of padded channels.
    pub(super) fn mean<T: Real>(self, channels: &[T], to: &mut [T]) {
        let count = T::of((channels.len() / self.padded()) as f64);
        for (row, to) in to.chunks_exact_mut(self.width).enumerate() {
            for channel in channels.chunks_exact(self.padded()) {
                let pixels = &channel[self.row(row)..][..self.width];
                for (to, &pixel) in to.iter_mut().zip(pixels) {
                    *to += pixel;
                }
            }
            for to in to {
                *to /= count;
            }
        }
    }
}

/// Kernels, in groups of outputs: [⌈outputs / 4⌉, inputs, 9, 4].
pub(super) struct Kernels<T> {
    packed: Vec<T>,
    bias: Vec<T>,
    inputs: usize,
    outputs: usize,
}

impl<T: Real> Kernels<T> {
    /// Of `weight` [outputs, inputs, 3, 3] and `bias` [outputs].
    pub(super) fn forward(weight: &[T], bias: &[T]) -> Self {
        let outputs = bias.len();
        let inputs = weight.len() / (outputs * KERNEL);
        let at = |output: usize, input: usize, tap: usize| {
            weight[(output * inputs + input) * KERNEL + tap]
        };
        Self::packed((inputs, outputs), bias, at)
    }

    /// Of the same convolution from the gradient of its outputs to that of its inputs.
    pub(super) fn backward(weight: &[T], outputs: usize) -> Self {
        let inputs = weight.len() / (outputs * KERNEL);
        let at = |input: usize, output: usize, tap: usize| {
            weight[(output * inputs + input) * KERNEL + KERNEL - 1 - tap]
        };
        Self::packed((outputs, inputs), &[], at)
    }

    fn packed(
        (inputs, outputs): (usize, usize),
        bias: &[T],
        at: impl Fn(usize, usize, usize) -> T,
    ) -> Self {
        let groups = outputs.div_ceil(TILE);
        let mut packed = vec![T::zero(); groups * inputs * KERNEL * TILE];
        for output in 0..outputs {
            for input in 0..inputs {
                for tap in 0..KERNEL {
                    let group = output / TILE * inputs + input;
                    packed[(group * KERNEL + tap) * TILE + output % TILE] = at(output, input, tap);
                }
            }
        }
        let mut padded = vec![T::zero(); groups * TILE];
        padded[..bias.len()].copy_from_slice(bias);
        Self {
            packed,
            bias: padded,
            inputs,
            outputs,
        }
    }

    /// `to` [outputs, height, width] of one image's padded channels.
    pub(super) fn convolve(&self, plane: Plane, source: &[T], to: &mut [T]) {
        Arch::new().dispatch(Convolve {
            kernels: self,
            plane,
            source,
            to,
        });
    }
}

struct Convolve<'a, T> {
    kernels: &'a Kernels<T>,
    plane: Plane,
    source: &'a [T],
    to: &'a mut [T],
}

impl<T: Real> WithSimd for Convolve<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let lanes = T::lanes::<S>();
        let wide = if S::REGISTER_COUNT >= 32 { 4 } else { 2 };
        for group in 0..self.kernels.outputs.div_ceil(TILE) {
            for row in 0..self.plane.height {
                let mut column = 0;
                while column < self.plane.width {
                    let left = (self.plane.width - column).div_ceil(lanes).min(wide);
                    let taken = match left {
                        4.. => self.tile::<S, 4>(simd, group, row, column),
                        2..4 => self.tile::<S, 2>(simd, group, row, column),
                        _ => self.tile::<S, 1>(simd, group, row, column),
                    };
                    column += taken * lanes;
                }
            }
        }
    }
}

impl<T: Real> Convolve<'_, T> {
    /// `V` vectors of a row of four outputs; gives V.
    #[inline(always)]
    fn tile<S: Simd, const V: usize>(
        &mut self,
        simd: S,
        group: usize,
        row: usize,
        column: usize,
    ) -> usize {
        let Kernels {
            packed,
            bias,
            inputs,
            outputs,
        } = self.kernels;
        let (plane, lanes) = (self.plane, T::lanes::<S>());
        let (stride, length) = (plane.stride(), V * lanes);
        let mut sums = [[T::splat(simd, T::zero()); V]; TILE];
        for (sums, bias) in sums.iter_mut().zip(&bias[group * TILE..]) {
            *sums = [T::splat(simd, *bias); V];
        }
        let weights = &packed[group * inputs * KERNEL * TILE..][..inputs * KERNEL * TILE];
        let channels = self.source.chunks_exact(plane.padded());
        for (channel, taps) in channels.zip(weights.as_chunks::<{ KERNEL * TILE }>().0) {
            for down in 0..3 {
                let pixels = &channel[(row + down) * stride + column..][..length + 2];
                for right in 0..3 {
                    let pixels = &T::vectors::<S>(&pixels[right..right + length])[..V];
                    for (output, sums) in sums.iter_mut().enumerate() {
                        let weight = T::splat(simd, taps[(3 * down + right) * TILE + output]);
                        for v in 0..V {
                            sums[v] = T::mul_add(simd, weight, pixels[v], sums[v]);
                        }
                    }
                }
            }
        }
        for (output, sums) in (group * TILE..*outputs).zip(&sums) {
            let start = output * plane.size() + row * plane.width + column;
            let left = (plane.width - column).min(length);
            write::<T, S, V>(sums, &mut self.to[start..start + left]);
        }
        V
    }
}

/// The first values of vectors, as many as `to` holds.
#[inline(always)]
fn write<T: Real, S: Simd, const V: usize>(vectors: &[T::Vector<S>; V], to: &mut [T]) {
    let lanes = T::lanes::<S>();
    for (vector, to) in vectors.iter().zip(to.chunks_mut(lanes)) {
        if to.len() == lanes {
            T::vectors_mut::<S>(to)[0] = *vector;
        } else {
            let mut whole = [T::zero(); LANES];
            T::vectors_mut::<S>(&mut whole)[0] = *vector;
            to.copy_from_slice(&whole[..to.len()]);
        }
    }
}

/// The gradient [outputs, inputs, 3, 3] of kernels of one image: of `source` [inputs] and the gradient of outputs `delta`
/// [outputs], channels padded.
pub(super) fn kernel_gradient<T: Real>(plane: Plane, source: &[T], delta: &[T]) -> Vec<T> {
    let (inputs, outputs) = (source.len() / plane.padded(), delta.len() / plane.padded());
    let mut to = vec![T::zero(); outputs * inputs * KERNEL];
    Arch::new().dispatch(KernelGradient {
        plane,
        source,
        delta,
        inputs,
        to: &mut to,
    });
    to
}

struct KernelGradient<'a, T> {
    plane: Plane,
    source: &'a [T],
    delta: &'a [T],
    inputs: usize,
    to: &'a mut [T],
}

impl<T: Real> WithSimd for KernelGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let outputs = self.delta.len() / self.plane.padded();
        let whole = outputs - outputs % TILE;
        for output in (0..whole).step_by(TILE) {
            self.outputs::<S, TILE>(simd, output);
        }
        for output in whole..outputs {
            self.outputs::<S, 1>(simd, output);
        }
    }
}

impl<T: Real> KernelGradient<'_, T> {
    /// The kernels of `C` outputs.
    #[inline(always)]
    fn outputs<S: Simd, const C: usize>(&mut self, simd: S, output: usize) {
        for input in 0..self.inputs {
            for down in 0..3 {
                let sums = self.sums::<S, C>(simd, output, input, down);
                for (c, sums) in sums.into_iter().enumerate() {
                    let start = ((output + c) * self.inputs + input) * KERNEL + 3 * down;
                    for (to, sum) in self.to[start..start + 3].iter_mut().zip(sums) {
                        *to = T::sum(simd, sum);
                    }
                }
            }
        }
    }

    /// Of one row of the kernels.
    #[inline(always)]
    fn sums<S: Simd, const C: usize>(
        &self,
        simd: S,
        output: usize,
        input: usize,
        down: usize,
    ) -> [[T::Vector<S>; 3]; C] {
        let (plane, lanes) = (self.plane, T::lanes::<S>());
        let (padded, stride) = (plane.padded(), plane.stride());
        let count = plane.width.div_ceil(lanes);
        let length = count * lanes;
        let mut sums = [[T::splat(simd, T::zero()); 3]; C];
        for row in 0..plane.height {
            let pixels = &self.source[input * padded + (row + down) * stride..][..length + 2];
            let mut x = [T::vectors::<S>(&pixels[..length]); 3];
            for (right, x) in x.iter_mut().enumerate() {
                *x = &T::vectors::<S>(&pixels[right..right + length])[..count];
            }
            let mut d = [x[0]; C];
            for (c, d) in d.iter_mut().enumerate() {
                let start = (output + c) * padded + plane.row(row);
                *d = &T::vectors::<S>(&self.delta[start..start + length])[..count];
            }
            for i in 0..count {
                for (sums, d) in sums.iter_mut().zip(&d) {
                    for (sum, x) in sums.iter_mut().zip(&x) {
                        *sum = T::mul_add(simd, x[i], d[i], *sum);
                    }
                }
            }
        }
        sums
    }
}

/// The sum of gradients of kernels over the images, in their order.
pub(super) fn total<T: Real>(images: &[Vec<T>]) -> Vec<f64> {
    let mut total = vec![0.0; images.first().map_or(0, Vec::len)];
    for image in images {
        for (total, &value) in total.iter_mut().zip(image) {
            *total += value.into();
        }
    }
    total
}
