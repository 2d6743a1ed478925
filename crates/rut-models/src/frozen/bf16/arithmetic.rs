//! Layers in bfloat16: convolutions as panels of weights, fully connected layers in single precision.

use rut_kernels::bf16::{Bf16Isa, Panels};
use rut_kernels::{ConvShape, Direction, Isa};

use crate::frozen::plan::{
    Arithmetic, Built, Folded, Kernels, LinearLayer, Refused, SinglePrecision,
};

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
    fn of_image(shape: ConvShape, folded: &Folded) -> rut_kernels::Result<Self> {
        Ok(Self {
            forward: Panels::from_image(shape, &folded.weights, Some(&folded.bias))?,
            backward: Panels::to_image(shape, &folded.weights)?,
        })
    }

    fn of_map(shape: ConvShape, folded: &Folded) -> rut_kernels::Result<Self> {
        let panels = |direction, bias| Panels::new(shape, direction, &folded.weights, bias);
        Ok(Self {
            forward: panels(Direction::Forward, Some(folded.bias.as_slice()))?,
            backward: panels(Direction::Backward, None)?,
        })
    }

    /// Bytes of the weights of one direction.
    pub(super) fn bytes(&self) -> usize {
        self.forward.bytes()
    }
}

impl Arithmetic for Bf16 {
    type Conv = Bf16Conv;
    type Linear = LinearLayer;

    fn conv(&self, shape: ConvShape, folded: &Folded, reads_input: bool) -> Built<Bf16Conv> {
        let conv = if reads_input {
            Bf16Conv::of_image(shape, folded)
        } else {
            Bf16Conv::of_map(shape, folded)
        };
        conv.map_err(|error| Refused::Because(format!("{error}, in bf16; use the precision f32")))
    }

    fn linear(&self, size: [usize; 2], folded: &Folded) -> Built<LinearLayer> {
        self.single.linear(size, folded)
    }
}
