//! Winograd's F(4×4, 3×3): a tile of 4×4 sums from 36 products instead of 144.
//!
//! Lavin and Gray 2016, Fast algorithms for convolutional neural networks. A group of tiles is transformed, each of the 36
//! positions is a dense product over the channels, and the products are transformed back.

mod cut;
mod weights;

use rayon::prelude::*;

use super::Job;
use super::block::Weights;
use super::phase::Phase;
use crate::arch::{
    Arch, DenseTile, Epilogue, Init, Offsets, POSITIONS, Patch, Patches, READ, Square, Squares,
    Target,
};
use crate::finish::{End, Start};
use crate::lanes::Lanes;
use crate::shape::{ConvShape, Direction};
use crate::workspace::{Scratch, Workspace};
use cut::Grid;

/// Transformed weights.
pub(super) struct Winograd {
    arch: &'static Arch,
    read: usize,
    written: usize,
    /// Pixels before the first of a tile that it reads, along each axis.
    before: usize,
    /// `[position][group][read][rows of a group]`.
    weights: Vec<f32>,
    /// As many zeros as there are channels in whole groups.
    zeros: Vec<f32>,
}

/// Tiles of a group: as many as the widest dense kernel sums at once.
const GROUP: usize = 6;
/// Fewer tiles than these would not be worth reading the weights.
const LEAST_GROUP: usize = 4;
/// Fewer channels than these would not be worth transforming the source.
const LEAST_PART: usize = 32;
/// Channels that are transformed back at once: enough to read the transformed source seldom, and few enough that their
/// products stay near.
const BLOCK: usize = 128;

/// How a run is divided.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// Most tiles of a group.
    tiles: usize,
    /// Channels that a task writes.
    part: usize,
    /// Channels that are summed before they are transformed back.
    block: usize,
}

/// What the tasks of a run share.
#[derive(Clone, Copy)]
struct Run<'r> {
    job: &'r Job<'r>,
    plan: Plan,
    bias: &'r [f32],
}

/// Tiles and channels that one thread computes at a time.
struct Task<'t, 'a> {
    first_tile: usize,
    first_channel: usize,
    squares: &'t mut [Square<'a>],
}

/// Whether a convolution can be computed so.
pub(super) fn fits(shape: ConvShape) -> bool {
    shape.kernel == 3 && shape.stride == 1 && shape.padding <= 2
}

impl Winograd {
    /// For a shape that [`fits`], with its one phase.
    pub(super) fn new(
        arch: &'static Arch,
        weights: &Weights<'_>,
        shape: ConvShape,
        direction: Direction,
        phase: &Phase,
    ) -> Self {
        let [read, written] = shape.channels(direction);
        let mut taps = phase.taps.clone();
        taps.sort_by_key(|tap| (tap.row, tap.column));
        Self {
            arch,
            read,
            written,
            before: match direction {
                Direction::Forward => shape.padding,
                Direction::Backward => 2 - shape.padding,
            },
            weights: weights::transform(arch, weights, [read, written], &taps),
            zeros: vec![0.0; written.next_multiple_of(arch.rows)],
        }
    }

    /// Computes a job whose maps were checked; the bias is padded to whole groups.
    pub(super) fn run(
        &self,
        workspace: &Workspace,
        job: &Job<'_>,
        values: &mut [Lanes],
        end: End<'_>,
        bias: &[f32],
    ) {
        if job.area.is_empty() {
            return;
        }
        let grid = Grid::new(job.area);
        let plan = self.plan(grid.tiles, rayon::current_num_threads());
        let mut squares = cut::cut(values, end, job.held, grid, self.written, plan.part);
        let run = Run { job, plan, bias };
        let mut tasks = Vec::new();
        for (part, squares) in squares.iter_mut().enumerate() {
            for (group, squares) in squares.chunks_mut(plan.tiles).enumerate() {
                tasks.push(Task {
                    first_tile: group * plan.tiles,
                    first_channel: part * plan.part,
                    squares,
                });
            }
        }
        tasks.into_par_iter().for_each_init(
            || (workspace.take(), Vec::new()),
            |(scratch, patches), task| {
                patches.clear();
                let tiles = task.first_tile..task.first_tile + task.squares.len();
                patches.extend(tiles.map(|tile| self.patch(job, grid.pixel(tile))));
                self.task(&run, task, scratch, patches);
            },
        );
    }

