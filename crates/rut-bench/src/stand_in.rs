//! Images, features and gradients that are drawn instead of read: their values do not matter, their number does.

use std::ops::Range;

use candle_core::{Device, Shape, Tensor};
use rut_adapt::LabelledImages;
use rut_data::{Batch, Seed};

use crate::error::Result;

/// A tensor of f32 of this range, from a stream of its own.
///
/// # Errors
/// If there is no memory for it.
pub(super) fn noise(
    seed: Seed,
    stream: &str,
    shape: impl Into<Shape>,
    range: Range<f64>,
) -> Result<Tensor> {
    let shape = shape.into();
    let mut stream = seed.stream(stream);
    let draw = || (range.start + (range.end - range.start) * stream.uniform()) as f32;
    let values: Vec<f32> = std::iter::repeat_with(draw)
        .take(shape.elem_count())
        .collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu).map_err(rut_adapt::Error::from)?)
}

/// Labels below `classes`, in turn.
pub(super) fn labels(count: usize, classes: usize) -> Vec<u32> {
    (0..count)
        .map(|index| (index % classes.max(1)) as u32)
        .collect()
}

/// One batch of images that comes again and again, as many as are asked for.
pub(super) struct SameImages {
    /// Pixels [n, 3, side, side] in [0, 1].
    pixels: Vec<f32>,
    side: usize,
    labels: Vec<u32>,
}

impl SameImages {
    /// `count` images of `side`² pixels in batches of at most `batch`, with labels below `classes`.
    pub(super) fn new(seed: Seed, side: usize, batch: usize, count: usize, classes: usize) -> Self {
        let mut stream = seed.stream("bench/pixels");
        let pixels = (0..batch * 3 * side * side).map(|_| stream.uniform() as f32);
        Self {
            pixels: pixels.collect(),
            side,
            labels: labels(count, classes),
        }
    }
}

impl LabelledImages for SameImages {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn side(&self) -> usize {
        self.side
    }

    fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn batch(&self, indices: &[usize]) -> rut_adapt::Result<Batch> {
        let values = indices.len() * 3 * self.side * self.side;
        let times = values.div_ceil(self.pixels.len().max(1));
        let mut images = self.pixels.repeat(times);
        images.truncate(values);
        Ok(Batch {
            images,
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
        })
    }
}
