//! Layers in bfloat16: convolutions as panels of weights, fully connected layers in single precision.

use rut_kernels::bf16::{Bf16Isa, Panels};
use rut_kernels::{ConvShape, Direction, Isa};

use crate::frozen::plan::{Arithmetic, Built, Folded, Kernels, LinearLayer, SinglePrecision};

/// The arithmetic of [`Bf16Network`](crate::Bf16Network).
#[derive(Debug)]
pub(super) struct Bf16 {
    pub(super) isa: Bf16Isa,
    /// Of what comes after the last map.
    pub(super) single: SinglePrecision,
}

/// A convolution with its batch norm.
#[derive(Debug)]
pub(super) struct Bf16Conv {
    pub(super) forward: Panels,
    pub(super) backward: Panels,
}

impl Bf16 {
    pub(super) fn new(isa: Bf16Isa) -> rut_kernels::Result<Self> {
        let single = SinglePrecision {
            kernels: Kernels::Auto,
            isa: Isa::chosen()?,
        };
        Ok(Self { isa, single })
    }
}

impl Bf16Conv {
    /// Bytes of the weights of one direction.
    pub(super) fn bytes(&self) -> usize {
        self.forward.bytes()
    }
}

impl Arithmetic for Bf16 {
    type Conv = Bf16Conv;
    type Linear = LinearLayer;

    fn conv(&self, shape: ConvShape, folded: &Folded, reads_input: bool) -> Built<Bf16Conv> {
        let (weights, bias) = (&folded.weights, Some(folded.bias.as_slice()));
        if reads_input {
            return Ok(Bf16Conv {
                forward: Panels::from_image(shape, weights, bias)?,
                backward: Panels::to_image(shape, weights)?,
            });
        }
        Ok(Bf16Conv {
            forward: Panels::new(shape, Direction::Forward, weights, bias)?,
            backward: Panels::new(shape, Direction::Backward, weights, None)?,
        })
    }

    fn linear(&self, size: [usize; 2], folded: &Folded) -> Built<LinearLayer> {
        self.single.linear(size, folded)
    }
}
