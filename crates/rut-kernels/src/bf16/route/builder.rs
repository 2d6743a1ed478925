//! Makes routes: cuts the pixels that are written into jobs, and proves that none reads or writes outside its maps.

use std::fmt;
use std::ops::Range;

use super::{Job, Route};
use crate::arch::bf16::{List, ROW_BYTES, Step, Table};
use crate::area::Area;
use crate::bf16::image::{ImageLayout, PIXEL_BYTES};
use crate::bf16::isa::Bf16Isa;
use crate::bf16::layout::{Layout, Side};
use crate::bf16::weights::Panels;
use crate::error::{Error, Result};

/// Where the pixels of what is read lie, in bytes.
pub(super) struct Grid {
    /// Of pixel (0, 0) of the whole map.
    origin: isize,
    line: isize,
    pixel: isize,
    /// Of a buffer of the images that stand together.
    side: Side,
    /// Planes that a sum reads.
    planes: usize,
    /// The pixels beside which there are only zeros.
    kept: Option<Area>,
}

impl Grid {
    pub(super) fn of_map(layout: &Layout) -> Self {
        let (line, pixel) = (layout.pitch() * ROW_BYTES, layout.together * ROW_BYTES);
        let first = layout.halo * (line + pixel);
        Self {
            origin: first as isize - (layout.area.top * line + layout.area.left * pixel) as isize,
            line: line as isize,
            pixel: pixel as isize,
            side: Side::of(layout),
            planes: layout.planes(),
            kept: Some(layout.area),
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
            side: Side {
                together: 1,
                rows: layout.rows(),
            },
            planes: 1,
            kept: None,
        }
    }

    /// Bytes from a pixel to another.
    pub(super) fn distance(&self, y: isize, x: isize) -> isize {
        y * self.line + x * self.pixel
    }

    fn at(&self, [y, x]: [isize; 2]) -> isize {
        self.origin + self.distance(y, x)
    }

    /// Whether a line, or column, has pixels that may not be zero.
    fn is_kept(&self, axis: usize, at: isize) -> bool {
        self.kept.is_none_or(|area| {
            let kept = [area.top..area.bottom(), area.left..area.right()];
            usize::try_from(at).is_ok_and(|at| kept[axis].contains(&at))
        })
    }
}

/// A step before it is known from where its list counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tap {
    /// Lines and columns from the pixel that the taps count from.
    pub(super) offset: [isize; 2],
    /// The same in bytes, with those to the plane.
    pub(super) at: isize,
    /// The weights' step.
    pub(super) weights: u32,
}

/// Pixels that are written with the same taps.
pub(super) struct Class {
    pub(super) taps: Vec<Tap>,
    /// The first of them.
    pub(super) first: [usize; 2],
    /// The pixel that the taps count from, for the first.
    pub(super) from: [isize; 2],
    /// Pixels from one that is written, and from one that is read, to the next.
    pub(super) steps: [usize; 2],
}

/// Some lines and columns of a class, and those of its taps that read more than zeros there.
struct Part {
    lines: Range<usize>,
    columns: Range<usize>,
    taps: Vec<Tap>,
}

