//! Which rows a convolution reads for which rows it writes, for maps of one size: worked out and checked once, then run for
//! every image.

use std::fmt;

use super::image::{ImageLayout, PIXEL_BYTES};
use super::isa::Bf16Isa;
use super::layout::Layout;
use super::row::CHANNELS;
use super::weights::{PanelKind, Panels, Reach};
use crate::arch::bf16::{List, ROW_BYTES, Step};
use crate::area::Area;
use crate::error::{Error, Result};
use crate::shape::{ConvShape, Direction};

/// Most rows of a job, so that a bit for each fits.
const MOST_ROWS: usize = 32;

/// A few rows that are summed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    /// Bytes from the image's first row to the first that is read.
    pub(crate) source: u32,
    /// The first row that is written, within a plane.
    pub(crate) target: u32,
    /// A bit for each row that is a pixel, the first lowest; the others are not written.
    pub(crate) valid: u32,
    pub(crate) rows: u16,
    /// Position in the route's lists.
    pub(crate) list: u16,
}

/// The way of a convolution from one layout to another.
#[derive(Debug, Clone)]
pub struct Route {
    pub(crate) jobs: Vec<Job>,
    pub(crate) lists: Vec<List>,
    /// Bytes from a row that is read to the next.
    pub(crate) source_step: usize,
    /// Rows from one that is written to the next.
    pub(crate) target_step: usize,
    /// Rows of an image that is read.
    pub(crate) source_rows: usize,
    /// Rows of a plane, and of an image, that is written.
    pub(crate) target_plane: usize,
    pub(crate) target_rows: usize,
    /// The panels and the kernels that it was made for.
    shape: ConvShape,
    kind: PanelKind,
    isa: Bf16Isa,
}

/// Where the pixels of what is read lie, in bytes.
struct Grid {
    /// Of the map's own first pixel.
    origin: isize,
    line: isize,
    pixel: isize,
    /// Bytes of an image.
    bytes: usize,
}

impl Grid {
    fn of_map(layout: &Layout) -> Self {
        let (line, row) = (layout.pitch() * ROW_BYTES, ROW_BYTES);
        let first = layout.halo * (line + row);
        Self {
            origin: first as isize - (layout.area.top * line + layout.area.left * row) as isize,
            line: line as isize,
            pixel: row as isize,
            bytes: layout.rows() * ROW_BYTES,
        }
    }

    fn of_image(layout: &ImageLayout) -> Self {
        let line = layout.pitch() * PIXEL_BYTES;
        let first = layout.padding * (line + PIXEL_BYTES);
        let area = layout.area;
        Self {
            origin: first as isize - (area.top * line + area.left * PIXEL_BYTES) as isize,
            line: line as isize,
            pixel: PIXEL_BYTES as isize,
            bytes: layout.rows() * ROW_BYTES,
        }
    }

    fn at(&self, y: isize, x: isize) -> isize {
        self.origin + y * self.line + x * self.pixel
    }
}

/// A step before it is known from where its list counts.
type Tap = (isize, u32);

/// Pixels that are written with one list: every `step`-th from `first`.
struct Class {
    taps: Vec<Tap>,
    first: [usize; 2],
    /// The pixel that the taps count from, for the first.
    from: [isize; 2],
}

