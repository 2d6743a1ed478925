//! A single image's map, `[height][width][channels]`.

use crate::error::{Error, Result};

/// All pixels of one image's map: element (row, column, channel) stands at `(row · width + column) · channels + channel`.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// The elements.
    pub values: &'a [f32],
    /// Height and width.
    pub size: [usize; 2],
    /// Number of channels.
    pub channels: usize,
}

/// A [`Plane`] to write.
#[derive(Debug)]
pub struct PlaneMut<'a> {
    /// The elements.
    pub values: &'a mut [f32],
    /// Height and width.
    pub size: [usize; 2],
    /// Number of channels.
    pub channels: usize,
}

impl Plane<'_> {
    pub(crate) fn check(&self, what: &'static str, channels: usize) -> Result<()> {
        check(
            what,
            self.values.len(),
            self.size,
            [self.channels, channels],
        )
    }
}

impl PlaneMut<'_> {
    pub(crate) fn check(&self, what: &'static str, channels: usize) -> Result<()> {
        check(
            what,
            self.values.len(),
            self.size,
            [self.channels, channels],
        )
    }
}

fn check(
    what: &'static str,
    len: usize,
    [height, width]: [usize; 2],
    [found, expected]: [usize; 2],
) -> Result<()> {
    if found == expected && len == height * width * expected {
        return Ok(());
    }
    Err(Error::Shape {
        what,
        found: format!("{len} elements of {found} channels"),
        expected: format!("{height} × {width} × {expected}"),
    })
}

/// Fails where a pixel lies outside a map of `size`.
pub(crate) fn check_pixels(pixels: &[[usize; 2]], size: [usize; 2]) -> Result<()> {
    let outside = pixels.iter().find(|[y, x]| *y >= size[0] || *x >= size[1]);
    outside.map_or(Ok(()), |pixel| {
        Err(Error::Shape {
            what: "the list of pixels",
            found: format!("{pixel:?}"),
            expected: format!("pixels inside {size:?}"),
        })
    })
}
