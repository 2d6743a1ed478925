//! An image as the first convolution reads it: the three colours of each pixel side by side, in two halves whose sum is far
//! closer to the image than one bfloat16 number would be.

use super::row::{CHANNELS, Row, round, widen};
use crate::area::Area;
use crate::error::{Error, Result};

/// Colours of a pixel.
pub(crate) const COLOURS: usize = 3;
/// Whole pixels of a row of values that a kernel reads at once.
pub(crate) const PIXELS: usize = CHANNELS / COLOURS;
/// Bytes of a pixel.
pub(crate) const PIXEL_BYTES: usize = 2 * COLOURS;

/// Where the pixels of an image lie: twice (values rounded to bfloat16, and the rounded rest) lines of pixels within zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ImageLayout {
    /// The pixels that are kept.
    pub area: Area,
    /// Pixels of zeros on each side.
    pub padding: usize,
}

impl ImageLayout {
    /// Pixels from one line to the next.
    pub(crate) fn pitch(&self) -> usize {
        self.area.width + 2 * self.padding
    }

    /// Rows of 64 bytes of one half; the last row, of zeros, may be read past the last pixel.
    pub(crate) fn half(&self) -> usize {
        let pixels = (self.area.height + 2 * self.padding) * self.pitch();
        (pixels * COLOURS).div_ceil(CHANNELS) + 1
    }

    /// Rows of 64 bytes of an image.
    pub fn rows(&self) -> usize {
        2 * self.half()
    }

    /// Pixels of an image `[3, area]` into its rows. What lies around them is left as it is: zeros in a new buffer.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a slice does not have the size.
    pub fn fill(&self, pixels: &[f32], rows: &mut [Row]) -> Result<()> {
        let count = self.area.len();
        Error::check_len("the pixels of an image", pixels.len(), COLOURS * count)?;
        Error::check_len("the rows of an image", rows.len(), self.rows())?;
        if count == 0 {
            return Ok(());
        }
        let (high, low) = rows.split_at_mut(self.half());
        for y in 0..self.area.height {
            let line = (y + self.padding) * self.pitch() + self.padding;
            for (colour, plane) in pixels.chunks_exact(count).enumerate() {
                let values = &plane[y * self.area.width..][..self.area.width];
                for (x, &value) in values.iter().enumerate() {
                    let (row, at) = place(line + x, colour);
                    let bits = round(value);
                    high[row].0[at] = bits;
                    // An infinity has no rest, else it would be NaN.
                    let rest = value - widen(bits);
                    low[row].0[at] = if rest.is_finite() { round(rest) } else { 0 };
                }
            }
        }
        Ok(())
    }
}

/// The row of a pixel's value, and its place there.
fn place(pixel: usize, colour: usize) -> (usize, usize) {
    let at = pixel * COLOURS + colour;
    (at / CHANNELS, at % CHANNELS)
}