impl Route {
    /// From map to map: the pixels `area` of what is written.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where the panels are not of this kind, or a layout lacks pixels, channels or halo.
    pub fn new(
        panels: &Panels,
        source: &Layout,
        target: &Layout,
        area: Area,
        isa: Bf16Isa,
    ) -> Result<Self> {
        let PanelKind::Map(direction) = panels.kind else {
            return Err(unfit(panels, "from map to map"));
        };
        let [read, written] = panels.shape.channels(direction);
        check_channels("the map that is read", source.channels, read)?;
        check_channels("the map that is written", target.channels, written)?;
        target.check_holds("the map that is written", area)?;
        check_halo(panels.shape, direction, source, area)?;
        let grid = Grid::of_map(source);
        let groups = source.planes();
        let tap = |offset: [isize; 2], tap: usize| {
            let plane = source.plane() * ROW_BYTES;
            let at = grid.at(offset[0], offset[1]) - grid.origin;
            (0..groups)
                .map(move |group| (at + (group * plane) as isize, (tap * groups + group) as u32))
        };
        let mut builder = Builder::new(panels, &grid, target, isa);
        let shape = panels.shape;
        let (kernel, padding) = (shape.kernel as isize, shape.padding as isize);
        match direction {
            Direction::Forward => {
                let mut taps = Vec::new();
                for (dy, dx) in square(0..shape.kernel) {
                    let offset = [dy as isize - padding, dx as isize - padding];
                    taps.extend(tap(offset, dy * shape.kernel + dx));
                }
                builder.source_step = shape.stride * ROW_BYTES;
                let from = [area.top, area.left].map(|at| (at * shape.stride) as isize);
                let class = Class {
                    taps,
                    first: [area.top, area.left],
                    from,
                };
                let merges = shape.stride == 1 && source.pitch() == target.pitch();
                builder.class(class, area, [1, shape.stride], merges)?;
            }
            Direction::Backward => {
                let stride = shape.stride;
                builder.target_step = stride;
                for (oy, ox) in square(0..stride) {
                    let first = [area.top + oy, area.left + ox];
                    let [ry, rx] = first.map(|at| ((at + shape.padding) % stride) as isize);
                    let mut taps = Vec::new();
                    for (my, mx) in square(0..shape.kernel.div_ceil(stride)) {
                        let (dy, dx) = (ry + (my * stride) as isize, rx + (mx * stride) as isize);
                        if dy < kernel && dx < kernel {
                            let offset = [-(my as isize), -(mx as isize)];
                            taps.extend(tap(offset, (dy * kernel + dx) as usize));
                        }
                    }
                    let from = first.map(|at| ((at + shape.padding) / stride) as isize);
                    let merges = stride == 1 && source.pitch() == target.pitch();
                    builder.class(Class { taps, first, from }, area, [stride, 1], merges)?;
                }
            }
        }
        builder.finish(source.rows())
    }

    /// From an image in two halves to the pixels `area` of a map.
    ///
    /// # Errors
    ///
    /// As [`Route::new`].
    pub fn from_image(
        panels: &Panels,
        source: &ImageLayout,
        target: &Layout,
        area: Area,
        isa: Bf16Isa,
    ) -> Result<Self> {
        if panels.kind != PanelKind::FromImage {
            return Err(unfit(panels, "from an image"));
        }
        let shape = panels.shape;
        check_channels(
            "the map that is written",
            target.channels,
            shape.out_channels,
        )?;
        target.check_holds("the map that is written", area)?;
        let (padding, half) = (shape.padding as isize, source.half() * ROW_BYTES);
        let grid = Grid::of_image(source);
        let mut taps = Vec::new();
        // The larger products last: image and weights in full, after the corrections of either.
        for (from_low, weights_low) in [(0, 1), (1, 0), (0, 0)] {
            for dy in 0..shape.kernel {
                let at = grid.at(dy as isize - padding, -padding) - grid.origin;
                let step = weights_low * shape.kernel + dy;
                taps.push((at + (from_low * half) as isize, step as u32));
            }
        }
        let mut builder = Builder::new(panels, &grid, target, isa);
        builder.source_step = shape.stride * PIXEL_BYTES;
        let first = [area.top, area.left];
        let from = first.map(|at| (at * shape.stride) as isize);
        builder.class(Class { taps, first, from }, area, [1, shape.stride], false)?;
        builder.finish(source.rows())
    }

