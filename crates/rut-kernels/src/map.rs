//! Maps of pixels: `[height][width][channels]`, each element sixteen lanes wide.

use crate::area::Area;
use crate::error::{Error, Result};
use crate::lanes::Lanes;

/// The pixels of `area` of a map whose size is `size`: element (row, column, channel) stands at
/// `area.index(row, column) · channels + channel`. Pixels outside `size` are zero; pixels inside `size` but outside
/// `area` are not there.
#[derive(Debug, Clone, Copy)]
pub struct Map<'a> {
    /// The elements.
    pub values: &'a [Lanes],
    /// Height and width of the whole map.
    pub size: [usize; 2],
    /// Which of its pixels `values` holds.
    pub area: Area,
    /// Number of channels.
    pub channels: usize,
}

/// A [`Map`] to write.
#[derive(Debug)]
pub struct MapMut<'a> {
    /// The elements.
    pub values: &'a mut [Lanes],
    /// Height and width of the whole map.
    pub size: [usize; 2],
    /// Which of its pixels `values` holds.
    pub area: Area,
    /// Number of channels.
    pub channels: usize,
}

impl Map<'_> {
    pub(crate) fn check(&self, what: &'static str, channels: usize) -> Result<()> {
        let geometry = (self.size, self.area, self.channels);
        check(what, self.values.len(), geometry, channels)
    }
}

impl MapMut<'_> {
    pub(crate) fn check(&self, what: &'static str, channels: usize) -> Result<()> {
        let geometry = (self.size, self.area, self.channels);
        check(what, self.values.len(), geometry, channels)
    }
}

fn check(
    what: &'static str,
    found: usize,
    ([height, width], area, channels): ([usize; 2], Area, usize),
    expected: usize,
) -> Result<()> {
    let inside = Area::whole(height, width).contains(area);
    if inside && channels == expected && found == area.len().saturating_mul(channels) {
        return Ok(());
    }
    Err(Error::Shape {
        what,
        found: format!("{found} elements of {channels} channels at {area:?} of {height}×{width}"),
        expected: format!("height × width × {expected} elements, inside the map"),
    })
}
