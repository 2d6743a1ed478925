//! Makes routes: cuts the pixels that are written into jobs, and proves that none reads or writes outside its maps.

use std::fmt;

use super::{Job, Route};
use crate::arch::bf16::{List, ROW_BYTES, Step, Table};
use crate::area::Area;
use crate::bf16::image::{ImageLayout, PIXEL_BYTES};
use crate::bf16::isa::Bf16Isa;
use crate::bf16::layout::Layout;
use crate::bf16::weights::Panels;
use crate::error::{Error, Result};

/// Where the pixels of what is read lie, in bytes.
pub(super) struct Grid {
    /// Of pixel (0, 0) of the whole map.
    origin: isize,
    line: isize,
    pixel: isize,
    /// Bytes of an image.
    bytes: usize,
    /// Planes that a sum reads.
    planes: usize,
}

impl Grid {
    pub(super) fn of_map(layout: &Layout) -> Self {
        let (line, row) = (layout.pitch() * ROW_BYTES, ROW_BYTES);
        let first = layout.halo * (line + row);
        Self {
            origin: first as isize - (layout.area.top * line + layout.area.left * row) as isize,
            line: line as isize,
            pixel: row as isize,
            bytes: layout.rows() * ROW_BYTES,
            planes: layout.planes(),
        }
    }

    pub(super) fn of_image(layout: &ImageLayout) -> Self {
        let line = layout.pitch() * PIXEL_BYTES;
        let first = layout.padding * (line + PIXEL_BYTES);
        let area = layout.area;
        Self {
            origin: first as isize - (area.top * line + area.left * PIXEL_BYTES) as isize,
            line: line as isize,
            pixel: PIXEL_BYTES as isize,
            bytes: layout.rows() * ROW_BYTES,
            planes: 1,
        }
    }

    /// Bytes from a pixel to another.
    pub(super) fn distance(&self, y: isize, x: isize) -> isize {
        y * self.line + x * self.pixel
    }

    fn at(&self, y: isize, x: isize) -> isize {
        self.origin + self.distance(y, x)
    }
}

/// A step before it is known from where its list counts: bytes from the pixel, and the weights' step.
pub(super) type Tap = (isize, u32);

/// Pixels that are written with one list.
pub(super) struct Class {
    pub(super) taps: Vec<Tap>,
    /// The first of them.
    pub(super) first: [usize; 2],
    /// The pixel that the taps count from, for the first.
    pub(super) from: [isize; 2],
    /// Pixels from one that is written, and from one that is read, to the next.
    pub(super) steps: [usize; 2],
    /// Whether both maps have the same pitch, so that a line runs on into the next.
    pub(super) runs_on: bool,
}

pub(super) struct Builder<'a> {
    route: Route,
    grid: &'a Grid,
    target: &'a Layout,
}

impl<'a> Builder<'a> {
    /// A route without jobs, from pixels that lie as `grid` says to those of `target`.
    pub(super) fn new(panels: &Panels, grid: &'a Grid, target: &'a Layout, isa: Bf16Isa) -> Self {
        Self {
            route: Route {
                jobs: Vec::new(),
                lists: Vec::new(),
                source_step: ROW_BYTES,
                target_step: 1,
                source_rows: grid.bytes / ROW_BYTES,
                source_planes: grid.planes,
                target_plane: target.plane(),
                target_rows: target.rows(),
                shape: panels.shape,
                kind: panels.kind,
                isa,
                table: Table::of(isa),
            },
            grid,
            target,
        }
    }

    /// The same with other steps: bytes between rows that are read, rows between those that are written.
    pub(super) fn steps(mut self, source: usize, target: usize) -> Self {
        self.route.source_step = source;
        self.route.target_step = target;
        self
    }

    /// Jobs for the pixels of `area` that belong to a class.
    pub(super) fn class(&mut self, class: &Class, area: Area) -> Result<()> {
        let [step, read_step] = class.steps;
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
        let whole = class.runs_on && columns == self.target.area.width;
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

    /// Jobs for consecutive rows.
    fn run(&mut self, source: isize, target: usize, length: usize, list: u16) -> Result<()> {
        let (width, pitch) = (self.target.area.width, self.target.pitch());
        let Table { rows, unit, .. } = *self.route.table;
        let mut first = 0;
        for end in ends(length, rows, unit) {
            let rows = end - first;
            // Only lines that were joined have rows between them that are no pixels.
            let is_pixel = |row: &usize| length <= width || row % pitch < width;
            let valid = (first..end).filter(is_pixel).map(|row| 1 << (row - first));
            let source = source + (first * self.route.source_step) as isize;
            let at = target + first * self.route.target_step;
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
            .checked_mul(self.route.source_step)
            .and_then(|end| end.checked_add(job.source as usize + list.reach()));
        if end.is_none_or(|end| end > self.grid.bytes) {
            return Err(self.outside(end.unwrap_or(usize::MAX)));
        }
        let last = job.target as usize + between * self.route.target_step;
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

    pub(super) fn finish(self) -> Route {
        self.route
    }
}

/// Where jobs of at most `rows` end, for `length` consecutive rows: of about equal lengths, whole units but for the last.
fn ends(length: usize, rows: usize, unit: usize) -> impl Iterator<Item = usize> {
    let units = length.div_ceil(unit);
    let jobs = units.div_ceil(rows / unit);
    (1..=jobs).map(move |job| (job * units / jobs * unit).min(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_whole_units() {
        let cut = |length, rows, unit| ends(length, rows, unit).collect::<Vec<_>>();
        assert_eq!(cut(25, 12, 1), [8, 16, 25]);
        assert_eq!(cut(112, 32, 16), [16, 48, 80, 112]);
        assert_eq!(cut(55, 32, 16), [32, 55]);
        assert_eq!(cut(5, 32, 16), [5]);
        for length in 1..200 {
            let mut first = 0;
            for end in cut(length, 32, 16) {
                assert!(first < end && end - first <= 32 && (end % 16 == 0 || end == length));
                first = end;
            }
            assert_eq!(first, length);
        }
    }
}
