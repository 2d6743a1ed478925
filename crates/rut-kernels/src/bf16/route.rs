//! Which rows a convolution reads for which rows it writes, for maps of one size: worked out and checked once, then run for
//! every image.

mod builder;

use super::image::ImageLayout;
use super::image_sums::ImageSums;
use super::isa::Bf16Isa;
use super::layout::{Layout, Side};
use super::weights::{PanelKind, Panels, Reach};
use crate::arch::bf16::{List, ROW_BYTES, Table};
use crate::area::Area;
use crate::error::{Error, Result};
use crate::shape::{ConvShape, Direction};
use builder::{Builder, Class, Grid, Tap};

/// A few rows that are summed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    /// Bytes from the first row of the images that are read to the first row that is.
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
    pub(crate) source: Side,
    pub(crate) target: Side,
    /// Planes that a sum reads, and rows of a plane that is written.
    pub(crate) source_planes: usize,
    pub(crate) target_plane: usize,
    /// The panels and the kernels that it was made for.
    shape: ConvShape,
    kind: PanelKind,
    isa: Bf16Isa,
    pub(crate) table: &'static Table,
}

impl Route {
    /// From map to map: the pixels `area` of what is written. Images stand together on both sides alike, or on one of them.
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
        check_together(source, target)?;
        if !area.is_empty() {
            let read = pixels_read(panels.shape, direction, area);
            check_reads("the map that is read", source, read)?;
        }
        let grid = Grid::of_map(source);
        let groups = source.planes();
        let tap = |offset: [isize; 2], tap: usize| {
            let plane = source.plane() * ROW_BYTES;
            let at = grid.distance(offset[0], offset[1]);
            (0..groups).map(move |group| Tap {
                offset,
                at: at + (group * plane) as isize,
                weights: (tap * groups + group) as u32,
            })
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
                let first = [area.top, area.left];
                let class = Class {
                    taps,
                    first,
                    from: first.map(|at| (at * shape.stride) as isize),
                    steps: [1, shape.stride],
                };
                builder.class(&class, area)?;
                Ok(builder.finish())
            }
            Direction::Backward => {
                let stride = shape.stride;
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
                    let class = Class {
                        taps,
                        first,
                        from: first.map(|at| ((at + shape.padding) / stride) as isize),
                        steps: [stride, 1],
                    };
                    builder.class(&class, area)?;
                }
                Ok(builder.finish())
            }
        }
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
        target.check_apart("the map that is written")?;
        let (padding, half) = (shape.padding as isize, source.half() * ROW_BYTES);
        let grid = Grid::of_image(source);
        let mut taps = Vec::new();
        // The larger products last: image and weights in full, after the corrections of either.
        for (from_low, weights_low) in [(0, 1), (1, 0), (0, 0)] {
            for dy in 0..shape.kernel {
                let offset = [dy as isize - padding, -padding];
                let at = grid.distance(offset[0], offset[1]);
                taps.push(Tap {
                    offset,
                    at: at + (from_low * half) as isize,
                    weights: (weights_low * shape.kernel + dy) as u32,
                });
            }
        }
        let first = [area.top, area.left];
        let class = Class {
            taps,
            first,
            from: first.map(|at| (at * shape.stride) as isize),
            steps: [1, shape.stride],
        };
        let mut builder = Builder::new(panels, &grid, target, isa);
        builder.class(&class, area)?;
        Ok(builder.finish())
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
        source.check_apart("the gradient that is read")?;
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
                    taps.push(Tap {
                        offset: [dy, dx],
                        at: grid.distance(dy, dx) + (group * plane) as isize,
                        weights: (low * half + (y * reach.len() + x) * groups + group) as u32,
                    });
                }
            }
        }
        let blocks = target.area;
        let read = |first: usize, end: usize| {
            [first as isize + reach.first, end as isize - 1 + reach.last]
        };
        check_reads(
            "the gradient that is read",
            source,
            [
                read(blocks.top, blocks.bottom()),
                read(blocks.left, blocks.right()),
            ],
        )?;
        let first = [blocks.top, blocks.left];
        let class = Class {
            taps,
            first,
            from: first.map(|at| at as isize),
            steps: [1, 1],
        };
        let mut builder = Builder::new(panels, &grid, &target, isa);
        builder.class(&class, blocks)?;
        Ok((builder.finish(), sums))
    }

    /// Images that are summed at once: those that stand together on both sides.
    pub(crate) fn at_once(&self) -> usize {
        if self.source.together == self.target.together {
            self.source.together
        } else {
            1
        }
    }

    /// How many images go from one buffer into another: where they stand together on one side only, as many as there are on the
    /// other, the first of them at place `first`.
    pub(crate) fn images(&self, first: usize, source: usize, target: usize) -> Result<usize> {
        let (what_is_read, what_is_written) = ("the map that is read", "the map that is written");
        let source = self.source.images(what_is_read, source)?;
        let target = self.target.images(what_is_written, target)?;
        if self.source.together == self.target.together {
            Error::check_len(what_is_written, target, source)?;
            Error::check_len("the first of the images", first, 0)?;
            return Ok(source);
        }
        let (what, apart, together) = if self.source.together == 1 {
            (what_is_written, source, target)
        } else {
            (what_is_read, target, source)
        };
        if first.checked_add(apart).is_some_and(|end| end <= together) {
            return Ok(apart);
        }
        Err(Error::Shape {
            what,
            found: format!("{together} images"),
            expected: format!("{apart} from image {first} on"),
        })
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

fn check_together(source: &Layout, target: &Layout) -> Result<()> {
    let (from, into) = (source.together, target.together);
    if from > 0 && into > 0 && (from == into || from.min(into) == 1) {
        return Ok(());
    }
    Err(Error::Shape {
        what: "the maps of a convolution",
        found: format!("{from} images together on one side, {into} on the other"),
        expected: "as many, or one on one side".into(),
    })
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

/// How many pixels of halo a convolution of a checked shape reads.
pub fn halo(shape: ConvShape, direction: Direction) -> usize {
    let before = shape.padding;
    let after = (shape.kernel - 1).saturating_sub(shape.padding);
    match direction {
        Direction::Forward => before.max(after),
        Direction::Backward => before.max(after).div_ceil(shape.stride),
    }
}

/// How many pixels of halo the way back to an image reads, of a checked shape.
pub fn halo_to_image(shape: ConvShape) -> usize {
    let reach = Reach::of(shape);
    let (before, after) = (reach.first.unsigned_abs(), reach.last.unsigned_abs());
    // The last pixels of an image, and those beside the first of a window, may be of a block that no output stands for.
    let unread = (shape.kernel + shape.stride).saturating_sub(2 + 2 * shape.padding) / shape.stride;
    let beside = usize::from(shape.stride > shape.kernel);
    before.max(after + unread).max(beside)
}

/// The first and the last line, and column, that a convolution reads for the pixels of an area that is not empty.
fn pixels_read(shape: ConvShape, direction: Direction, area: Area) -> [[isize; 2]; 2] {
    let [kernel, stride, padding] = [shape.kernel, shape.stride, shape.padding].map(|n| n as isize);
    let span = |first: usize, end: usize| {
        let (first, last) = (first as isize, end as isize - 1);
        match direction {
            Direction::Forward => [
                first * stride - padding,
                last * stride - padding + kernel - 1,
            ],
            // o · stride − padding + d = i for some 0 ≤ d < kernel, as in `ConvShape::reach`.
            Direction::Backward => [
                -(kernel - 1 - padding - first).div_euclid(stride),
                (last + padding).div_euclid(stride),
            ],
        }
    };
    [span(area.top, area.bottom()), span(area.left, area.right())]
}

/// Checks that what is read of a map, lines and columns, is kept or in its halo.
fn check_reads(what: &'static str, source: &Layout, read: [[isize; 2]; 2]) -> Result<()> {
    let area = source.area;
    let kept = [[area.top, area.bottom()], [area.left, area.right()]];
    let beside = |([first, last], [from, to]): ([isize; 2], [usize; 2])| {
        (from as isize - first).max(last + 1 - to as isize).max(0) as usize
    };
    let needed = read.into_iter().zip(kept).map(beside).max().unwrap_or(0);
    if source.halo >= needed {
        return Ok(());
    }
    Err(Error::Shape {
        what,
        found: format!("{area:?} and a halo of {}", source.halo),
        expected: format!("{needed}"),
    })
}
