//! Max-pooling, and the gradient of what it read.

use rayon::prelude::*;

use crate::arch::{Arch, Init, MaxPixel, MaxPixelBack, Target};
use crate::area::Area;
use crate::error::{Error, Result};
use crate::finish::{End, Start};
use crate::isa::Isa;
use crate::lanes::{LANES, Lanes, Taken};
use crate::map::{Map, MapMut};
use crate::plane::{Plane, PlaneMut, check_areas};
use crate::rows::rows;
use crate::shape::ConvShape;

/// A max-pool with a square window; padding never wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MaxPool {
    /// Side of the window, at most 15.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Pixels added on each side.
    pub padding: usize,
}

/// The gradient of a max-pool's result, with what the forward pass took.
#[derive(Debug, Clone, Copy)]
pub struct PoolGradient<'a> {
    /// The gradient.
    pub grad: Map<'a>,
    /// The forward pass's record, like the gradient's elements.
    pub taken: &'a [Taken],
    /// The pixels of the result that count; those outside are taken as zero.
    pub area: Area,
    /// The instruction set to use.
    pub isa: Isa,
}

impl MaxPool {
    /// The same window as a convolution's, for its geometry.
    pub fn shape(self, channels: usize) -> ConvShape {
        ConvShape {
            in_channels: channels,
            out_channels: channels,
            kernel: self.kernel,
            stride: self.stride,
            padding: self.padding,
        }
    }

    /// Computes the pixels `area` of `target`. Of equal values the first in row-major order is taken, a NaN before all;
    /// `taken`, where it is asked for, stands like the target's elements.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a map does not fit, or `source` lacks pixels that are read.
    pub fn run(
        self,
        isa: Isa,
        source: Map<'_>,
        target: MapMut<'_>,
        area: Area,
        taken: Option<&mut [Taken]>,
    ) -> Result<()> {
        let (arch, channels) = (Arch::of(isa), target.channels);
        self.check(&source, target.area, target.size, area, channels)?;
        let (held, count) = (target.area, target.values.len());
        let mut scrap = Vec::new();
        let taken = match taken {
            Some(taken) if taken.len() == count => taken,
            Some(taken) => return Err(record_length(taken.len(), count)),
            None => {
                scrap.resize(count, [0; LANES]);
                &mut scrap
            }
        };
        let pitch = held.width * channels;
        let skip = (area.left - held.left) * channels;
        let taken = taken.par_chunks_mut(pitch.max(1)).skip(area.top - held.top);
        let values = target.values.par_chunks_mut(pitch.max(1));
        values
            .skip(area.top - held.top)
            .zip(taken)
            .take(area.height)
            .enumerate()
            .for_each(|(index, (values, taken))| {
                let width = area.width * channels;
                let (values, taken) = (
                    &mut values[skip..skip + width],
                    &mut taken[skip..skip + width],
                );
                self.row(arch, &source, [area.top + index, area.left], values, taken);
            });
        Ok(())
    }

    fn row(
        self,
        arch: &Arch,
        source: &Map<'_>,
        [row, left]: [usize; 2],
        values: &mut [Lanes],
        taken: &mut [Taken],
    ) {
        let channels = source.channels;
        let pixels = values
            .chunks_exact_mut(channels)
            .zip(taken.chunks_exact_mut(channels));
        let mut window = Vec::with_capacity(self.kernel * self.kernel);
        for (index, (values, taken)) in pixels.enumerate() {
            window.clear();
            let places = self.window([row, left + index], source.size);
            window.extend(places.map(|(place, [y, x])| {
                let from = source.area.index(y, x) * channels;
                (from as u32, place)
            }));
            (arch.max_pool)(MaxPixel {
                source: source.values,
                window: &window,
                values,
                taken,
            });
        }
    }

    /// The gradient of what was read, at the pixels `area` of `target`, from that of the result.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a map does not fit, or the gradient lacks pixels that are read.
    pub fn backward(
        self,
        result: PoolGradient<'_>,
        target: MapMut<'_>,
        area: Area,
        start: Start,
        end: End<'_>,
    ) -> Result<()> {
        let (source, taken, channels) = (result.grad, result.taken, target.channels);
        target.check("the gradient that a max-pool writes", channels)?;
        source.check("the gradient that a max-pool reads", channels)?;
        if taken.len() != source.values.len() {
            return Err(record_length(taken.len(), source.values.len()));
        }
        let fits = self.shape(channels).output(target.size) == Some(source.size);
        if !fits || !source.area.contains(result.area) {
            return Err(Error::Shape {
                what: "the gradient that a max-pool reads",
                found: format!("{:?} of {:?}", source.area, source.size),
                expected: format!(
                    "at least {:?} of the result for {:?}",
                    result.area, target.size
                ),
            });
        }
        let (arch, nothing) = (Arch::of(result.isa), vec![0.0; channels]);
        rows(target, area, end)?.for_each(|mut row| {
            let mut windows = Vec::with_capacity(self.kernel * self.kernel);
            for index in 0..area.width {
                let pixel = Area {
                    top: row.row,
                    left: area.left + index,
                    height: 1,
                    width: 1,
                };
                let reached = self.shape(channels).reach(pixel, source.size);
                let reached = reached.intersection(result.area);
                windows.clear();
                for y in reached.top..reached.bottom() {
                    for x in reached.left..reached.right() {
                        let dy = row.row + self.padding - y * self.stride;
                        let dx = pixel.left + self.padding - x * self.stride;
                        let from = (source.area.index(y, x) * channels) as u32;
                        windows.push((from, (dy * self.kernel + dx) as u8));
                    }
                }
                let init = match start {
                    Start::Fresh => Init::Bias,
                    Start::Add => Init::Destination,
                };
                (arch.max_pool_back)(MaxPixelBack {
                    grad: source.values,
                    taken,
                    windows: &windows,
                    target: Target {
                        values: row.values,
                        partial: &mut [],
                        first: index * channels,
                        pixel_stride: channels,
                        pixels: 1,
                        channels,
                        bias: &nothing,
                        init,
                        epilogue: row.bits.epilogue(),
                    },
                });
            }
        });
        Ok(())
    }

