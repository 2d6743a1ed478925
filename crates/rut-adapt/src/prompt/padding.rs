//! The padding prompt of ILM-VP: the image in the middle of a canvas, a trained border around it.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use rut_data::Window;
use rut_models::{Normalization, Windowed};

use crate::error::{Error, Result};
use crate::state::{self, State};

const KEY: &str = "rut.prompt";

/// Where a padding prompt lies, and around what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PaddingOptions {
    /// Side of the canvas, pixels.
    pub canvas: usize,
    /// Side of the images in its middle, pixels.
    pub image_size: usize,
    /// What the images fill of their square, at this size. The rest of it is trained as well as the border.
    pub window: Window,
    /// How the network's images are normalised.
    pub normalization: Normalization,
}

impl PaddingOptions {
    /// Checks the sides.
    ///
    /// # Errors
    /// If the image leaves no border, or is none.
    pub fn check(&self) -> Result<()> {
        match (self.image_size, self.canvas) {
            (0, _) => Err(Error::Option {
                field: "image_size",
                expected: "at least 1 pixel".into(),
                found: "0".into(),
            }),
            (image, canvas) if image >= canvas => Err(Error::NoTrainablePixel { image, canvas }),
            _ => Ok(()),
        }
    }
}

/// u = (Z(x) + sigmoid(P) ⊙ M − mean) / std, with P [3, S, S] trained and M = 0 under the image, 1 elsewhere
/// (Chen et al., CVPR 2023, arXiv 2211.11635). The image may fill its square in part: M is 1 in the rest of it too.
///
/// ```
/// use candle_core::{DType, Device};
/// use rut_adapt::prompt::{PaddingOptions, PaddingPrompt};
/// use rut_data::Window;
/// use rut_models::Normalization;
/// let (window, normalization) = (Window::Whole, Normalization::IMAGENET);
/// let options = PaddingOptions { canvas: 224, image_size: 33, window, normalization };
/// let prompt = PaddingPrompt::new(options, DType::F32, &Device::Cpu)?;
/// assert_eq!(prompt.offset(), 96); // ⌊(224 − 33 + 1) / 2⌋ before, 95 after
/// assert_eq!(prompt.trainable(), 3 * (224 * 224 - 33 * 33));
/// let options = PaddingOptions { window: Window::UpperTriangle, ..options };
/// let prompt = PaddingPrompt::new(options, DType::F32, &Device::Cpu)?;
/// assert_eq!(prompt.trainable(), 3 * (224 * 224 - 33 * 32 / 2)); // the diagonal is trained
/// # Ok::<(), rut_adapt::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PaddingPrompt {
    /// P [3, S, S], before the sigmoid; zero at the start.
    pub program: Tensor,
    image_size: usize,
    window: Window,
    mask: Tensor,
    mean: Tensor,
    std: Tensor,
}

