//! Where the pixels of an image's map lie: planes of 32 channels, a [`Row`](super::Row) for each pixel, and a halo of
//! zeros around them.

use super::row::CHANNELS;
use crate::area::Area;
use crate::error::{Error, Result};

/// The rows of one image's map. A plane holds 32 channels of all pixels; its lines follow one another with a halo between
/// them that the end of a line shares with the start of the next, so that a kernel's tap is the same distance from every
/// pixel. What stands in the halo is zero and stays so.
///
/// ```
/// use rut_kernels::{Area, bf16::Layout};
/// let layout = Layout { channels: 64, area: Area::whole(2, 3), halo: 1 };
/// assert_eq!(layout.planes(), 2);
/// assert_eq!(layout.row(1, 0) - layout.row(0, 0), 4); // three pixels and the halo
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Channels; the last plane is filled up with zeros.
    pub channels: usize,
    /// The pixels that are kept.
    pub area: Area,
    /// Pixels of zeros on each side.
    pub halo: usize,
}

impl Layout {
    /// Planes of 32 channels.
    pub fn planes(&self) -> usize {
        self.channels.div_ceil(CHANNELS)
    }

    /// Rows from a pixel to the one below.
    pub fn pitch(&self) -> usize {
        self.area.width + self.halo
    }

    /// Rows of a plane.
    pub fn plane(&self) -> usize {
        (self.area.height + 2 * self.halo) * self.pitch() + self.halo
    }

    /// Rows of an image.
    pub fn rows(&self) -> usize {
        self.planes() * self.plane()
    }

    /// The row of a pixel, counted in the whole map, within a plane.
    pub fn row(&self, y: usize, x: usize) -> usize {
        (y - self.area.top + self.halo) * self.pitch() + (x - self.area.left) + self.halo
    }

    /// The number of images in a buffer.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where it does not hold whole images.
    pub(crate) fn images(&self, what: &'static str, rows: usize) -> Result<usize> {
        let image = self.rows();
        if image > 0 && rows.is_multiple_of(image) {
            return Ok(rows / image);
        }
        Err(Error::Shape {
            what,
            found: format!("{rows} rows"),
            expected: format!("a multiple of {image}"),
        })
    }

    /// Checks that a buffer holds this many images.
    pub(crate) fn check(&self, what: &'static str, rows: usize, images: usize) -> Result<()> {
        Error::check_len(what, rows, self.rows() * images)
    }

    /// Checks that pixels are kept.
    pub(crate) fn check_holds(&self, what: &'static str, area: Area) -> Result<()> {
        if self.area.contains(area) {
            return Ok(());
        }
        Err(Error::Shape {
            what,
            found: format!("{:?}", self.area),
            expected: format!("{area:?} inside"),
        })
    }
}
