//! The mask network of SMM: a few convolutions whose output says how much of a prompt each patch of an image gets.

use candle_core::{DType, Device, Tensor};
use candle_nn::{BatchNorm, Conv2d, Conv2dConfig, Module, ModuleT};
use rut_data::Stream;

/// Channels of the blocks; the fifth is there with six layers.
const CHANNELS: [usize; 6] = [3, 8, 16, 32, 64, 128];
/// ε of batch normalisation.
const EPSILON: f64 = 1e-5;
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

    /// The mask [n, c, S/p, S/p] of normalised images `x` [n, 3, S, S], and the running statistics after it, which those of a
    /// batch move.
    pub(super) fn forward(
        self,
        parameters: &[Tensor],
        buffers: &[Tensor],
        x: &Tensor,
        statistics: Statistics,
    ) -> candle_core::Result<(Tensor, Vec<Tensor>)> {
        let same = Conv2dConfig {
            padding: 1,
            ..Conv2dConfig::default()
        };
        let convolution =
            |weight: &Tensor, bias: &Tensor| Conv2d::new(weight.clone(), Some(bias.clone()), same);
        let (mut x, mut after) = (x.clone(), Vec::new());
        let blocks = parameters.chunks_exact(4).zip(buffers.chunks_exact(2));
        for (block, (own, running)) in blocks.take(self.blocks()).enumerate() {
            let norm = BatchNorm::new(
                CHANNELS[block + 1],
                running[0].clone(),
                running[1].clone(),
                own[2].clone(),
                own[3].clone(),
                EPSILON,
            )?;
            let convolved = convolution(&own[0], &own[1]).forward(&x)?;
            x = norm
                .forward_t(&convolved, statistics == Statistics::Batch)?
                .relu()?;
            if self.patch >= 2 << block {
                x = pooled(&x)?;
            }
            after.extend([norm.running_mean().copy()?, norm.running_var().copy()?]);
        }
        let mask = match &parameters[4 * self.blocks()..] {
            [weight, bias] => convolution(weight, bias).forward(&x)?,
            _ => x.mean_keepdim(1)?,
        };
        Ok((mask, after))
    }
}

/// The largest of each square of 2 × 2. candle's own pooling has a wrong gradient: a quarter of it, where one value is largest.
fn pooled(x: &Tensor) -> candle_core::Result<Tensor> {
    let (n, channels, height, width) = x.dims4()?;
    x.reshape((n, channels, height / 2, 2, width / 2, 2))?
        .max(5)?
        .max(3)
}
