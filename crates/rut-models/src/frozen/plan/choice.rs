//! Which kernel a layer gets.

use rut_kernels::{ConvAlgorithm, ConvShape};

/// Which kernels a [`CpuNetwork`](crate::CpuNetwork) runs its layers on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kernels {
    /// For each layer the ones that are fastest for its shape and for the share of its weights that is not zero.
    Auto,
    /// Those that multiply all weights.
    Dense,
    /// Those that skip weights that are zero.
    Sparse,
}

/// The largest share of weights kept for which compressed rows are faster than the best dense kernel of the same shape:
/// where the two cross on ResNet-50's layers, estimated from the rates of both (AVX-512, one thread, weights zeroed at
/// random; `benchmarks/README.md` says at which shares), not measured at each crossing. Against Winograd's algorithm they
/// win far later than against the direct kernel.
const COSTS: &[(usize, usize, f64)] = &[
    // kernel, stride, density
    (1, 1, 0.68),
    (1, 2, 0.65),
    (3, 1, 0.23),
    (3, 2, 0.62),
];
/// For every other shape.
const OTHERWISE: f64 = 0.4;

/// With fewer channels than this, a layer stays with the direct kernel. The smallest layer that was measured has 64, and
/// Winograd's algorithm is 2.6 times as fast there; below 16 nothing was.
const WINOGRAD_CHANNELS: usize = 16;

impl Kernels {
    /// The method of a convolution of which `density` of the weights are not zero.
    pub(super) fn conv(self, shape: ConvShape, density: f64) -> ConvAlgorithm {
        let row = COSTS
            .iter()
            .find(|&&(kernel, stride, _)| (kernel, stride) == (shape.kernel, shape.stride));
        let limit = row.map_or(OTHERWISE, |&(_, _, limit)| limit);
        match self {
            Self::Sparse => ConvAlgorithm::Sparse,
            Self::Auto if density <= limit => ConvAlgorithm::Sparse,
            Self::Auto | Self::Dense => dense(shape),
        }
    }

    /// The method of a fully connected layer.
    pub(super) fn linear(self, density: f64) -> ConvAlgorithm {
        match self {
            Self::Sparse => ConvAlgorithm::Sparse,
            Self::Auto if density <= OTHERWISE => ConvAlgorithm::Sparse,
            Self::Auto | Self::Dense => ConvAlgorithm::Dense,
        }
    }
}

fn dense(shape: ConvShape) -> ConvAlgorithm {
    if ConvAlgorithm::Winograd.fits(shape) && shape.in_channels >= WINOGRAD_CHANNELS {
        ConvAlgorithm::Winograd
    } else {
        ConvAlgorithm::Dense
    }
}

/// The share of values that are not zero.
pub(super) fn density(values: &[f32]) -> f64 {
    let kept = values.iter().filter(|&&value| value != 0.0).count();
    kept as f64 / values.len().max(1) as f64
}