    /// From a gradient to that of the pixels `area` of an image: rows of sums for blocks of `stride` × `stride` pixels,
    /// which [`ImageSums`] puts in their places.
    ///
    /// # Errors
    ///
    /// As [`Route::new`].
    pub fn to_image(
        panels: &Panels,
        source: &Layout,
        area: Area,
        isa: Bf16Isa,
    ) -> Result<(Self, ImageSums)> {
        if panels.kind != PanelKind::ToImage {
            return Err(unfit(panels, "to an image"));
        }
        let shape = panels.shape;
        check_channels(
            "the gradient that is read",
            source.channels,
            shape.out_channels,
        )?;
        let sums = ImageSums::new(area, shape.stride);
        let target = sums.layout();
        let grid = Grid::of_map(source);
        let (reach, groups) = (Reach::of(shape), source.planes());
        let plane = source.plane() * ROW_BYTES;
        let half = reach.len() * reach.len() * groups;
        let mut taps = Vec::new();
        for low in [1, 0] {
            for (y, x) in square(0..reach.len()) {
                let [dy, dx] = [y, x].map(|at| reach.first + at as isize);
                for group in 0..groups {
                    let at = grid.at(dy, dx) - grid.origin + (group * plane) as isize;
                    let step = low * half + (y * reach.len() + x) * groups + group;
                    taps.push((at, step as u32));
                }
            }
        }
        check_reach(reach, source, target.area)?;
        let mut builder = Builder::new(panels, &grid, &target, isa);
        let first = [target.area.top, target.area.left];
        let from = first.map(|at| at as isize);
        builder.class(Class { taps, first, from }, target.area, [1, 1], false)?;
        Ok((builder.finish(source.rows())?, sums))
    }

    /// Rows of a plane that is read, about: an image's rows over its planes.
    pub(crate) fn source_plane(&self) -> usize {
        let [read, _] = match self.kind {
            PanelKind::Map(direction) => self.shape.channels(direction),
            PanelKind::FromImage => [1, 1],
            PanelKind::ToImage => [self.shape.out_channels, 1],
        };
        self.source_rows / read.div_ceil(CHANNELS)
    }

    /// Checks that it was made for these panels' shape and these kernels.
    pub(crate) fn check(&self, panels: &Panels, isa: Bf16Isa) -> Result<()> {
        if (self.shape, self.kind, self.isa) == (panels.shape, panels.kind, isa) {
            return Ok(());
        }
        Err(Error::Shape {
            what: "the route of a convolution",
            found: format!("{:?} on {}", self.shape, self.isa.name()),
            expected: format!("{:?} on {}", panels.shape, isa.name()),
        })
    }
}

/// Where sums for blocks of pixels go in an image.
#[derive(Debug, Clone, Copy)]
pub struct ImageSums {
    area: Area,
    stride: usize,
}

impl ImageSums {
    fn new(area: Area, stride: usize) -> Self {
        Self { area, stride }
    }

    /// The blocks that hold the pixels, as a map without halo.
    fn layout(&self) -> Layout {
        let span = |first: usize, length: usize| {
            let from = first / self.stride;
            (from, (first + length).div_ceil(self.stride) - from)
        };
        let area = self.area;
        Layout {
            channels: CHANNELS,
            area: Area::of_spans(span(area.top, area.height), span(area.left, area.width)),
            halo: 0,
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
        Error::check_len("the gradient of an image", pixels.len(), 3 * area.len())?;
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
                    *value = sums[row * CHANNELS + sub * 3 + colour];
                }
            }
        }
        Ok(())
    }
}

struct Builder<'a> {
    route: Route,
    grid: &'a Grid,
    target: &'a Layout,
    most_rows: usize,
    source_step: usize,
    target_step: usize,
}

impl<'a> Builder<'a> {
    fn new(panels: &Panels, grid: &'a Grid, target: &'a Layout, isa: Bf16Isa) -> Self {
        Self {
            route: Route {
                jobs: Vec::new(),
                lists: Vec::new(),
                source_step: 0,
                target_step: 0,
                source_rows: 0,
                target_plane: target.plane(),
                target_rows: target.rows(),
                shape: panels.shape,
                kind: panels.kind,
                isa,
            },
            grid,
            target,
            most_rows: isa.rows().clamp(1, MOST_ROWS),
            source_step: ROW_BYTES,
            target_step: 1,
        }
    }

