//! Means over a grid of nearly equal windows, and the gradient of what was read.

use rayon::prelude::*;

use crate::area::Area;
use crate::error::{Error, Result};
use crate::finish::{End, Start};
use crate::lanes::Lanes;
use crate::map::{Map, MapMut};
use crate::rows::rows;

/// Means over a `side` × `side` grid of windows: rows ⌊i·h/side⌋ to ⌈(i+1)·h/side⌉, columns alike. A side of 1 is the
/// global mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AveragePool {
    /// Side of the result.
    pub side: usize,
}

impl AveragePool {
    /// All of the result, from all of a map.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a map does not fit or is not whole.
    pub fn run(self, source: Map<'_>, target: MapMut<'_>) -> Result<()> {
        let channels = target.channels;
        self.check(&source, target.size, channels)?;
        target.check("the map that an average pool writes", channels)?;
        let area = target.area;
        rows(target, area, End::Store)?.for_each(|row| {
            let [from, to] = self.window(row.row, source.size[0]);
            for (column, sums) in row.values.chunks_exact_mut(channels).enumerate() {
                let [left, right] = self.window(area.left + column, source.size[1]);
                sums.fill(Lanes::ZERO);
                for y in from..to {
                    for x in left..right {
                        let at = source.area.index(y, x) * channels;
                        add_scaled(sums, &source.values[at..at + channels], 1.0);
                    }
                }
                let count = ((to - from) * (right - left)) as f32;
                for sum in sums {
                    sum.0.iter_mut().for_each(|lane| *lane /= count);
                }
            }
        });
        Ok(())
    }

    /// The gradient of what was read, at all pixels of `target`, from that of the result.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a map does not fit or is not whole.
    pub fn backward(
        self,
        source: Map<'_>,
        target: MapMut<'_>,
        start: Start,
        end: End<'_>,
    ) -> Result<()> {
        let channels = target.channels;
        self.check_whole("the gradient that an average pool reads", &source, channels)?;
        target.check("the gradient that an average pool writes", channels)?;
        let (size, area) = (target.size, target.area);
        rows(target, area, end)?.for_each(|mut row| {
            for column in 0..area.width {
                let values = &mut row.values[column * channels..(column + 1) * channels];
                if start == Start::Fresh {
                    values.fill(Lanes::ZERO);
                }
                for y in 0..self.side {
                    let [from, to] = self.window(y, size[0]);
                    if !(from..to).contains(&row.row) {
                        continue;
                    }
                    for x in 0..self.side {
                        let [left, right] = self.window(x, size[1]);
                        if !(left..right).contains(&(area.left + column)) {
                            continue;
                        }
                        let at = source.area.index(y, x) * channels;
                        let share = 1.0 / ((to - from) * (right - left)) as f32;
                        add_scaled(values, &source.values[at..at + channels], share);
                    }
                }
                for (channel, value) in values.iter_mut().enumerate() {
                    *value = row.bits.finish(column * channels + channel, *value);
                }
            }
        });
        Ok(())
    }

    fn window(self, index: usize, length: usize) -> [usize; 2] {
        [
            index * length / self.side,
            ((index + 1) * length).div_ceil(self.side),
        ]
    }

    fn check(self, source: &Map<'_>, size: [usize; 2], channels: usize) -> Result<()> {
        if size != [self.side; 2] {
            return Err(Error::Shape {
                what: "the map that an average pool writes",
                found: format!("{size:?}"),
                expected: format!("{0} × {0}", self.side),
            });
        }
        self.check_whole("the map that an average pool reads", source, channels)
    }

    fn check_whole(self, what: &'static str, map: &Map<'_>, channels: usize) -> Result<()> {
        map.check(what, channels)?;
        let [height, width] = map.size;
        if map.area == Area::whole(height, width) {
            return Ok(());
        }
        Err(Error::Shape {
            what,
            found: format!("{:?}", map.area),
            expected: format!("all of {height} × {width}"),
        })
    }
}

fn add_scaled(sums: &mut [Lanes], values: &[Lanes], scale: f32) {
    for (sum, value) in sums.iter_mut().zip(values) {
        for (sum, value) in sum.0.iter_mut().zip(&value.0) {
            *sum += value * scale;
        }
    }
}
