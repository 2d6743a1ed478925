//! Prompts that are added to an image: a frame, a patch, a watermark over all of it.

use std::sync::Arc;

use candle_core::Tensor;
use rut_data::Seed;
use rut_images::RgbImage;
use rut_models::Placement;
use rut_record::{Field, Kind, Options, PROMPTING};

use super::batch::added;
use super::canvas::{Canvas, picture};
use super::options::{
    IMAGE_SIZE, PROMPT_INIT, PROMPT_SPACE, SQUASH, from_one, is, normal, up_to_canvas,
};
use super::{Prompt, PromptRow, PromptShape, Prompted};
use crate::error::Result;

/// Along the edges.
pub(super) const FRAME: PromptRow = PromptRow {
    name: "frame",
    title: "a trained frame added along the edges of the image (Bahng et al.; EVP)",
    options: &[IMAGE_SIZE, WIDTH, PROMPT_SPACE, SQUASH, PROMPT_INIT],
    image_size: up_to_canvas,
    new: |shape, options, seed, placement| {
        let canvas = shape.canvas;
        let width = from_one(&WIDTH, options, canvas / 2)?;
        let inner = width..canvas - width;
        let frame = |row, column| !(inner.contains(&row) && inner.contains(&column));
        additive("version 1 frame", shape, options, (seed, placement), &frame)
    },
};

/// Everywhere.
pub(super) const WATERMARK: PromptRow = PromptRow {
    name: "watermark",
    title: "a trained image added to the whole image",
    options: &[IMAGE_SIZE, PROMPT_SPACE, SQUASH, PROMPT_INIT],
    image_size: up_to_canvas,
    new: |shape, options, seed, placement| {
        let all = |_, _| true;
        additive(
            "version 1 watermark",
            shape,
            options,
            (seed, placement),
            &all,
        )
    },
};

/// In a corner.
pub(super) const PATCH: PromptRow = PromptRow {
    name: "patch",
    title: "a trained square added in the top left corner of the image (Bahng et al.)",
    options: &[IMAGE_SIZE, WIDTH, PROMPT_SPACE, SQUASH, PROMPT_INIT],
    image_size: up_to_canvas,
    new: |shape, options, seed, placement| {
        let width = from_one(&WIDTH, options, shape.canvas)?;
        let corner = |row, column| row < width && column < width;
        additive(
            "version 1 patch",
            shape,
            options,
            (seed, placement),
            &corner,
        )
    },
};

/// p.
const WIDTH: Field = Field {
    default: Some("30"),
    ..Field::new(
        "prompt_width",
        "PIXELS",
        Kind::Count,
        PROMPTING,
        "Width of a frame, or side of a patch, pixels",
    )
};

/// u = N(Z(x)) + P ⊙ M, or N(Z(x) + P ⊙ M), with P [3, S, S] trained, as it is or behind a sigmoid, and M = 1 where the prompt
/// lies; Z puts a smaller image into the middle of a black canvas. (Bahng et al., arXiv 2203.17274; BLM, SMM, EVP.)
#[derive(Clone, Debug)]
struct AdditivePrompt {
    version: &'static str,
    program: Tensor,
    mask: Tensor,
    canvas: Canvas,
    in_pixels: bool,
    squashed: bool,
    covered: usize,
}

fn additive(
    version: &'static str,
    shape: PromptShape,
    options: &Options,
    (seed, placement): (Seed, &Placement),
    covers: &dyn Fn(usize, usize) -> bool,
) -> Result<Arc<dyn Prompt>> {
    let side = shape.canvas;
    let Placement { dtype, device, .. } = placement;
    let cells = (0..side * side).map(|at| u8::from(covers(at / side, at % side)));
    let cells: Vec<u8> = cells.collect();
    let covered = cells.iter().filter(|&&cell| cell == 1).count();
    let mask = Tensor::from_vec(cells, (1, side, side), device)?.to_dtype(*dtype)?;
    let start = if is(&PROMPT_INIT, options, "normal")? {
        normal(seed, (3, side, side), 1.0, (*dtype, device))?.broadcast_mul(&mask)?
    } else {
        Tensor::zeros((3, side, side), *dtype, device)?
    };
    Ok(Arc::new(AdditivePrompt {
        version,
        program: start,
        mask,
        canvas: Canvas::new(shape, placement)?,
        in_pixels: is(&PROMPT_SPACE, options, "pixels")?,
        squashed: is(&SQUASH, options, "sigmoid")?,
        covered,
    }))
}

