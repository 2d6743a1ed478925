//! Layers in f32, on dense or sparse kernels.

use rut_kernels::{Conv, ConvShape, Direction, Isa, Linear};

use super::choice::density;
use super::{Arithmetic, Built, Folded, Kernels};

/// The arithmetic of [`CpuNetwork`](crate::CpuNetwork).
#[derive(Debug)]
pub(in crate::frozen) struct SinglePrecision {
    pub(in crate::frozen) kernels: Kernels,
    pub(in crate::frozen) isa: Isa,
}

/// A convolution with its batch norm.
#[derive(Debug)]
pub(in crate::frozen) struct ConvLayer {
    pub(in crate::frozen) forward: Conv,
    pub(in crate::frozen) backward: Conv,
}

/// A fully connected layer.
#[derive(Debug)]
pub(in crate::frozen) struct LinearLayer {
    pub(in crate::frozen) forward: Linear,
    pub(in crate::frozen) backward: Linear,
}

impl Arithmetic for SinglePrecision {
    type Conv = ConvLayer;
    type Linear = LinearLayer;

    const QUANTIZES: bool = true;

    fn conv(&self, shape: ConvShape, folded: &Folded, _reads_input: bool) -> Built<ConvLayer> {
        let method = self.kernels.conv(shape, density(&folded.weights));
        let made =
            |direction, bias| Conv::new(self.isa, method, shape, direction, &folded.weights, bias);
        Ok(ConvLayer {
            forward: made(Direction::Forward, Some(folded.bias.as_slice()))?,
            backward: made(Direction::Backward, None)?,
        })
    }

    fn linear(&self, [written, read]: [usize; 2], folded: &Folded) -> Built<LinearLayer> {
        let mut transposed = vec![0.0; folded.weights.len()];
        for (out, row) in folded.weights.chunks(read).enumerate() {
            for (input, &weight) in row.iter().enumerate() {
                transposed[input * written + out] = weight;
            }
        }
        let method = self.kernels.linear(density(&folded.weights));
        let bias = Some(folded.bias.as_slice());
        Ok(LinearLayer {
            forward: Linear::new(self.isa, method, [written, read], &folded.weights, bias)?,
            backward: Linear::new(self.isa, method, [read, written], &transposed, None)?,
        })
    }
}
