//! The padding prompt of ILM-VP: the image in the middle of a canvas, a trained border around it.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use rut_data::ImageRegion;
use rut_images::RgbImage;
use rut_models::{Placement, Windowed};
use rut_record::Options;

use super::canvas::channels;
use super::options::IMAGE_SIZE;
use super::{Prompt, PromptRow, PromptShape, Prompted};
use crate::error::{Error, Result};

/// The shade of a picture where nothing is trained: the place of the image.
const PLACE: u8 = 236;

/// A border around the image.
pub(super) const PADDING: PromptRow = PromptRow {
    name: "padding",
    title: "a trained border around the image (ILM-VP)",
    options: &[IMAGE_SIZE],
    image_size: beside_border,
    new: |shape, _, _, placement| {
        let Placement { dtype, device, .. } = placement;
        Ok(Arc::new(PaddingPrompt::new(shape, *dtype, device)?))
    },
};

/// The side of an image that leaves a border, pixels.
pub(super) fn beside_border(options: &Options, canvas: usize, own: Option<usize>) -> Result<usize> {
    let usual = own.filter(|&side| side < canvas).unwrap_or(canvas / 2);
    let side = IMAGE_SIZE
        .whole(options)?
        .map(|side| usize::try_from(side).unwrap_or(usize::MAX));
    let side = side.unwrap_or(usual);
    check(side, canvas)?;
    Ok(side)
}

/// An image must leave a border.
fn check(image: usize, canvas: usize) -> Result<()> {
    match (image, canvas) {
        (0, _) => Err(Error::Option {
            field: IMAGE_SIZE.key,
            expected: "at least 1 pixel".into(),
            found: "0".into(),
        }),
        (image, canvas) if image >= canvas => Err(Error::NoTrainablePixel { image, canvas }),
        _ => Ok(()),
    }
}

/// u = (Z(x) + sigmoid(P) ⊙ M − mean) / std, with P [3, S, S] trained and M = 0 under the image, 1 elsewhere
/// (Chen et al., CVPR 2023, arXiv 2211.11635). The image may fill its square in part: M is 1 in the rest of it too.
///
/// ```
/// use candle_core::{DType, Device};
/// use rut_adapt::{PaddingPrompt, Prompt, PromptShape};
/// use rut_data::ImageRegion;
/// use rut_models::Normalization;
/// let (region, normalization) = (ImageRegion::Whole, Normalization::IMAGENET);
/// let options = PromptShape { canvas: 224, image_size: 33, region, normalization };
/// let prompt = PaddingPrompt::new(options, DType::F32, &Device::Cpu)?;
/// assert_eq!(prompt.offset(), 96); // ⌊(224 − 33 + 1) / 2⌋ before, 95 after
/// assert_eq!(prompt.trainable(), 3 * (224 * 224 - 33 * 33));
/// let options = PromptShape { region: ImageRegion::UpperTriangle, ..options };
/// let prompt = PaddingPrompt::new(options, DType::F32, &Device::Cpu)?;
/// assert_eq!(prompt.trainable(), 3 * (224 * 224 - 33 * 32 / 2)); // the diagonal is trained
/// # Ok::<(), rut_adapt::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PaddingPrompt {
    /// P [3, S, S], before the sigmoid; zero at the start.
    pub program: Tensor,
    image_size: usize,
    region: ImageRegion,
    mask: Tensor,
    mean: Tensor,
    std: Tensor,
}

impl PaddingPrompt {
    /// A prompt that starts grey (P = 0) wherever it is trained.
    ///
    /// # Errors
    /// If the image leaves no border, or is none.
    pub fn new(shape: PromptShape, dtype: DType, device: &Device) -> Result<Self> {
        let PromptShape {
            canvas,
            image_size,
            region,
            normalization,
        } = shape;
        check(image_size, canvas)?;
        let (before, after) = ((canvas - image_size).div_ceil(2), (canvas - image_size) / 2);
        let padded = filled(region, image_size, dtype, device)?
            .pad_with_zeros(1, before, after)?
            .pad_with_zeros(2, before, after)?;
        Ok(Self {
            program: Tensor::zeros((3, canvas, canvas), dtype, device)?,
            image_size,
            region,
            mask: (1.0 - padded)?,
            mean: channels(normalization.mean, dtype, device)?,
            std: channels(normalization.std, dtype, device)?,
        })
    }

    /// Side of the canvas, pixels.
    pub fn canvas(&self) -> usize {
        self.program.dims()[1]
    }

    /// Side of the image, pixels.
    pub fn image_size(&self) -> usize {
        self.image_size
    }

    /// First row, and first column, of the image on the canvas.
    pub fn offset(&self) -> usize {
        (self.canvas() - self.image_size).div_ceil(2)
    }