    /// As few tasks as keep all threads busy to the end: smaller groups first, then ranges of channels, which cost their
    /// tiles' transforms again.
    fn plan(&self, tiles: usize, threads: usize) -> Plan {
        let even = |tasks: usize| tasks >= 8 * threads || tasks.is_multiple_of(threads);
        let most = GROUP.min(tiles);
        let sizes = (LEAST_GROUP.min(most)..=most).rev();
        let mut found = sizes.filter(|&size| even(tiles.div_ceil(size)));
        let (group, parts) = found.next().map_or_else(
            || {
                let groups = tiles.div_ceil(most);
                let parts = (1..threads).find(|parts| even(groups * parts));
                (tiles.div_ceil(groups), parts.unwrap_or(threads))
            },
            |size| (size, 1),
        );
        let part = self.written.div_ceil(parts).max(LEAST_PART);
        Plan {
            tiles: group,
            part: part.next_multiple_of(self.arch.rows).min(self.written),
            block: BLOCK.min(self.written),
        }
    }

    /// Where the tile that begins at a pixel finds its source. Pixels that the source does not hold count as zero: those
    /// that a wanted sum needs were checked to be there, and the others cancel out.
    fn patch(&self, job: &Job<'_>, pixel: [usize; 2]) -> Patch {
        let held = job.source.area;
        let span = |at: usize, from: usize, len: usize| {
            let first = at as isize - self.before as isize - from as isize;
            let clamp = |end: isize| (end - first).clamp(0, READ as isize) as usize;
            (first, [clamp(0), clamp(len as isize)])
        };
        let (row, rows) = span(pixel[0], held.top, held.height);
        let (column, columns) = span(pixel[1], held.left, held.width);
        Patch {
            first: (row * held.width as isize + column) * self.read as isize,
            rows,
            columns,
        }
    }

    fn task(
        &self,
        run: &Run<'_>,
        task: Task<'_, '_>,
        scratch: &mut Scratch<'_>,
        patches: &[Patch],
    ) {
        let Run { job, plan, bias } = *run;
        let tiles = patches.len();
        // An odd distance spreads the positions over the sets of a cache.
        let pitch = (self.read * tiles) | 1;
        let products_pitch = (plan.block * tiles) | 1;
        let lines = scratch.lines(POSITIONS * (pitch + products_pitch));
        let (packed, products) = lines.split_at_mut(POSITIONS * pitch);
        (self.arch.patches)(Patches {
            source: job.source.values,
            channels: self.read,
            row_stride: job.source.area.width * self.read,
            patches,
            packed,
            pitch,
        });
        let offsets = Offsets::new(
            (0..self.read)
                .map(|channel| (channel * tiles) as u32)
                .collect(),
        );
        let end = plan.part.min(self.written - task.first_channel);
        for first in (0..end).step_by(plan.block) {
            let channels = plan.block.min(end - first);
            let from = task.first_channel + first;
            for position in 0..POSITIONS {
                let source = &packed[position * pitch..][..self.read * tiles];
                let target = &mut products[position * products_pitch..][..channels * tiles];
                self.product(position, source, &offsets, target, from);
            }
            (self.arch.squares)(Squares {
                products,
                pitch: products_pitch,
                squares: &mut *task.squares,
                first,
                channels,
                bias: &bias[from..],
                add: job.start == Start::Add,
            });
        }
    }

    /// One position of a group of tiles: `products[tile][channel]` for a range of channels, the first of which is `from`.
    fn product(
        &self,
        position: usize,
        source: &[Lanes],
        offsets: &Offsets,
        products: &mut [Lanes],
        from: usize,
    ) {
        let tiles = source.len() / self.read;
        let channels = products.len() / tiles;
        let len = self.weights.len() / POSITIONS;
        let weights = &self.weights[position * len..][..len];
        let weights = &weights[from * self.read..];
        let parts = tiles.div_ceil(self.arch.dense_pixels);
        for part in 0..parts {
            let first = part * tiles / parts;
            let pixels = (part + 1) * tiles / parts - first;
            (self.arch.dense)(DenseTile {
                source: &source[first..],
                offsets,
                terms: self.read,
                weights,
                target: Target {
                    values: products,
                    partial: &mut [],
                    first: first * channels,
                    pixel_stride: channels,
                    pixels,
                    channels,
                    bias: &self.zeros,
                    init: Init::Bias,
                    epilogue: Epilogue::Store,
                },
            });
        }
    }
}
