//! The full map (FullyMap of AutoVP, Tsao et al., arXiv 2310.08381): a linear layer on the source logits, trained with the
//! prompt.

use candle_core::Tensor;

use super::{LabelMap, LabelMappingSpec, MadeMap, Making, Refresh};
use crate::error::Result;

/// Trained, from no image.
pub(super) const FULL: LabelMappingSpec = LabelMappingSpec {
    name: "full",
    title: "full: a linear layer on the source logits, trained with the prompt",
    options: &[],
    one_to_one: false,
    refresh: |_| Ok(Refresh::Never),
    make: |making| Ok(MadeMap::unfounded(start(&making)?)),
};

/// z = f · W + b, weight and bias uniform in ±1/√S, as `torch.nn.Linear` starts (drawn from the seed's stream `label map`, the
/// weights target by target).
fn start(making: &Making<'_>) -> Result<LabelMap> {
    let (sources, targets) = (making.sources, making.targets);
    let mut stream = making.seed.stream("label map");
    let bound = 1.0 / (sources as f64).sqrt();
    let mut draw = |n: usize| -> Vec<f64> {
        (0..n)
            .map(|_| (2.0 * stream.uniform() - 1.0) * bound)
            .collect()
    };
    let placed = |tensor: Tensor| tensor.to_dtype(making.placement.dtype);
    let device = &making.placement.device;
    let weights = Tensor::from_vec(draw(targets * sources), (targets, sources), device)?;
    let bias = Tensor::from_vec(draw(targets), targets, device)?;
    let weights = placed(weights.t()?.contiguous()?)?;
    Ok(LabelMap::weighted(weights, Some(placed(bias)?))?.trained())
}