impl AdditivePrompt {
    /// What is added, [3, S, S].
    fn delta(&self, program: &Tensor) -> candle_core::Result<Tensor> {
        let program = if self.squashed {
            candle_nn::ops::sigmoid(program)?
        } else {
            program.clone()
        };
        program.broadcast_mul(&self.mask)
    }

    fn add(&self, delta: &Tensor, images: &Tensor) -> candle_core::Result<Prompted> {
        let delta = if self.in_pixels {
            self.canvas.scaled(delta)?
        } else {
            delta.clone()
        };
        let images = self.canvas.placed_and_normalized(images)?;
        Ok(Prompted::Images(added(&images, &delta)?))
    }
}

impl Prompt for AdditivePrompt {
    fn version(&self) -> &'static str {
        self.version
    }

    fn parameters(&self) -> Vec<(String, Tensor)> {
        vec![("program".into(), self.program.clone())]
    }

    fn with_parameters(&self, values: &[Tensor]) -> Arc<dyn Prompt> {
        let program = values.first().unwrap_or(&self.program).clone();
        Arc::new(Self {
            program,
            ..self.clone()
        })
    }

    fn trainable(&self) -> usize {
        3 * self.covered
    }

    fn apply(&self, parameters: &[Tensor], images: &Tensor) -> candle_core::Result<Prompted> {
        let program = parameters.first().unwrap_or(&self.program);
        self.add(&self.delta(program)?, images)
    }

    /// Without the mask where nothing is squashed: gradients are normalised over the whole canvas before
    /// [`mask_gradients`](Prompt::mask_gradients).
    fn train(
        &self,
        parameters: &[Tensor],
        images: &Tensor,
    ) -> candle_core::Result<(Prompted, Vec<Tensor>)> {
        match parameters.first() {
            Some(program) if !self.squashed => Ok((self.add(program, images)?, Vec::new())),
            _ => Ok((self.apply(parameters, images)?, Vec::new())),
        }
    }

    fn mask_gradients(&self, gradients: Vec<Tensor>) -> candle_core::Result<Vec<Tensor>> {
        let masked = |gradient: &Tensor| gradient.broadcast_mul(&self.mask);
        gradients.iter().map(masked).collect()
    }

    fn picture(&self) -> Result<RgbImage> {
        let delta = self.delta(&self.program)?;
        if self.squashed {
            let grey = ((1.0 - &self.mask)? * 0.5)?;
            return Ok(picture(&delta.broadcast_add(&grey)?)?);
        }
        if self.in_pixels {
            return Ok(picture(&(delta + 0.5)?)?);
        }
        self.canvas.picture_of_normalized(&delta)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::DType;
    use rut_data::ImageRegion;
    use rut_models::Normalization;

    use super::*;

    fn new(row: &PromptRow, set: &[(&str, serde_json::Value)]) -> Result<Arc<dyn Prompt>> {
        let mut options = Options::default();
        for (key, value) in set {
            options.set(key, value.clone());
        }
        let shape = PromptShape {
            canvas: 8,
            image_size: (row.image_size)(&options, 8, None)?,
            region: ImageRegion::Whole,
            normalization: Normalization::IMAGENET,
        };
        let placement = Placement {
            dtype: DType::F64,
            ..Placement::default()
        };
        (row.new)(shape, &options, Seed(4), &placement)
    }

    #[test]
    fn each_covers_what_its_name_says() {
        let width = ("prompt_width", 3.into());
        for (row, set, covered) in [
            (&FRAME, vec![width.clone()], 64 - 4),
            (&PATCH, vec![width], 9),
            (&WATERMARK, vec![], 64),
        ] {
            let prompt = new(row, &set).unwrap();
            assert_eq!(prompt.trainable(), 3 * covered, "{}", row.name);
            let picture = prompt.picture().unwrap();
            assert!(picture.pixels.iter().all(|&shade| shade == 128));
        }
    }

    #[test]
    fn a_width_without_place_is_refused() {
        for (row, width) in [(&FRAME, 0), (&FRAME, 5), (&PATCH, 9)] {
            let error = new(row, &[("prompt_width", width.into())]).unwrap_err();
            assert!(error.to_string().contains("prompt_width"), "{error}");
        }
        let error = new(&WATERMARK, &[("image_size", 9.into())]).unwrap_err();
        assert!(error.to_string().contains("canvas of 8"), "{error}");
    }

    #[test]
    fn a_normal_start_stays_inside_the_mask() {
        let set = [("prompt_init", "normal".into()), ("prompt_width", 2.into())];
        let prompt = new(&PATCH, &set).unwrap();
        let program = prompt.values()[0].to_vec3::<f64>().unwrap();
        assert!(program[0][1][1] != 0.0 && program[0][2][1] == 0.0);
    }
}
