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

impl NormLayer {
    pub(super) fn new(
        norm: &BatchNorm,
        weights: &Weights,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let values = |leaf: &str| -> Result<Vec<f64>> {
            let array = array(weights, &format!("{}.{leaf}", norm.param))?;
            Ok(array.data.iter().map(|&value| f64::from(value)).collect())
        };
        let variance = values("running_var")?;
        let factor: Vec<f64> = values("weight")?
            .iter()
            .zip(&variance)
            .map(|(w, v)| w / (v + norm.eps).sqrt())
            .collect();
        let centre = values("running_mean")?.into_iter().zip(&factor);
        let shift = values("bias")?
            .into_iter()
            .zip(centre)
            .map(|(b, (mean, f))| b - mean * f)
            .collect();
        let per_channel = |values: Vec<f64>| -> Result<Tensor> {
            let shape = (1, norm.channels, 1, 1);
            Ok(Tensor::from_vec(values, shape, &Device::Cpu)?
                .to_dtype(dtype)?
                .to_device(device)?)
        };
        Ok(Self {
            factor: per_channel(factor)?,
            shift: per_channel(shift)?,
        })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.broadcast_mul(&self.factor)?.broadcast_add(&self.shift)?)
    }

    pub(super) fn backward(&self, grad: &Tensor) -> Result<Tensor> {
        Ok(grad.broadcast_mul(&self.factor)?)
    }
}
