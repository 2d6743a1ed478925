//! Batch norm with fixed statistics: one factor and one shift per channel, not folded into the convolution before it.

use candle_core::{DType, Device, Tensor};

use super::parameter::array;
use crate::error::Result;
use crate::graph::BatchNorm;
use crate::weights::Weights;

/// `x · factor + shift` with factor = weight / √(variance + eps) and shift = bias − mean · factor, computed in f64.
pub(super) struct NormLayer {
    /// `[1, channels, 1, 1]`.
    factor: Tensor,
    /// `[1, channels, 1, 1]`.
    shift: Tensor,
}

/// Mean and variance of every channel.
pub(super) struct Statistics {
    /// `[channels]`.
    pub(super) mean: Vec<f64>,
    /// `[channels]`, biased where it is of a batch.
    pub(super) variance: Vec<f64>,
}

/// Scale and shift of every channel, as they were trained.
pub(super) struct Affine {
    weight: Vec<f64>,
    bias: Vec<f64>,
    eps: f64,
}

impl Affine {
    pub(super) fn new(norm: &BatchNorm, weights: &Weights) -> Result<Self> {
        Ok(Self {
            weight: values(norm, weights, "weight")?,
            bias: values(norm, weights, "bias")?,
            eps: norm.eps,
        })
    }

    /// The layer that normalises by these statistics.
    pub(super) fn layer(
        &self,
        statistics: &Statistics,
        dtype: DType,
        device: &Device,
    ) -> Result<NormLayer> {
        let factor: Vec<f64> = self
            .weight
            .iter()
            .zip(&statistics.variance)
            .map(|(w, v)| w / (v + self.eps).sqrt())
            .collect();
        let centre = statistics.mean.iter().zip(&factor);
        let shift = self
            .bias
            .iter()
            .zip(centre)
            .map(|(b, (mean, f))| b - mean * f)
            .collect();
        let per_channel = |values: Vec<f64>| -> Result<Tensor> {
            let shape = (1, values.len(), 1, 1);
            Ok(Tensor::from_vec(values, shape, &Device::Cpu)?
                .to_dtype(dtype)?
                .to_device(device)?)
        };
        Ok(NormLayer {
            factor: per_channel(factor)?,
            shift: per_channel(shift)?,
        })
    }
}

fn values(norm: &BatchNorm, weights: &Weights, leaf: &str) -> Result<Vec<f64>> {
    let array = array(weights, &format!("{}.{leaf}", norm.param))?;
    Ok(array.data.iter().map(|&value| f64::from(value)).collect())
}

impl NormLayer {
    pub(super) fn new(
        norm: &BatchNorm,
        weights: &Weights,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let statistics = Statistics {
            mean: values(norm, weights, "running_mean")?,
            variance: values(norm, weights, "running_var")?,
        };
        Affine::new(norm, weights)?.layer(&statistics, dtype, device)
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.broadcast_mul(&self.factor)?.broadcast_add(&self.shift)?)
    }

    pub(super) fn backward(&self, grad: &Tensor) -> Result<Tensor> {
        Ok(grad.broadcast_mul(&self.factor)?)
    }
}
