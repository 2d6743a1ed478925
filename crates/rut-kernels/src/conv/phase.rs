//! Both directions of a convolution as the same sum.
//!
//! Number the written pixels along an axis `write_step · q + phase`; each reads the pixels `read_step · q + d` for the
//! taps d of its phase. Forward there is one phase, and the read step is the stride. Backward the write step is the
//! stride, and each of its stride² phases meets its own share of the kernel.

use crate::area::Area;
use crate::shape::{ConvShape, Direction};

/// A position of the kernel, and how far from `read_step · q` the pixel that it multiplies stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tap {
    pub(crate) kernel_row: usize,
    /// That of the first column phase; the next phase's is the next column, which need not be one of the kernel.
    pub(crate) kernel_column: isize,
    pub(crate) row: isize,
    pub(crate) column: isize,
}

/// The written pixels of one residue, and the taps that reach them.
#[derive(Debug, Clone)]
pub(crate) struct Phase {
    pub(crate) row: usize,
    pub(crate) column: usize,
    pub(crate) taps: Vec<Tap>,
}

/// How far apart neighbouring q stand in what is read and in what is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steps {
    pub(crate) read: usize,
    pub(crate) write: usize,
}

impl Steps {
    pub(crate) fn of(shape: ConvShape, direction: Direction) -> Self {
        match direction {
            Direction::Forward => Self {
                read: shape.stride,
                write: 1,
            },
            Direction::Backward => Self {
                read: 1,
                write: shape.stride,
            },
        }
    }
}

impl Phase {
    pub(crate) fn all(shape: ConvShape, direction: Direction) -> Vec<Self> {
        let steps = Steps::of(shape, direction);
        let mut phases = Vec::with_capacity(steps.write * steps.write);
        for row in 0..steps.write {
            for column in 0..steps.write {
                phases.push(Self {
                    row,
                    column,
                    taps: taps(shape, direction, [row, column]),
                });
            }
        }
        phases
    }

    /// For each row the phase of column 0 with the taps of all columns: each pixel that is read serves all columns of a q.
    pub(crate) fn wide(shape: ConvShape, direction: Direction) -> Vec<Self> {
        let steps = Steps::of(shape, direction);
        let all = Self::all(shape, direction);
        let rows = all.chunks(steps.write).map(|columns| {
            let mut taps: Vec<Tap> = Vec::new();
            for (index, phase) in columns.iter().enumerate() {
                taps.extend(phase.taps.iter().map(|tap| Tap {
                    kernel_column: tap.kernel_column - index as isize,
                    ..*tap
                }));
            }
            // In the order of each phase's own.
            taps.sort_by_key(|tap| (tap.kernel_row, tap.kernel_column));
            taps.dedup_by_key(|tap| (tap.kernel_row, tap.kernel_column));
            Self {
                row: columns[0].row,
                column: 0,
                taps,
            }
        });
        rows.collect()
    }

    /// The q of the written pixels of this phase in `first..first + count` along an axis of phase `residue`.
    pub(crate) fn range(
        residue: usize,
        step: usize,
        first: usize,
        count: usize,
    ) -> std::ops::Range<usize> {
        let position = |limit: usize| (limit.saturating_sub(residue)).div_ceil(step);
        position(first)..position(first + count)
    }

    /// The pixels inside a map of `size` that are read for the written pixels of `area`; `None` where none is.
    pub(crate) fn reads(&self, steps: Steps, area: Area, size: [usize; 2]) -> Option<Area> {
        let rows = Self::range(self.row, steps.write, area.top, area.height);
        let columns = Self::range(self.column, steps.write, area.left, area.width);
        let [height, width] = size;
        let taps = self.taps.iter();
        let rows = span(steps, rows, taps.clone().map(|tap| tap.row), height)?;
        let columns = span(steps, columns, taps.map(|tap| tap.column), width)?;
        Some(Area::of_spans(rows, columns))
    }
}

fn span(
    steps: Steps,
    q: std::ops::Range<usize>,
    taps: impl Iterator<Item = isize> + Clone,
    limit: usize,
) -> Option<(usize, usize)> {
    if q.is_empty() {
        return None;
    }
    let low = (q.start * steps.read) as isize + taps.clone().min()?;
    let high = ((q.end - 1) * steps.read) as isize + taps.max()? + 1;
    let from = low.clamp(0, limit as isize) as usize;
    let to = high.clamp(0, limit as isize) as usize;
    (to > from).then(|| (from, to - from))
}