    /// The normalised canvas [3, S, S] made from `program`, and the normalised `images` [n, 3, s, s] in [0, 1] that
    /// belong on it, with what of the prompt lies in their square. Differentiable in `program`.
    ///
    /// # Errors
    /// If the images have another size.
    pub fn window(&self, program: &Tensor, images: &Tensor) -> candle_core::Result<Windowed> {
        let border = (candle_nn::ops::sigmoid(program)? * &self.mask)?;
        let normalise = |x: &Tensor| x.broadcast_sub(&self.mean)?.broadcast_div(&self.std);
        let offset = self.offset();
        let patches = match self.region {
            ImageRegion::Whole => normalise(images)?,
            ImageRegion::UpperTriangle => {
                let rows = border.narrow(1, offset, self.image_size)?;
                let inside = rows.narrow(2, offset, self.image_size)?;
                normalise(&images.broadcast_add(&inside)?)?
            }
        };
        Ok(Windowed {
            canvas: normalise(&border)?,
            patches,
            top: offset,
            left: offset,
        })
    }

    /// The same prompt with another program.
    fn with_program(&self, program: Tensor) -> Self {
        Self {
            program,
            ..self.clone()
        }
    }
}

impl Prompt for PaddingPrompt {
    /// A program does not contain the region that it was trained on, so its kind does.
    fn version(&self) -> &'static str {
        match self.region {
            ImageRegion::Whole => "version 1 padding",
            ImageRegion::UpperTriangle => "version 1 padding, upper triangle",
        }
    }

    fn parameters(&self) -> Vec<(String, Tensor)> {
        vec![("program".into(), self.program.clone())]
    }

    fn with_parameters(&self, values: &[Tensor]) -> Arc<dyn Prompt> {
        let program = values.first().unwrap_or(&self.program);
        Arc::new(self.with_program(program.clone()))
    }

    fn trainable(&self) -> usize {
        let side = self.image_size;
        let filled = match self.region {
            ImageRegion::Whole => side.pow(2),
            ImageRegion::UpperTriangle => side * (side - 1) / 2,
        };
        3 * (self.canvas().pow(2) - filled)
    }

    fn apply(&self, parameters: &[Tensor], images: &Tensor) -> candle_core::Result<Prompted> {
        let program = parameters.first().unwrap_or(&self.program);
        Ok(Prompted::Window(self.window(program, images)?))
    }

    fn picture(&self) -> Result<RgbImage> {
        let flat = |tensor: &Tensor| tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>();
        let border = flat(&candle_nn::ops::sigmoid(&self.program)?)?;
        let mask = flat(&self.mask)?;
        let side = self.canvas();
        let shade = |at: usize| {
            if mask[at] == 0.0 {
                PLACE
            } else {
                (255.0 * border[at]).round() as u8
            }
        };
        let plane = side * side;
        let pixel = |at: usize| (0..3).map(move |channel| channel * plane + at);
        Ok(RgbImage {
            width: side as u32,
            height: side as u32,
            pixels: (0..plane).flat_map(pixel).map(shade).collect(),
        })
    }
}

/// 1 where an image of `side`² pixels fills its square, 0 elsewhere, [3, side, side].
fn filled(
    region: ImageRegion,
    side: usize,
    dtype: DType,
    device: &Device,
) -> candle_core::Result<Tensor> {
    let whole = Tensor::ones((3, side, side), dtype, device)?;
    match region {
        ImageRegion::Whole => Ok(whole),
        ImageRegion::UpperTriangle => {
            let above = (0..side * side).map(|at| u8::from(at % side > at / side));
            let above = Tensor::from_iter(above, device)?.reshape((side, side))?;
            whole.broadcast_mul(&above.to_dtype(dtype)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use rut_models::Normalization;

    use super::*;

    #[test]
    fn a_picture_shows_the_border_as_it_looks_and_the_image_s_place_in_grey() {
        let shape = PromptShape {
            canvas: 3,
            image_size: 1,
            region: ImageRegion::Whole,
            normalization: Normalization::IMAGENET,
        };
        let prompt = PaddingPrompt::new(shape, DType::F64, &Device::Cpu).unwrap();
        let logits = (0..27).map(|at| {
            let value = f64::from(at + 1) / 255.0;
            (value / (1.0 - value)).ln()
        });
        let program = Tensor::from_iter(logits, &Device::Cpu)
            .unwrap()
            .reshape((3, 3, 3))
            .unwrap();
        let picture = prompt.with_parameters(&[program]).picture().unwrap();
        assert_eq!((picture.width, picture.height), (3, 3));
        assert_eq!(picture.pixels[..6], [1, 10, 19, 2, 11, 20]);
        assert_eq!(picture.pixels[12..15], [PLACE; 3]);
    }

    #[test]
    fn a_side_that_is_not_said_is_the_data_set_s_or_half_the_canvas() {
        let side = |options: &Options, own| beside_border(options, 224, own);
        let mut options = Options::default();
        assert_eq!(side(&options, Some(32)).unwrap(), 32);
        assert_eq!(side(&options, Some(224)).unwrap(), 112);
        assert_eq!(side(&options, None).unwrap(), 112);
        options.set("image_size", 48.into());
        assert_eq!(side(&options, Some(32)).unwrap(), 48);
        for (wrong, text) in [(0, "at least 1 pixel"), (224, "no pixel is left")] {
            options.set("image_size", wrong.into());
            let error = side(&options, None).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