    /// Jobs for the pixels of `area` that belong to a class; `steps` are those of pixels written and of pixels read.
    fn class(&mut self, class: Class, area: Area, steps: [usize; 2], merges: bool) -> Result<()> {
        let [step, read_step] = steps;
        let count = |first: usize, end: usize| end.saturating_sub(first).div_ceil(step);
        let lines = count(class.first[0], area.bottom());
        let columns = count(class.first[1], area.right());
        if lines * columns == 0 {
            return Ok(());
        }
        let least = class.taps.iter().map(|tap| tap.0).min();
        let from = |line: usize| {
            let y = class.from[0] + (line * read_step) as isize;
            // Nothing is read where there are no taps.
            least.map_or(0, |least| self.grid.at(y, class.from[1]) + least)
        };
        let list = self.list(&class.taps)?;
        let whole = merges && columns == self.target.area.width;
        let runs = if whole { 1 } else { lines };
        let length = if whole {
            (lines - 1) * self.target.pitch() + columns
        } else {
            columns
        };
        for run in 0..runs {
            let target = self.target.row(class.first[0] + run * step, class.first[1]);
            self.run(from(run), target, length, list)?;
        }
        Ok(())
    }

    /// Jobs of about equal lengths for consecutive rows.
    fn run(&mut self, source: isize, target: usize, length: usize, list: u16) -> Result<()> {
        let (width, pitch) = (self.target.area.width, self.target.pitch());
        let jobs = length.div_ceil(self.most_rows);
        let mut first = 0;
        for job in 0..jobs {
            let end = (job + 1) * length / jobs;
            let rows = end - first;
            // Only lines that were joined have rows between them that are no pixels.
            let is_pixel = |row: &usize| length <= width || row % pitch < width;
            let valid = (first..end).filter(is_pixel).map(|row| 1 << (row - first));
            let source = source + (first * self.source_step) as isize;
            let at = target + first * self.target_step;
            self.push(Job {
                source: u32::try_from(source).map_err(|_| self.outside(source))?,
                target: u32::try_from(at).map_err(|_| self.outside(at))?,
                valid: valid.fold(0, |bits, bit: u32| bits | bit),
                rows: rows as u16,
                list,
            })?;
            first = end;
        }
        Ok(())
    }

    /// Adds a job after proving that neither what it reads nor what it writes lies outside.
    fn push(&mut self, job: Job) -> Result<()> {
        let between = usize::from(job.rows) - 1;
        let list = &self.route.lists[usize::from(job.list)];
        let end = between
            .checked_mul(self.source_step)
            .and_then(|end| end.checked_add(job.source as usize + list.reach()));
        if end.is_none_or(|end| end > self.grid.bytes) {
            return Err(self.outside(end.unwrap_or(usize::MAX)));
        }
        let last = job.target as usize + between * self.target_step;
        if last >= self.target.plane() {
            return Err(self.outside(last));
        }
        self.route.jobs.push(job);
        Ok(())
    }

    fn list(&mut self, taps: &[Tap]) -> Result<u16> {
        let least = taps.iter().map(|tap| tap.0).min().unwrap_or(0);
        let steps = taps.iter().map(|&(at, weights)| {
            let source = u32::try_from(at - least).map_err(|_| self.outside(at - least))?;
            Ok(Step { source, weights })
        });
        let list = List::new(steps.collect::<Result<_>>()?);
        self.route.lists.push(list);
        let index = self.route.lists.len() - 1;
        u16::try_from(index).map_err(|_| Error::Shape {
            what: "the maps of a convolution",
            found: format!("{index} kinds of pixels"),
            expected: "fewer: a smaller stride".into(),
        })
    }

    fn outside(&self, at: impl fmt::Display) -> Error {
        Error::Shape {
            what: "the maps of a convolution",
            found: format!("a row at {at}"),
            expected: format!(
                "within {} bytes, {} rows",
                self.grid.bytes,
                self.target.plane()
            ),
        }
    }

