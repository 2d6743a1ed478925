//! The shortcut without parameters of He et al. 2016 (option A), and sums of maps.

use rayon::prelude::*;

use crate::area::Area;
use crate::error::{Error, Result};
use crate::finish::{End, Start};
use crate::lanes::Lanes;
use crate::map::{Map, MapMut};
use crate::plane::{Plane, PlaneMut};
use crate::rows::rows;

/// Every second pixel, between as many zero channels before as after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OptionA {
    /// Channels read.
    pub in_channels: usize,
    /// Channels written.
    pub out_channels: usize,
}

impl OptionA {
    /// The pixels `area` of `target`.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a map does not fit, or `source` lacks pixels that are read.
    pub fn run(self, source: Map<'_>, target: MapMut<'_>, area: Area) -> Result<()> {
        source.check("the map that a shortcut reads", self.in_channels)?;
        target.check("the map that a shortcut writes", self.out_channels)?;
        let before = (self.out_channels - self.in_channels) / 2;
        let (read, written) = (self.in_channels, self.out_channels);
        let last = |first: usize, length: usize| 2 * (first + length.max(1) - 1) + 1;
        let needed = Area {
            top: 2 * area.top,
            left: 2 * area.left,
            height: last(area.top, area.height) - 2 * area.top,
            width: last(area.left, area.width) - 2 * area.left,
        };
        check_contains(&source, needed, area)?;
        rows(target, area, End::Store)?.for_each(|row| {
            for (column, values) in row.values.chunks_exact_mut(written).enumerate() {
                values.fill(Lanes::ZERO);
                let from = source.area.index(2 * row.row, 2 * (area.left + column)) * read;
                values[before..before + read].copy_from_slice(&source.values[from..from + read]);
            }
        });
        Ok(())
    }

    /// The gradient of what was read, at the pixels `area` of `target`, from that of the result.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a map does not fit, or `source` lacks pixels that are read.
    pub fn backward(
        self,
        source: Map<'_>,
        target: MapMut<'_>,
        area: Area,
        start: Start,
        end: End<'_>,
    ) -> Result<()> {
        source.check("the gradient that a shortcut reads", self.out_channels)?;
        target.check("the gradient that a shortcut writes", self.in_channels)?;
        let before = (self.out_channels - self.in_channels) / 2;
        let (read, written) = (self.out_channels, self.in_channels);
        let half = |first: usize, length: usize| {
            let from = first.div_ceil(2);
            (from, (first + length).div_ceil(2) - from)
        };
        let needed = Area::of_spans(half(area.top, area.height), half(area.left, area.width));
        check_contains(&source, needed, area)?;
        rows(target, area, end)?.for_each(|mut row| {
            for column in 0..area.width {
                let values = &mut row.values[column * written..(column + 1) * written];
                if start == Start::Fresh {
                    values.fill(Lanes::ZERO);
                }
                let x = area.left + column;
                if row.row.is_multiple_of(2) && x.is_multiple_of(2) {
                    let from = source.area.index(row.row / 2, x / 2) * read + before;
                    for (value, grad) in values.iter_mut().zip(&source.values[from..]) {
                        add(value, grad);
                    }
                }
                for (channel, value) in values.iter_mut().enumerate() {
                    *value = row.bits.finish(column * written + channel, *value);
                }
            }
        });
        Ok(())
    }
}

impl OptionA {
    /// The pixels `areas` of one image.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a plane does not fit, or an area lies outside.
    pub fn run_plane(
        self,
        source: Plane<'_>,
        mut target: PlaneMut<'_>,
        areas: &[Area],
    ) -> Result<()> {
        source.check("the plane that a shortcut reads", self.in_channels)?;
        target.check("the plane that a shortcut writes", self.out_channels)?;
        check_halves(source.size, target.size)?;
        let before = (self.out_channels - self.in_channels) / 2;
        target.for_each_run(areas, |[row, first], run| {
            for (column, values) in run.chunks_exact_mut(self.out_channels).enumerate() {
                let pixel = 2 * row * source.size[1] + 2 * (first + column);
                let from = pixel * self.in_channels;
                let read = &source.values[from..from + self.in_channels];
                values.fill(0.0);
                values[before..before + self.in_channels].copy_from_slice(read);
            }
        })
    }

    /// Adds the gradient of what was read, at the pixels `areas` of one image, to what `target` holds there.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a plane does not fit, or an area lies outside.
    pub fn add_plane_backward(
        self,
        source: Plane<'_>,
        mut target: PlaneMut<'_>,
        areas: &[Area],
    ) -> Result<()> {
        source.check("the gradient that a shortcut reads", self.out_channels)?;
        target.check("the gradient that a shortcut writes", self.in_channels)?;
        check_halves(target.size, source.size)?;
        let before = (self.out_channels - self.in_channels) / 2;
        target.for_each_run(areas, |[row, first], run| {
            for (column, values) in run.chunks_exact_mut(self.in_channels).enumerate() {
                let column = first + column;
                if !row.is_multiple_of(2) || !column.is_multiple_of(2) {
                    continue;
                }
                let pixel = row / 2 * source.size[1] + column / 2;
                let from = pixel * self.out_channels + before;
                for (value, grad) in values.iter_mut().zip(&source.values[from..]) {
                    *value += grad;
                }
            }
        })
    }
}

/// The sum of `source` and the pixels `area` of `target`, finished.
///
/// # Errors
///
/// [`Error::Shape`] where a map does not fit.
pub fn add_into(source: Map<'_>, target: MapMut<'_>, area: Area, end: End<'_>) -> Result<()> {
    let channels = target.channels;
    source.check("the map that is added", channels)?;
    target.check("the map that is added to", channels)?;
    check_contains(&source, area, area)?;
    rows(target, area, end)?.for_each(|mut row| {
        let from = source.area.index(row.row, area.left) * channels;
        let values = row.values.iter_mut().zip(&source.values[from..]);
        for (at, (value, other)) in values.enumerate() {
            add(value, other);
            *value = row.bits.finish(at, *value);
        }
    });
    Ok(())
}

/// Finishes the pixels `area` of `target` as they are.
///
/// # Errors
///
/// [`Error::Shape`] where the map does not fit.
pub fn finish(target: MapMut<'_>, area: Area, end: End<'_>) -> Result<()> {
    rows(target, area, end)?.for_each(|mut row| {
        for (at, value) in row.values.iter_mut().enumerate() {
            *value = row.bits.finish(at, *value);
        }
    });
    Ok(())
}

fn add(value: &mut Lanes, other: &Lanes) {
    for (value, other) in value.0.iter_mut().zip(&other.0) {
        *value += other;
    }
}

fn check_halves(input: [usize; 2], output: [usize; 2]) -> Result<()> {
    let half = input.map(|side| side.div_ceil(2));
    if output == half {
        return Ok(());
    }
    Err(Error::Shape {
        what: "the pair of planes of a shortcut",
        found: format!("{input:?} and {output:?}"),
        expected: format!("{half:?} for the output"),
    })
}

fn check_contains(source: &Map<'_>, needed: Area, area: Area) -> Result<()> {
    if area.is_empty() || source.area.contains(needed) {
        return Ok(());
    }
    Err(Error::Shape {
        what: "the map that is read",
        found: format!("{:?}", source.area),
        expected: format!("at least {needed:?}"),
    })
}
