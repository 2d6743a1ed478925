//! What prompts have in common that change images everywhere: the canvas of an image, its normalisation, its picture.

use candle_core::{DType, Device, Tensor};
use rut_images::RgbImage;
use rut_models::Placement;

use super::PromptShape;
use crate::error::Result;

/// The canvas that images lie on, and how it is normalised.
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    /// Its side, pixels.
    pub(super) side: usize,
    image: usize,
    mean: Tensor,
    std: Tensor,
}

impl Canvas {
    pub(super) fn new(shape: PromptShape, placement: &Placement) -> Result<Self> {
        let Placement { dtype, device } = placement;
        let normalization = shape.normalization;
        Ok(Self {
            side: shape.canvas,
            image: shape.image_size,
            mean: channels(normalization.mean, *dtype, device)?,
            std: channels(normalization.std, *dtype, device)?,
        })
    }

    /// Images [n, 3, s, s] in the middle of black canvases [n, 3, S, S], ⌊(S − s + 1) / 2⌋ before.
    pub(super) fn place(&self, images: &Tensor) -> candle_core::Result<Tensor> {
        let (before, after) = (
            (self.side - self.image).div_ceil(2),
            (self.side - self.image) / 2,
        );
        if images.dims()[2..] != [self.image; 2] {
            candle_core::bail!(
                "put images on a canvas: expected a side of {}, found {:?}",
                self.image,
                images.dims()
            );
        }
        if before + after == 0 {
            return Ok(images.clone());
        }
        images
            .pad_with_zeros(2, before, after)?
            .pad_with_zeros(3, before, after)
    }

    /// (x − mean) / std, channel by channel.
    pub(super) fn normalize(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        x.broadcast_sub(&self.mean)?.broadcast_div(&self.std)
    }

    /// A picture of what is added in normalised space, `delta` [3, S, S]: half grey where it is 0.
    pub(super) fn picture_of_normalized(&self, delta: &Tensor) -> Result<RgbImage> {
        Ok(picture(&(delta.broadcast_mul(&self.std)? + 0.5)?)?)
    }
}

/// A value for each channel, [3, 1, 1].
pub(super) fn channels(
    values: [f32; 3],
    dtype: DType,
    device: &Device,
) -> candle_core::Result<Tensor> {
    Tensor::new(&values, device)?
        .to_dtype(dtype)?
        .reshape((3, 1, 1))
}

/// The picture of values [3, S, S], of which 0 is black and 1 white.
pub(super) fn picture(values: &Tensor) -> candle_core::Result<RgbImage> {
    let (_, height, width) = values.dims3()?;
    let values = values
        .to_dtype(DType::F32)?
        .flatten_all()?
        .to_vec1::<f32>()?;
    let plane = height * width;
    let pixel = |at: usize| (0..3).map(move |channel| channel * plane + at);
    let shade = |at: usize| (255.0 * values[at]).round().clamp(0.0, 255.0) as u8;
    Ok(RgbImage {
        width: width as u32,
        height: height as u32,
        pixels: (0..plane).flat_map(pixel).map(shade).collect(),
    })
}