impl PaddingPrompt {
    /// A prompt that starts grey (P = 0) wherever it is trained.
    ///
    /// # Errors
    /// As [`PaddingOptions::check`].
    pub fn new(options: PaddingOptions, dtype: DType, device: &Device) -> Result<Self> {
        options.check()?;
        let PaddingOptions {
            canvas,
            image_size,
            window,
            normalization,
        } = options;
        let (before, after) = ((canvas - image_size).div_ceil(2), (canvas - image_size) / 2);
        let padded = filled(window, image_size, dtype, device)?
            .pad_with_zeros(1, before, after)?
            .pad_with_zeros(2, before, after)?;
        let channel = |values: [f32; 3]| {
            Tensor::new(&values, device)?
                .to_dtype(dtype)?
                .reshape((3, 1, 1))
        };
        Ok(Self {
            program: Tensor::zeros((3, canvas, canvas), dtype, device)?,
            image_size,
            window,
            mask: (1.0 - padded)?,
            mean: channel(normalization.mean)?,
            std: channel(normalization.std)?,
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

    /// Number of values of P that reach the network.
    pub fn trainable(&self) -> usize {
        let side = self.image_size;
        let filled = match self.window {
            Window::Whole => side.pow(2),
            Window::UpperTriangle => side * (side - 1) / 2,
        };
        3 * (self.canvas().pow(2) - filled)
    }

    /// The normalised canvas [3, S, S] made from `program`, and the normalised `images` [n, 3, s, s] in [0, 1] that
    /// belong on it, with what of the prompt lies in their square. Differentiable in `program`.
    ///
    /// # Errors
    /// If the images have another size.
    pub fn apply(&self, program: &Tensor, images: &Tensor) -> candle_core::Result<Windowed> {
        let border = (candle_nn::ops::sigmoid(program)? * &self.mask)?;
        let normalise = |x: &Tensor| x.broadcast_sub(&self.mean)?.broadcast_div(&self.std);
        let offset = self.offset();
        let patches = match self.window {
            Window::Whole => normalise(images)?,
            Window::UpperTriangle => {
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

    /// The border as it looks, sigmoid(P) ⊙ M, [3, S, S] in [0, 1], zero under the image.
    ///
    /// # Errors
    /// If the tensor cannot be computed.
    pub fn border(&self) -> candle_core::Result<Tensor> {
        candle_nn::ops::sigmoid(&self.program)? * &self.mask
    }

    /// The same prompt with another program.
    pub fn with_program(&self, program: Tensor) -> Self {
        Self {
            program,
            ..self.clone()
        }
    }

    /// Writes the program into `state` under `name`.
    pub fn save(&self, name: &str, state: &mut State) {
        state.put_tensor(name, &self.program);
    }

    /// The prompt that [`save`](Self::save) wrote, of the shape of `self`.
    ///
    /// # Errors
    /// If it is missing or of another shape.
    pub fn restore(&self, name: &str, state: &State) -> Result<Self> {
        Ok(self.with_program(state.tensor_like(name, &self.program)?))
    }

    /// A safetensors file with `program` [3, S, S] and the label map as `sources` `[targets]`.
    ///
    /// # Errors
    /// If the program is neither f32 nor f64.
    pub fn to_bytes(&self, sources: &[u32]) -> Result<Vec<u8>> {
        let sources: Vec<i64> = sources.iter().map(|&source| source.into()).collect();
        let sources = Tensor::new(sources, &Device::Cpu)?;
        let tensors = BTreeMap::from([
            ("program".to_owned(), self.program.clone()),
            ("sources".to_owned(), sources),
        ]);
        state::serialize(&tensors, KEY, self.version())
    }

    /// Kind and version of its files. A program does not tell where it was trained, so its kind does.
    fn version(&self) -> &'static str {
        match self.window {
            Window::Whole => "version 1 padding",
            Window::UpperTriangle => "version 1 padding, upper triangle",
        }
    }

    /// The prompt and the label map that [`to_bytes`](Self::to_bytes) wrote; everything but the program as in `self`.
    ///
    /// # Errors
    /// If the bytes hold no prompt of this shape.
    pub fn from_bytes(&self, bytes: &[u8]) -> Result<(Self, Vec<u32>)> {
        let (tensors, version) = state::deserialize(bytes, KEY)?;
        let unfit = |field: &str, expected: String, found: String| Error::State {
            field: field.into(),
            expected,
            found,
        };
        if version != self.version() {
            return Err(unfit(KEY, self.version().into(), version));
        }
        let get = |name: &str| {
            tensors
                .get(name)
                .ok_or_else(|| unfit(name, "a tensor".into(), "none".into()))
        };
        let program = get("program")?;
        if program.dims() != self.program.dims() || program.dtype() != self.program.dtype() {
            let describe = |t: &Tensor| format!("{:?} of shape {:?}", t.dtype(), t.dims());
            return Err(unfit("program", describe(&self.program), describe(program)));
        }
        let sources = get("sources")?.to_vec1::<i64>()?.into_iter();
        let class = |source: i64| {
            u32::try_from(source)
                .map_err(|_| unfit("sources", "classes from 0 up".into(), source.to_string()))
        };
        Ok((
            self.with_program(program.clone()),
            sources.map(class).collect::<Result<_>>()?,
        ))
    }
}

/// 1 where an image of `side`² pixels fills its square, 0 elsewhere, [3, side, side].
fn filled(
    window: Window,
    side: usize,
    dtype: DType,
    device: &Device,
) -> candle_core::Result<Tensor> {
    let whole = Tensor::ones((3, side, side), dtype, device)?;
    match window {
        Window::Whole => Ok(whole),
        Window::UpperTriangle => {
            let above = (0..side * side).map(|at| u8::from(at % side > at / side));
            let above = Tensor::from_iter(above, device)?.reshape((side, side))?;
            whole.broadcast_mul(&above.to_dtype(dtype)?)
        }
    }
}
