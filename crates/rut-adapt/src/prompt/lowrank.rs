//! The low-rank prompt (LoR-VP, Jin et al., ICLR 2025, arXiv 2502.00896).

use std::sync::Arc;

use candle_core::Tensor;
use rut_images::RgbImage;
use rut_models::Placement;
use rut_record::{Field, Kind, PROMPTING};

use super::batch::added;
use super::canvas::{Canvas, picture};
use super::options::{IMAGE_SIZE, from_one, normal, up_to_canvas};
use super::{Prompt, PromptRow, Prompted};
use crate::error::Result;

/// A product of two thin matrices in each channel.
pub(super) const LOW_RANK: PromptRow = PromptRow {
    name: "lowrank",
    title: "a trained image of low rank added to the whole image (LoR-VP)",
    options: &[IMAGE_SIZE, RANK],
    image_size: up_to_canvas,
    new: |shape, options, seed, placement| {
        let side = shape.canvas;
        let rank = from_one(&RANK, options, side)?;
        let Placement { dtype, device, .. } = placement;
        Ok(Arc::new(LowRankPrompt {
            left: Tensor::zeros((3, side, rank), *dtype, device)?,
            right: normal(seed, (3, rank, side), 0.01, (*dtype, device))?,
            canvas: Canvas::new(shape, placement)?,
        }))
    },
};

/// r.
const RANK: Field = Field {
    default: Some("4"),
    ..Field::new(
        "rank",
        "R",
        Kind::Count,
        PROMPTING,
        "Rank of a low-rank prompt, in each channel",
    )
};

/// u = N(Z(x) + B·A), with B [3, S, r], 0 at the start, and A [3, r, S], drawn from N(0, 0.01²).
#[derive(Clone, Debug)]
struct LowRankPrompt {
    left: Tensor,
    right: Tensor,
    canvas: Canvas,
}

impl Prompt for LowRankPrompt {
    fn version(&self) -> &'static str {
        "version 1 lowrank"
    }

    fn parameters(&self) -> Vec<(String, Tensor)> {
        vec![
            ("left".into(), self.left.clone()),
            ("right".into(), self.right.clone()),
        ]
    }

    fn with_parameters(&self, values: &[Tensor]) -> Arc<dyn Prompt> {
        let value = |at: usize, own: &Tensor| values.get(at).unwrap_or(own).clone();
        Arc::new(Self {
            left: value(0, &self.left),
            right: value(1, &self.right),
            canvas: self.canvas.clone(),
        })
    }

    fn trainable(&self) -> usize {
        self.left.elem_count() + self.right.elem_count()
    }

    fn apply(&self, parameters: &[Tensor], images: &Tensor) -> candle_core::Result<Prompted> {
        let value = |at: usize, own: &Tensor| parameters.get(at).unwrap_or(own).clone();
        let delta = value(0, &self.left).matmul(&value(1, &self.right))?;
        let images = self.canvas.placed_and_normalized(images)?;
        let delta = self.canvas.scaled(&delta)?;
        Ok(Prompted::Images(added(&images, &delta)?))
    }

    fn picture(&self) -> Result<RgbImage> {
        Ok(picture(&(self.left.matmul(&self.right)? + 0.5)?)?)
    }
}
