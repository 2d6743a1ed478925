//! What prompts have in common that change images everywhere: the canvas of an image, its normalisation, its picture.

use candle_core::{DType, Device, Tensor};
use rut_images::RgbImage;
use rut_models::{Normalization, Placement};

use super::PromptShape;
use super::batch;
use crate::error::Result;

/// The canvas that images lie on, and how it is normalised.
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    /// Its side, pixels.
    pub(super) side: usize,
    image: usize,
    normalization: Normalization,
    mean: Tensor,
    std: Tensor,
}

impl Canvas {
    pub(super) fn new(shape: PromptShape, placement: &Placement) -> Result<Self> {
        let Placement { dtype, device, .. } = placement;
        let normalization = shape.normalization;
        Ok(Self {
            side: shape.canvas,
            image: shape.image_size,
            normalization,
            mean: channels(normalization.mean, *dtype, device)?,
            std: channels(normalization.std, *dtype, device)?,
        })
    }

    /// Images [n, 3, s, s] in the middle of black canvases [n, 3, S, S], ⌊(S − s + 1) / 2⌋ before, normalised.
    pub(super) fn placed_and_normalized(&self, images: &Tensor) -> candle_core::Result<Tensor> {
        self.check(images)?;
        let before = (self.side - self.image).div_ceil(2);
        let Normalization { mean, std } = self.normalization;
        batch::normalized(images, (self.side, before), mean, std)
    }

    /// The same as they are.
    pub(super) fn place(&self, images: &Tensor) -> candle_core::Result<Tensor> {
        self.check(images)?;
        let before = (self.side - self.image).div_ceil(2);
        if self.side == self.image {
            return Ok(images.clone());
        }
        let after = self.side - self.image - before;
        images
            .pad_with_zeros(2, before, after)?
            .pad_with_zeros(3, before, after)
    }

    fn check(&self, images: &Tensor) -> candle_core::Result<()> {
        if images.rank() == 4 && images.dims()[1..] == [3, self.image, self.image] {
            return Ok(());
        }
        candle_core::bail!(
            "put images on a canvas: expected a side of {}, found {:?}",
            self.image,
            images.dims()
        )
    }

    /// What is a factor of, or is added to, images [3, S, S] before normalisation, as it is after it.
    pub(super) fn scaled(&self, delta: &Tensor) -> candle_core::Result<Tensor> {
        delta.broadcast_div(&self.std)
    }

    /// (x − mean) / std, channel by channel, of x [3, S, S].
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