/// Consecutive rows, from a line and a column of a class.
struct Run {
    first: [usize; 2],
    length: usize,
    /// Whether the rows of several lines are taken as one run, with those between them.
    is_joined: bool,
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
                source: grid.side,
                target: Side::of(target),
                source_planes: grid.planes,
                target_plane: target.plane(),
                shape: panels.shape,
                kind: panels.kind,
                isa,
                table: Table::of(isa),
            },
            grid,
            target,
        }
    }

    /// Jobs for the pixels of `area` that belong to a class, the cheapest that are known.
    pub(super) fn class(&mut self, class: &Class, area: Area) -> Result<()> {
        let [step, read_step] = class.steps;
        if self.route.at_once() == 1 {
            self.route.source_step = read_step * self.grid.pixel as usize;
            self.route.target_step = step * self.target.together;
        }
        let count = |first: usize, end: usize| end.saturating_sub(first).div_ceil(step);
        let all = [
            0..count(class.first[0], area.bottom()),
            0..count(class.first[1], area.right()),
        ];
        if all.iter().any(Range::is_empty) {
            return Ok(());
        }
        let [lines, columns] = [0, 1].map(|axis| self.spans(class, axis, all[axis].len()));
        let [every_line, every_column] = all.map(|range| vec![range]);
        // Fewer products in shorter runs, or more in longer ones.
        let ways = [
            (&every_line, &every_column),
            (&lines, &every_column),
            (&lines, &columns),
        ];
        let parts = ways.map(|(lines, columns)| self.parts(class, lines, columns));
        let cost = |parts: &Vec<Part>| -> usize {
            let cost = |part| self.cost(part, &self.runs(class, part));
            parts.iter().map(cost).sum()
        };
        let Some(parts) = parts.into_iter().min_by_key(cost) else {
            return Ok(());
        };
        for part in &parts {
            let list = self.list(&part.taps)?;
            let least = part.taps.iter().map(|tap| tap.at).min();
            for run in self.runs(class, part) {
                let [y, x] = [0, 1].map(|axis| class.first[axis] + run.first[axis] * step);
                let from =
                    [0, 1].map(|axis| class.from[axis] + (run.first[axis] * read_step) as isize);
                // Nothing is read where there are no taps.
                let source = least.map_or(0, |least| self.grid.at(from) + least);
                self.run(source, self.target.row(y, x), &run, list)?;
            }
        }
        Ok(())
    }

    /// Consecutive lines, or columns, whose pixels need the same taps.
    fn spans(&self, class: &Class, axis: usize, count: usize) -> Vec<Range<usize>> {
        let from = |index: usize| class.from[axis] + (index * class.steps[1]) as isize;
        let needs =
            |index: usize, tap: &Tap| self.grid.is_kept(axis, from(index) + tap.offset[axis]);
        let mut spans: Vec<Range<usize>> = Vec::new();
        for index in 0..count {
            let is_alike = |first: usize| {
                let mut taps = class.taps.iter();
                taps.all(|tap| needs(first, tap) == needs(index, tap))
            };
            match spans.last_mut() {
                Some(last) if is_alike(last.start) => last.end = index + 1,
                _ => spans.push(index..index + 1),
            }
        }
        spans
    }

    /// The lines and columns of the spans crossed; taps are left out where all of a part's pixels read zeros by them.
    fn parts(&self, class: &Class, lines: &[Range<usize>], columns: &[Range<usize>]) -> Vec<Part> {
        let mut parts = Vec::new();
        for lines in lines {
            for columns in columns {
                let is_needed = |tap: &&Tap| {
                    [lines, columns]
                        .into_iter()
                        .enumerate()
                        .all(|(axis, span)| {
                            span.clone().any(|index| {
                                let from = class.from[axis] + (index * class.steps[1]) as isize;
                                self.grid.is_kept(axis, from + tap.offset[axis])
                            })
                        })
                };
                parts.push(Part {
                    lines: lines.clone(),
                    columns: columns.clone(),
                    taps: class.taps.iter().filter(is_needed).copied().collect(),
                });
            }
        }
        parts
    }

    /// What is written of a part, as runs of rows at equal distances in both maps.
    fn runs(&self, class: &Class, part: &Part) -> Vec<Run> {
        let together = self.route.at_once();
        let run = |line: usize, column: usize, length: usize| Run {
            first: [line, column],
            length,
            is_joined: false,
        };
        let (lines, columns) = (part.lines.clone(), part.columns.clone());
        let width = columns.len();
        if together > 1 && class.steps != [1, 1] {
            let pixels = lines.flat_map(|line| columns.clone().map(move |column| [line, column]));
            return pixels.map(|[y, x]| run(y, x, together)).collect();
        }
        let by_line = lines
            .clone()
            .map(|line| run(line, columns.start, width * together))
            .collect();
        let (line, pixel) = (self.grid.line, self.grid.pixel);
        let pitch = self.target.pitch() / self.target.together;
        let runs_on = together == 1
            && class.steps == [1, 1]
            && width == self.target.area.width
            && line == pitch as isize * pixel;
        if !runs_on {
            return by_line;
        }
        let joined = vec![Run {
            first: [lines.start, columns.start],
            length: (lines.len() - 1) * pitch + width,
            is_joined: true,
        }];
        if self.cost(part, &joined) <= self.cost(part, &by_line) {
            joined
        } else {
            by_line
        }
    }

    /// About what runs take, in halves of the products of a row by a tap: what a job begins with, and what it loads of weights
    /// for each tap, whatever its rows, are estimates.
    fn cost(&self, part: &Part, runs: &[Run]) -> usize {
        let Table { rows, unit, .. } = *self.route.table;
        let cost = |run: &Run| {
            let jobs = ends(run.length, rows, unit).count();
            let summed = run.length.next_multiple_of(unit);
            part.taps.len() * (2 * summed + jobs) + 4 * jobs
        };
        runs.iter().map(cost).sum()
    }

    /// Jobs for consecutive rows.
    fn run(&mut self, source: isize, target: usize, run: &Run, list: u16) -> Result<()> {
        let (width, pitch) = (
            self.target.area.width,
            self.target.pitch() / self.target.together,
        );
        let Table { rows, unit, .. } = *self.route.table;
        let mut first = 0;
        for end in ends(run.length, rows, unit) {
            let rows = end - first;
            // Only lines that were joined have rows between them that are no pixels.
            let is_pixel = |row: &usize| !run.is_joined || row % pitch < width;
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
        // Images that are summed one by one may be the last of those that they stand with.
        let last = |side: Side| side.together - self.route.at_once();
        let end = between
            .checked_mul(self.route.source_step)
            .and_then(|end| end.checked_add(job.source as usize + list.reach()))
            .and_then(|end| end.checked_add(last(self.route.source) * ROW_BYTES));
        if end.is_none_or(|end| end > self.route.source.rows * ROW_BYTES) {
            return Err(self.outside(end.unwrap_or(usize::MAX)));
        }
        let at = between
            .checked_mul(self.route.target_step)
            .and_then(|at| at.checked_add(job.target as usize + last(self.route.target)));
        if at.is_none_or(|at| at >= self.target.plane()) {
            return Err(self.outside(at.unwrap_or(usize::MAX)));
        }
        self.route.jobs.push(job);
        Ok(())
    }

    fn list(&mut self, taps: &[Tap]) -> Result<u16> {
        let least = taps.iter().map(|tap| tap.at).min().unwrap_or(0);
        let steps = taps.iter().map(|tap| {
            let at = tap.at - least;
            let source = u32::try_from(at).map_err(|_| self.outside(at))?;
            Ok(Step {
                source,
                weights: tap.weights,
            })
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
                self.grid.side.rows * ROW_BYTES,
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
    use crate::shape::{ConvShape, Direction};

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

    /// Rows times steps of a 3×3 convolution of one plane into one plane of 7 × 7 pixels.
    fn products(together: usize) -> usize {
        let shape = ConvShape {
            in_channels: 32,
            out_channels: 32,
            kernel: 3,
            stride: 1,
            padding: 1,
        };
        let weights = vec![0.0; shape.weights()];
        let panels = Panels::new(shape, Direction::Forward, &weights, None).unwrap();
        let layout = Layout {
            channels: 32,
            area: Area::whole(7, 7),
            halo: 1,
            together,
        };
        let route = Route::new(&panels, &layout, &layout, layout.area, Bf16Isa::Portable).unwrap();
        let products = |job: &Job| {
            let steps = route.lists[usize::from(job.list)].steps().len();
            usize::from(job.rows) * steps
        };
        route.jobs.iter().map(products).sum()
    }

    #[test]
    fn what_is_read_beside_a_map_is_not_multiplied() {
        // Along an axis 2 + 5 · 3 + 2 pixels are read.
        assert_eq!(products(16), 16 * 19 * 19);
        // Lines are kept whole where images stand apart, so that no job is of one pixel.
        assert_eq!(products(1), 7 * 3 * 19);
    }
}
