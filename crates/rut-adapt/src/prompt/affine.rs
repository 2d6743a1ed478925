//! The prompt of ACAVP (NeurIPS 2025, arXiv 2510.07823): the image is moved, coloured, and padded where nothing is left of it.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use rut_images::RgbImage;
use rut_models::Placement;
use rut_record::{Field, Kind, PROMPTING, Word};

use super::canvas::{Canvas, picture};
use super::options::{IMAGE_SIZE, is, up_to_canvas};
use super::warp::{Coordinates, empty, warped};
use super::{Prompt, PromptRow, Prompted};
use crate::error::Result;

/// A trained motion of the image, and what is around it.
pub(super) const AFFINE: PromptRow = PromptRow {
    name: "affine",
    title: "a trained motion and colour of the image, and a trained border where nothing is left of it (ACAVP)",
    options: &[IMAGE_SIZE, AFFINE_CENTRE, AFFINE_MASK],
    image_size: up_to_canvas,
    new: |shape, options, _, placement| {
        let Placement { dtype, device, .. } = placement;
        let side = shape.canvas;
        let of = |values: &[f64]| Tensor::new(values, device)?.to_dtype(*dtype);
        let logit = |p: f64| (p / (1.0 - p)).ln();
        let whole = (3, side, side);
        Ok(Arc::new(AffinePrompt {
            parameters: vec![
                of(&[0.0])?,
                of(&[logit(0.73); 2])?,
                of(&[0.0; 2])?,
                of(&[0.0; 2])?,
                (Tensor::ones(whole, *dtype, device)? * logit(1.0 / 6.0))?,
                Tensor::zeros(whole, *dtype, device)?,
            ],
            about_middle: is(&AFFINE_CENTRE, options, "middle")?,
            by_batch: is(&AFFINE_MASK, options, "batch")?,
            canvas: Canvas::new(shape, placement)?,
        }))
    },
};

const AFFINE_CENTRE: Field = Field {
    default: Some("middle"),
    ..Field::new(
        "affine_centre",
        "POINT",
        Kind::Words(&[
            Word::new("middle", "the middle of the image"),
            Word::new("corner", "its top left corner, as in the published code"),
        ]),
        PROMPTING,
        "The point about which ACAVP turns and scales the image",
    )
};

const AFFINE_MASK: Field = Field {
    default: Some("geometry"),
    ..Field::new(
        "affine_mask",
        "RULE",
        Kind::Words(&[
            Word::new("geometry", "where no pixel of the moved image lies"),
            Word::new(
                "batch",
                "where all images of a batch are black, as in the published code",
            ),
        ]),
        PROMPTING,
        "Where ACAVP's border is",
    )
};

/// Names of the parameters, in their order.
const NAMES: [&str; 6] = [
    "angle",
    "scale",
    "shear",
    "translation",
    "colour",
    "program",
];

/// u = N(c ⊙ W(x) + P ⊙ M). W samples the image bilinearly after a rotation by 0.1 tanh(angle) radians, scales sigmoid(scale),
/// shears 0.1 tanh(shear) and a translation of 0.05 S tanh(translation) pixels; c = 6 sigmoid(colour), 1 at the start; P [3, S,
/// S] begins at 0; M is 1 where W finds no pixel. The matrix is kornia's `get_affine_matrix2d`.
#[derive(Clone, Debug)]
struct AffinePrompt {
    parameters: Vec<Tensor>,
    about_middle: bool,
    by_batch: bool,
    canvas: Canvas,
}

/// A 2 × 3 matrix of scalars.
type Matrix = [[Tensor; 3]; 2];

/// `scale` · tanh(x) or a like function of entry `at` of a tensor `[k]`.
fn entry(x: &Tensor, at: usize) -> candle_core::Result<Tensor> {
    x.narrow(0, at, 1)?.reshape(())
}

/// The product of two affine maps, the right one first.
fn product(a: &Matrix, b: &Matrix) -> candle_core::Result<Matrix> {
    let cell = |row: usize, column: usize| -> candle_core::Result<Tensor> {
        let sum = ((&a[row][0] * &b[0][column])? + (&a[row][1] * &b[1][column])?)?;
        if column == 2 {
            sum + &a[row][2]
        } else {
            Ok(sum)
        }
    };
    Ok([
        [cell(0, 0)?, cell(0, 1)?, cell(0, 2)?],
        [cell(1, 0)?, cell(1, 1)?, cell(1, 2)?],
    ])
}

/// The inverse of an affine map.
fn inverse(m: &Matrix) -> candle_core::Result<Matrix> {
    let [[a, b, x], [c, d, y]] = m;
    let determinant = ((a * d)? - (b * c)?)?;
    let over = |cell: Tensor| cell / &determinant;
    let (ia, ib) = (over(d.clone())?, over(b.neg()?)?);
    let (ic, id) = (over(c.neg()?)?, over(a.clone())?);
    let moved = |p: &Tensor, q: &Tensor| ((p * x)? + (q * y)?)?.neg();
    let (ix, iy) = (moved(&ia, &ib)?, moved(&ic, &id)?);
    Ok([[ia, ib, ix], [ic, id, iy]])
}

