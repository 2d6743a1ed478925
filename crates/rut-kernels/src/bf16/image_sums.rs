//! From the sums of the way back to an image to the gradient of its pixels.

use super::image::COLOURS;
use super::layout::Layout;
use super::row::CHANNELS;
use crate::area::Area;
use crate::error::{Error, Result};

/// Where sums for blocks of pixels go in an image.
#[derive(Debug, Clone, Copy)]
pub struct ImageSums {
    area: Area,
    stride: usize,
}

impl ImageSums {
    pub(super) fn new(area: Area, stride: usize) -> Self {
        Self { area, stride }
    }

    /// The blocks that hold the pixels, as a map without halo.
    pub(super) fn layout(&self) -> Layout {
        let span = |first: usize, length: usize| {
            let from = first / self.stride;
            (from, (first + length).div_ceil(self.stride) - from)
        };
        let area = self.area;
        Layout {
            channels: CHANNELS,
            area: Area::of_spans(span(area.top, area.height), span(area.left, area.width)),
            halo: 0,
            together: 1,
        }
    }

    /// Numbers that sums of an image take.
    pub fn len(&self) -> usize {
        self.layout().rows() * CHANNELS
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sums into the gradient of the image's pixels `[3, area]`.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a slice does not have the size.
    pub fn place(&self, sums: &[f32], pixels: &mut [f32]) -> Result<()> {
        let (area, stride, layout) = (self.area, self.stride, self.layout());
        Error::check_len("the sums of an image", sums.len(), self.len())?;
        Error::check_len(
            "the gradient of an image",
            pixels.len(),
            COLOURS * area.len(),
        )?;
        if area.is_empty() {
            return Ok(());
        }
        for (colour, plane) in pixels.chunks_exact_mut(area.len()).enumerate() {
            for (line, values) in plane.chunks_exact_mut(area.width).enumerate() {
                let y = area.top + line;
                for (column, value) in values.iter_mut().enumerate() {
                    let x = area.left + column;
                    let row = layout.row(y / stride, x / stride);
                    let sub = y % stride * stride + x % stride;
                    *value = sums[row * CHANNELS + sub * COLOURS + colour];
                }
            }
        }
        Ok(())
    }
}
