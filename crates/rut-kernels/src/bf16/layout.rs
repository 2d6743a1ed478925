//! Where the pixels of a map lie: planes of 32 channels, a [`Row`](super::Row) for each pixel of each image, and a halo of
//! zeros around them.

use super::row::CHANNELS;
use crate::area::Area;
use crate::error::{Error, Result};

/// The rows of a map, of one image or of a few together. A plane holds 32 channels of all pixels; its lines follow one
/// another with a halo between them that the end of a line shares with the start of the next, so that a kernel's tap is the
/// same distance from every pixel. What stands in the halo is zero and stays so.
///
/// Where images stand together, the rows of a pixel follow one another, one for each image. A convolution then sums the same
/// pixel of all of them at once and has no need to multiply what lies beside the map: for maps of a few pixels, of which the
/// halo would be a large part.
///
/// ```
/// use rut_kernels::{Area, bf16::Layout};
/// let layout = Layout { channels: 64, area: Area::whole(2, 3), halo: 1, together: 1 };
/// assert_eq!(layout.planes(), 2);
/// assert_eq!(layout.row(1, 0) - layout.row(0, 0), 4); // three pixels and the halo
/// let layout = Layout { together: 16, ..layout };
/// assert_eq!(layout.row(1, 0) - layout.row(0, 0), 64);
/// assert_eq!(layout.first_row(17) - layout.first_row(0), layout.rows() + 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Channels; the last plane is filled up with zeros.
    pub channels: usize,
    /// The pixels that are kept.
    pub area: Area,
    /// Pixels of zeros on each side.
    pub halo: usize,
    /// Images that stand together: at least one.
    pub together: usize,
}

impl Layout {
    /// Planes of 32 channels.
    pub fn planes(&self) -> usize {
        self.channels.div_ceil(CHANNELS)
    }

    /// Rows from a pixel to the one below.
    #[inline(always)]
    pub fn pitch(&self) -> usize {
        (self.area.width + self.halo) * self.together
    }

    /// Rows of a plane, of all images that stand together.
    pub fn plane(&self) -> usize {
        (self.area.height + 2 * self.halo) * self.pitch() + self.halo * self.together
    }

    /// Rows of the images that stand together.
    pub fn rows(&self) -> usize {
        self.planes() * self.plane()
    }

    /// The row of a pixel, counted in the whole map, within a plane: that of the first of the images that stand together.
    #[inline(always)]
    pub fn row(&self, y: usize, x: usize) -> usize {
        let (y, x) = (
            y - self.area.top + self.halo,
            x - self.area.left + self.halo,
        );
        y * self.pitch() + x * self.together
    }

    /// What is added to [`Layout::row`] for the pixels of an image of a buffer.
    pub fn first_row(&self, image: usize) -> usize {
        let (rows, among) = Side::of(self).place(image);
        rows + among
    }

    /// The number of images in a buffer.
    ///
    /// # Errors
    ///
    /// As [`Side::images`].
    pub(crate) fn images(&self, what: &'static str, rows: usize) -> Result<usize> {
        Side::of(self).images(what, rows)
    }

    /// Checks that a buffer holds this many images.
    pub(crate) fn check(&self, what: &'static str, rows: usize, images: usize) -> Result<()> {
        let units = images.div_ceil(Side::of(self).together);
        Error::check_len(what, rows, self.rows() * units)
    }

    /// Checks that images stand apart.
    pub(crate) fn check_apart(&self, what: &'static str) -> Result<()> {
        if self.together == 1 {
            return Ok(());
        }
        Err(Error::Shape {
            what,
            found: format!("{} images together", self.together),
            expected: "one at a time".into(),
        })
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

/// How the images of a buffer lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Side {
    /// Images that stand together.
    pub(crate) together: usize,
    /// Their rows.
    pub(crate) rows: usize,
}

impl Side {
    pub(super) fn of(layout: &Layout) -> Self {
        Self {
            together: layout.together.max(1),
            rows: layout.rows(),
        }
    }

    /// The first row of those that an image stands with, and its place among them.
    pub(crate) fn place(self, image: usize) -> (usize, usize) {
        (image / self.together * self.rows, image % self.together)
    }

    /// The number of images in a buffer.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where it does not hold all images that stand together.
    pub(super) fn images(self, what: &'static str, rows: usize) -> Result<usize> {
        if self.rows > 0 && rows.is_multiple_of(self.rows) {
            return Ok(rows / self.rows * self.together);
        }
        Err(Error::Shape {
            what,
            found: format!("{rows} rows"),
            expected: format!("a multiple of {}", self.rows),
        })
    }
}