impl AffinePrompt {
    /// Where a pixel of the image goes, in pixels.
    fn matrix(&self, parameters: &[Tensor]) -> candle_core::Result<Matrix> {
        let side = self.canvas.side as f64;
        let turn = (entry(&parameters[0], 0)?.tanh()? * 0.1)?;
        let scale = candle_nn::ops::sigmoid(&parameters[1])?;
        let shear = (parameters[2].tanh()? * 0.1)?;
        let shift = (parameters[3].tanh()? * (0.05 * side))?;
        let (cos, sin) = (turn.cos()?, turn.sin()?);
        let (scale_x, scale_y) = (entry(&scale, 0)?, entry(&scale, 1)?);
        let tan = |x: Tensor| x.sin()? / x.cos()?;
        let (shear_x, shear_y) = (tan(entry(&shear, 0)?)?, tan(entry(&shear, 1)?)?);
        let zero = turn.zeros_like()?.detach();
        let centre = if self.about_middle {
            (side - 1.0) / 2.0
        } else {
            0.0
        };
        // About the centre: turn and scale, then move it back and shift it.
        let linear = [
            [(&cos * &scale_x)?, (&sin * &scale_y)?],
            [(sin.neg()? * &scale_x)?, (&cos * &scale_y)?],
        ];
        let back = |row: &[Tensor; 2], shift: Tensor| {
            let moved = ((&row[0] + &row[1])? * -centre)?;
            (moved + centre)? + shift
        };
        let [top, bottom] = linear;
        let (x, y) = (
            back(&top, entry(&shift, 0)?)?,
            back(&bottom, entry(&shift, 1)?)?,
        );
        let [a, b] = top;
        let [c, d] = bottom;
        let turned = [[a, b, x], [c, d, y]];
        // kornia's shear about the centre.
        let one = (&zero + 1.0)?;
        let both = (&shear_x * &shear_y)?;
        let sheared = [
            [one, shear_x.neg()?, (&shear_x * centre)?],
            [
                shear_y.neg()?,
                (&both + 1.0)?,
                (&shear_y * ((&shear_x * centre)? + centre)?)?,
            ],
        ];
        product(&turned, &sheared)
    }

    /// Rows and columns that the pixels of the moved image are sampled at, each [S·S].
    fn coordinates(&self, parameters: &[Tensor]) -> candle_core::Result<Coordinates> {
        let side = self.canvas.side;
        let like = &parameters[0];
        let place = |of: fn(usize, usize) -> usize| {
            let pixels: Vec<f64> = (0..side * side).map(|at| of(at, side) as f64).collect();
            Tensor::new(pixels, like.device())?.to_dtype(like.dtype())
        };
        let (rows, columns) = (place(|at, side| at / side)?, place(|at, side| at % side)?);
        let back = inverse(&self.matrix(parameters)?)?;
        let along = |[x, y, shift]: &[Tensor; 3]| {
            let at = (columns.broadcast_mul(x)? + rows.broadcast_mul(y)?)?;
            at.broadcast_add(shift)
        };
        let [x, y] = &back;
        Ok([along(y)?, along(x)?])
    }

    /// 1 where a moved image has no pixel, [S, S].
    fn mask(&self, images: &Tensor, at: &Coordinates) -> candle_core::Result<Tensor> {
        if self.by_batch {
            return empty(images, at);
        }
        let side = self.canvas.side;
        empty(
            &Tensor::ones((1, 1, side, side), images.dtype(), images.device())?,
            at,
        )
    }

    /// Factors of moved images, and what is added to them, each [3, S, S].
    fn colours(
        &self,
        parameters: &[Tensor],
        mask: &Tensor,
    ) -> candle_core::Result<(Tensor, Tensor)> {
        let colour = (candle_nn::ops::sigmoid(&parameters[4])? * 6.0)?;
        Ok((colour, parameters[5].broadcast_mul(mask)?))
    }
}

impl Prompt for AffinePrompt {
    fn version(&self) -> &'static str {
        "version 1 affine"
    }

    fn parameters(&self) -> Vec<(String, Tensor)> {
        let names = NAMES.map(str::to_owned).into_iter();
        names.zip(self.parameters.iter().cloned()).collect()
    }

    fn with_parameters(&self, values: &[Tensor]) -> Arc<dyn Prompt> {
        let mut prompt = self.clone();
        if values.len() == prompt.parameters.len() {
            prompt.parameters = values.to_vec();
        }
        Arc::new(prompt)
    }

    fn trainable(&self) -> usize {
        self.parameters.iter().map(Tensor::elem_count).sum()
    }

    fn apply(&self, parameters: &[Tensor], images: &Tensor) -> candle_core::Result<Prompted> {
        let images = self.canvas.place(images)?;
        let at = self.coordinates(parameters)?;
        let (colour, border) = self.colours(parameters, &self.mask(&images, &at)?)?;
        let (colour, border) = (
            self.canvas.scaled(&colour)?,
            self.canvas.normalize(&border)?,
        );
        Ok(Prompted::Images(warped(&images, &at, &colour, &border)?))
    }

    /// Of a grey image.
    fn picture(&self) -> Result<RgbImage> {
        let side = self.canvas.side;
        let grey = Tensor::full(0.5f64, (1, 3, side, side), &Device::Cpu)?;
        let grey = grey.to_dtype(self.parameters[0].dtype())?;
        let at = self.coordinates(&self.parameters)?;
        let (colour, border) = self.colours(&self.parameters, &self.mask(&grey, &at)?)?;
        Ok(picture(&warped(&grey, &at, &colour, &border)?.squeeze(0)?)?)
    }
}