    fn finish(mut self, source_rows: usize) -> Result<Route> {
        self.route.source_rows = source_rows;
        self.route.source_step = self.source_step;
        self.route.target_step = self.target_step;
        Ok(self.route)
    }
}

fn square(side: std::ops::Range<usize>) -> impl Iterator<Item = (usize, usize)> {
    side.clone()
        .flat_map(move |y| side.clone().map(move |x| (y, x)))
}

fn unfit(panels: &Panels, expected: &str) -> Error {
    Error::Shape {
        what: "the panels of a convolution",
        found: format!("{:?}", panels.kind),
        expected: expected.into(),
    }
}

fn check_channels(what: &'static str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Shape {
        what,
        found: format!("{found} channels"),
        expected: expected.to_string(),
    })
}

/// How many pixels of halo a convolution reads.
pub fn halo(shape: ConvShape, direction: Direction) -> usize {
    let before = shape.padding;
    let after = (shape.kernel - 1).saturating_sub(shape.padding);
    match direction {
        Direction::Forward => before.max(after),
        Direction::Backward => before.max(after).div_ceil(shape.stride),
    }
}

/// How many pixels of halo the way back to an image reads.
pub fn halo_to_image(shape: ConvShape) -> usize {
    let reach = Reach::of(shape);
    let (before, after) = (reach.first.unsigned_abs(), reach.last.unsigned_abs());
    // The last pixels of an image, and those beside the first of a window, may be of a block that no output stands for.
    let unread = (shape.kernel + shape.stride).saturating_sub(2 + 2 * shape.padding) / shape.stride;
    let beside = usize::from(shape.stride > shape.kernel);
    before.max(after + unread).max(beside)
}

/// Checks that a layout has the halo that a convolution reads, and every pixel of a whole map that lies nearer than it.
fn check_halo(shape: ConvShape, direction: Direction, source: &Layout, area: Area) -> Result<()> {
    let needed = halo(shape, direction);
    if area.is_empty() {
        return Ok(());
    }
    if source.halo < needed {
        return Err(Error::Shape {
            what: "the map that is read",
            found: format!("a halo of {}", source.halo),
            expected: format!("{needed}"),
        });
    }
    let [kernel, stride, padding] = [shape.kernel, shape.stride, shape.padding].map(|n| n as isize);
    let covers = |first: usize, end: usize, from: usize, to: usize| {
        let (first, last) = (first as isize, end as isize - 1);
        let (first, last) = match direction {
            Direction::Forward => (
                first * stride - padding,
                last * stride - padding + kernel - 1,
            ),
            Direction::Backward => (
                // The first multiple of the stride that is not below.
                -(kernel - 1 - padding - first).div_euclid(stride),
                (last + padding).div_euclid(stride),
            ),
        };
        let halo = source.halo as isize;
        first >= from as isize - halo && last < to as isize + halo
    };
    let held = source.area;
    if covers(area.top, area.bottom(), held.top, held.bottom())
        && covers(area.left, area.right(), held.left, held.right())
    {
        return Ok(());
    }
    Err(Error::Shape {
        what: "the map that is read",
        found: format!("{held:?} and a halo of {}", source.halo),
        expected: format!("all that {area:?} reads within"),
    })
}

fn check_reach(reach: Reach, source: &Layout, blocks: Area) -> Result<()> {
    let needed = |first: usize, end: usize, from: usize, to: usize| {
        let before = from as isize - (first as isize + reach.first);
        let after = end as isize - 1 + reach.last - (to as isize - 1);
        before.max(after).max(0) as usize
    };
    let area = source.area;
    let needed = needed(blocks.top, blocks.bottom(), area.top, area.bottom()).max(needed(
        blocks.left,
        blocks.right(),
        area.left,
        area.right(),
    ));
    if source.halo >= needed {
        return Ok(());
    }
    Err(Error::Shape {
        what: "the gradient that is read",
        found: format!("a halo of {}", source.halo),
        expected: format!("{needed}"),
    })
}
