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
        let ([height, width], found) = (self.size, self.values.len());
        let inside = Area::whole(height, width).contains(self.area);
        let fits = found == self.area.len().saturating_mul(channels);
        if inside && self.channels == channels && fits {
            return Ok(());
        }
        Err(Error::Shape {
            what,
            found: format!(
                "{found} elements of {} channels at {:?} of {height}×{width}",
                self.channels, self.area
            ),
            expected: format!("height × width × {channels} elements, inside the map"),
        })
    }
}

impl MapMut<'_> {
    pub(crate) fn check(&self, what: &'static str, channels: usize) -> Result<()> {
        let read = Map {
            values: self.values,
            size: self.size,
            area: self.area,
            channels: self.channels,
        };
        read.check(what, channels)
    }
}
