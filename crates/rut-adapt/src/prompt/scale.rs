//! The prompt of AutoVP (Tsao et al., arXiv 2310.08381): a border around an image whose scale is trained too.

use std::sync::Arc;

use candle_core::{DType, Tensor};
use rut_images::RgbImage;
use rut_models::Placement;
use rut_record::{Field, Kind, PROMPTING};

use super::canvas::{Canvas, picture};
use super::options::IMAGE_SIZE;
use super::padding::beside_border;
use super::warp::{Coordinates, warped};
use super::{Prompt, PromptRow, Prompted};
use crate::error::{Error, Result};

/// A border, and the scale of the image inside.
pub(super) const SCALE: PromptRow = PromptRow {
    name: "scale",
    title: "a trained border around the image, whose scale is trained too (AutoVP)",
    options: &[IMAGE_SIZE, INITIAL_SCALE],
    image_size: beside_border,
    new: |shape, options, _, placement| {
        let scale = INITIAL_SCALE.number(options)?.unwrap_or(f64::NAN);
        if !(SMALLEST..=LARGEST).contains(&scale) {
            return Err(Error::Option {
                field: INITIAL_SCALE.key,
                expected: format!("from {SMALLEST} to {LARGEST}"),
                found: scale.to_string(),
            });
        }
        let Placement { dtype, device, .. } = placement;
        let side = shape.canvas;
        Ok(Arc::new(ScalePrompt {
            scale: Tensor::new(scale, device)?.to_dtype(*dtype)?,
            program: Tensor::zeros((3, side, side), *dtype, device)?,
            image: shape.image_size,
            canvas: Canvas::new(shape, placement)?,
        }))
    },
};

/// The range that the scale is kept in.
const SMALLEST: f64 = 0.1;
const LARGEST: f64 = 5.0;

/// α before training.
const INITIAL_SCALE: Field = Field {
    default: Some("1.5"),
    ..Field::new(
        "initial_scale",
        "FACTOR",
        Kind::Number,
        PROMPTING,
        "Scale of the image on the canvas before training, times `image_size`",
    )
};

/// u = N(W_α(Z(x)) + sigmoid(P) ⊙ M): W_α scales the canvas about its middle by α, in [0.1, 5], bilinearly, with 0 outside; M is
/// 0 on the middle h' = min(⌊α·s⌋, S) pixels, 1 elsewhere, and has no gradient.
#[derive(Clone, Debug)]
struct ScalePrompt {
    scale: Tensor,
    program: Tensor,
    image: usize,
    canvas: Canvas,
}

impl ScalePrompt {
    /// M [1, S, S] at the scale of `scale`.
    fn mask(&self, scale: &Tensor) -> candle_core::Result<Tensor> {
        let side = self.canvas.side;
        let scale = scale.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        let inner = ((self.image as f64 * scale) as usize).min(side);
        let middle = (side - inner) / 2..(side + inner) / 2;
        let covers = |at: usize| middle.contains(&(at / side)) && middle.contains(&(at % side));
        let cells = (0..side * side).map(|at| u8::from(!covers(at)));
        let mask = Tensor::from_iter(cells, self.program.device())?;
        mask.reshape((1, side, side))?
            .to_dtype(self.program.dtype())
    }

    fn border(&self, scale: &Tensor, program: &Tensor) -> candle_core::Result<Tensor> {
        candle_nn::ops::sigmoid(program)?.broadcast_mul(&self.mask(scale)?)
    }

    /// Where the pixels of the canvas, scaled about its middle, are sampled.
    fn coordinates(&self, scale: &Tensor) -> candle_core::Result<Coordinates> {
        let side = self.canvas.side;
        let centre = (side as f64 - 1.0) / 2.0;
        let along = |of: fn(usize, usize) -> usize| {
            let from_centre = (0..side * side).map(|at| of(at, side) as f64 - centre);
            let offset = Tensor::from_iter(from_centre, scale.device())?;
            let offset = offset.to_dtype(scale.dtype())?;
            offset.broadcast_div(scale)? + centre
        };
        Ok([along(|at, side| at / side)?, along(|at, side| at % side)?])
    }
}

impl Prompt for ScalePrompt {
    fn version(&self) -> &'static str {
        "version 1 scale"
    }

    fn parameters(&self) -> Vec<(String, Tensor)> {
        vec![
            ("scale".into(), self.scale.clone()),
            ("program".into(), self.program.clone()),
        ]
    }

    /// A scale outside its range becomes the nearest inside, as after each step of AutoVP.
    fn with_parameters(&self, values: &[Tensor]) -> Arc<dyn Prompt> {
        let value = |at: usize, own: &Tensor| values.get(at).unwrap_or(own).clone();
        let scale = value(0, &self.scale);
        Arc::new(Self {
            scale: scale.clamp(SMALLEST, LARGEST).unwrap_or(scale),
            program: value(1, &self.program),
            ..self.clone()
        })
    }

    fn trainable(&self) -> usize {
        let covered = self.mask(&self.scale).and_then(|mask| {
            let sum = mask.sum_all()?.to_dtype(DType::F64)?;
            sum.to_scalar::<f64>()
        });
        1 + 3 * covered.unwrap_or(0.0) as usize
    }

    fn apply(&self, parameters: &[Tensor], images: &Tensor) -> candle_core::Result<Prompted> {
        let value = |at: usize, own: &Tensor| parameters.get(at).unwrap_or(own).clone();
        let (scale, program) = (value(0, &self.scale), value(1, &self.program));
        let border = self.border(&scale.detach(), &program)?;
        let (one, border) = (border.ones_like()?, self.canvas.normalize(&border)?);
        Ok(Prompted::Images(warped(
            &self.canvas.place(images)?,
            &self.coordinates(&scale)?,
            &self.canvas.scaled(&one)?,
            &border,
        )?))
    }

    fn picture(&self) -> Result<RgbImage> {
        Ok(picture(&self.border(&self.scale, &self.program)?)?)
    }
}