    /// The pixels `areas` of one image, and the place `[height][width][channels]` that each was taken from, with
    /// `u8::MAX` for all other pixels.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a plane does not fit, or an area lies outside.
    pub fn run_plane(
        self,
        source: Plane<'_>,
        target: PlaneMut<'_>,
        areas: &[Area],
    ) -> Result<Vec<u8>> {
        let (channels, size) = (target.channels, target.size);
        source.check("the plane that a max-pool reads", channels)?;
        target.check("the plane that a max-pool writes", channels)?;
        self.check_sizes(source.size, size)?;
        check_areas(areas, size)?;
        let mut taken = vec![u8::MAX; target.values.len()];
        let pitch = (size[1] * channels).max(1);
        let rows = target.values.par_chunks_mut(pitch);
        let rows = rows.zip(taken.par_chunks_mut(pitch)).enumerate();
        rows.for_each(|(row, (values, places))| {
            for area in areas.iter().filter(|area| area.has_row(row)) {
                for column in area.left..area.right() {
                    let at = column * channels..(column + 1) * channels;
                    let (values, places) = (&mut values[at.clone()], &mut places[at]);
                    self.pixel(source, [row, column], values, places);
                }
            }
        });
        Ok(taken)
    }

    fn pixel(self, source: Plane<'_>, pixel: [usize; 2], values: &mut [f32], places: &mut [u8]) {
        let channels = values.len();
        let read = |[y, x]: [usize; 2]| {
            let from = (y * source.size[1] + x) * channels;
            &source.values[from..from + channels]
        };
        let mut window = self.window(pixel, source.size);
        if let Some((place, from)) = window.next() {
            values.copy_from_slice(read(from));
            places.fill(place);
        }
        for (place, from) in window {
            let old = values.iter_mut().zip(&mut *places);
            for ((value, taken), &new) in old.zip(read(from)) {
                if new > *value || (new.is_nan() && !value.is_nan()) {
                    (*value, *taken) = (new, place);
                }
            }
        }
    }

    /// The pixels of a map of `size` that a result's pixel reads, each with its place in the window.
    fn window(
        self,
        [row, column]: [usize; 2],
        [height, width]: [usize; 2],
    ) -> impl Iterator<Item = (u8, [usize; 2])> {
        let places = 0..self.kernel * self.kernel;
        places.filter_map(move |place| {
            let y = (row * self.stride + place / self.kernel).wrapping_sub(self.padding);
            let x = (column * self.stride + place % self.kernel).wrapping_sub(self.padding);
            (y < height && x < width).then_some((place as u8, [y, x]))
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
        taken: &[u8],
        mut target: PlaneMut<'_>,
        areas: &[Area],
    ) -> Result<()> {
        let channels = target.channels;
        source.check("the gradient that a max-pool reads", channels)?;
        self.check_sizes(target.size, source.size)?;
        if taken.len() != source.values.len() {
            return Err(record_length(taken.len(), source.values.len()));
        }
        target.for_each_run(areas, |[row, first], run| {
            for (column, values) in run.chunks_exact_mut(channels).enumerate() {
                let column = first + column;
                let pixel = Area {
                    top: row,
                    left: column,
                    height: 1,
                    width: 1,
                };
                let windows = self.shape(channels).reach(pixel, source.size);
                for y in windows.top..windows.bottom() {
                    for x in windows.left..windows.right() {
                        let dy = row + self.padding - y * self.stride;
                        let dx = column + self.padding - x * self.stride;
                        let place = (dy * self.kernel + dx) as u8;
                        let from = (y * source.size[1] + x) * channels;
                        let grads = taken[from..].iter().zip(&source.values[from..]);
                        for (value, (&taken, grad)) in values.iter_mut().zip(grads) {
                            *value += if taken == place { *grad } else { 0.0 };
                        }
                    }
                }
            }
        })
    }

    fn check_sizes(self, input: [usize; 2], output: [usize; 2]) -> Result<()> {
        let fitting = self.shape(1).output(input);
        if fitting == Some(output) && (1..16).contains(&self.kernel) {
            return Ok(());
        }
        Err(Error::Shape {
            what: "the pair of planes of a max-pool",
            found: format!("{input:?} and {output:?}, kernel {}", self.kernel),
            expected: format!("{fitting:?} for the output, a kernel from 1 to 15"),
        })
    }

    fn check(
        self,
        source: &Map<'_>,
        held: Area,
        size: [usize; 2],
        area: Area,
        channels: usize,
    ) -> Result<()> {
        source.check("the map that a max-pool reads", channels)?;
        let shape = self.shape(channels);
        let needed = shape.read(area, source.size);
        let fits = shape.output(source.size) == Some(size) && held.contains(area);
        if fits && source.area.contains(needed) && (1..16).contains(&self.kernel) {
            return Ok(());
        }
        Err(Error::Shape {
            what: "the pair of maps of a max-pool",
            found: format!(
                "{:?} of {:?} and {size:?}, written at {area:?}",
                source.area, source.size
            ),
            expected: format!("at least {needed:?}, and {:?}", shape.output(source.size)),
        })
    }
}

fn record_length(found: usize, expected: usize) -> Error {
    Error::Shape {
        what: "the record of a max-pool",
        found: format!("{found} elements"),
        expected: format!("{expected}"),
    }
}