fn taps(shape: ConvShape, direction: Direction, residue: [usize; 2]) -> Vec<Tap> {
    let along = |k: usize, residue: usize| -> Option<isize> {
        let (k, padding) = (k as isize, shape.padding as isize);
        match direction {
            Direction::Forward => Some(k - padding),
            Direction::Backward => {
                let distance = residue as isize + padding - k;
                let stride = shape.stride as isize;
                (distance.rem_euclid(stride) == 0).then(|| distance.div_euclid(stride))
            }
        }
    };
    let mut taps = Vec::new();
    for kernel_row in 0..shape.kernel {
        for kernel_column in 0..shape.kernel {
            let row = along(kernel_row, residue[0]);
            let column = along(kernel_column, residue[1]);
            if let (Some(row), Some(column)) = (row, column) {
                taps.push(Tap {
                    kernel_row,
                    kernel_column: kernel_column as isize,
                    row,
                    column,
                });
            }
        }
    }
    taps
}

/// How the source pixels of a tile are packed, for each channel: one row of slots for each row of taps; in it one run of
/// slots for each residue of the taps' columns, so that a tap's pixels are neighbours for every stride.
#[derive(Debug, Clone)]
pub(crate) struct Packing {
    /// Slots of a channel.
    pub(crate) pitch: usize,
    /// For each tap the slot of the tile's first pixel.
    pub(crate) slots: Vec<usize>,
    rows: Vec<isize>,
    runs: Vec<Run>,
    row_pitch: usize,
}

/// Columns `read_step · j + column` for j from 0, beginning at a slot.
#[derive(Debug, Clone, Copy)]
struct Run {
    column: isize,
    slot: usize,
    /// Pixels beyond those of the tile.
    extra: usize,
}

impl Packing {
    /// For tiles of up to `pixels` pixels.
    pub(crate) fn new(taps: &[Tap], steps: Steps, pixels: usize) -> Self {
        let step = steps.read as isize;
        let mut rows: Vec<isize> = taps.iter().map(|tap| tap.row).collect();
        rows.sort_unstable();
        rows.dedup();
        let mut runs = Vec::new();
        let mut row_pitch = 0;
        for residue in 0..step {
            let columns = taps.iter().map(|tap| tap.column);
            let here = columns.filter(|column| column.rem_euclid(step) == residue);
            let (Some(low), Some(high)) = (here.clone().min(), here.max()) else {
                continue;
            };
            let extra = ((high - low) / step) as usize;
            runs.push(Run {
                column: low,
                slot: row_pitch,
                extra,
            });
            row_pitch += pixels + extra;
        }
        let slot = |tap: &Tap| {
            let row = rows.iter().position(|&row| row == tap.row).unwrap_or(0);
            let run = runs
                .iter()
                .find(|run| (tap.column - run.column).rem_euclid(step) == 0);
            let column = run.map_or(0, |run| {
                run.slot + ((tap.column - run.column) / step) as usize
            });
            row * row_pitch + column
        };
        Self {
            pitch: row_pitch * rows.len(),
            slots: taps.iter().map(slot).collect(),
            rows,
            runs,
            row_pitch,
        }
    }

    /// Calls `fill(slot, pixel)` for every slot of the tile that begins at (`row`, `column`), counted in q; the pixel is
    /// `None` outside the map.
    pub(crate) fn each(
        &self,
        steps: Steps,
        [row, column]: [usize; 2],
        pixels: usize,
        [height, width]: [usize; 2],
        mut fill: impl FnMut(usize, Option<[usize; 2]>),
    ) {
        let inside = |at: isize, limit: usize| usize::try_from(at).ok().filter(|&at| at < limit);
        for (index, tap_row) in self.rows.iter().enumerate() {
            let y = inside((row * steps.read) as isize + tap_row, height);
            for run in &self.runs {
                for j in 0..pixels + run.extra {
                    let x = inside(((column + j) * steps.read) as isize + run.column, width);
                    let slot = index * self.row_pitch + run.slot + j;
                    fill(slot, y.zip(x).map(|(y, x)| [y, x]));
                }
            }
        }
    }
}
