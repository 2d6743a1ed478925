//! Weights in the order in which a kernel reads them: blocks of channels, so that a block's packed source stays in the
//! cache while all written channels are summed.

use crate::arch::{Arch, Entry, Offsets, SparseRows};
use crate::conv::phase::{Packing, Tap};
use crate::shape::{ConvShape, Direction};

/// A view of weights `[out, in, kernel, kernel]` as `[written][read][tap]` in either direction; after the written channels
/// come those of the next column phase.
pub(super) struct Weights<'a> {
    pub(super) values: &'a [f32],
    pub(super) shape: ConvShape,
    pub(super) direction: Direction,
}

impl Weights<'_> {
    pub(super) fn at(&self, written: usize, read: usize, tap: &Tap) -> f32 {
        let [_, channels] = self.shape.channels(self.direction);
        let (column_phase, written) = (written / channels, written % channels);
        let (out, input) = match self.direction {
            Direction::Forward => (written, read),
            Direction::Backward => (read, written),
        };
        let kernel = self.shape.kernel;
        let row = (out * self.shape.in_channels + input) * kernel + tap.kernel_row;
        match usize::try_from(tap.kernel_column + column_phase as isize) {
            Ok(column) if column < kernel => self.values[row * kernel + column],
            _ => 0.0,
        }
    }
}

/// The part of a phase's weights that reads channels `first..first + channels`.
pub(super) struct Block {
    pub(super) first: usize,
    pub(super) channels: usize,
    pub(super) matrix: Matrix,
}

/// A block's weights.
pub(super) enum Matrix {
    /// Groups of as many written channels as the kernel sums at once.
    Dense {
        offsets: Offsets,
        terms: usize,
        weights: Vec<f32>,
    },
    /// Compressed rows.
    Sparse(SparseRows),
}

/// Packed source elements of a block that stay in a typical second-level cache, of which they are a quarter: for dense
/// kernels, which read them in order.
const SECOND_LEVEL: usize = 4096;
/// The same for the first-level cache, beside the sums: for sparse kernels, whose reads are scattered, and where so few
/// channels are written that unfinished sums cost nothing.
const FIRST_LEVEL: usize = 576;
/// The most written channels whose unfinished sums cost a dense kernel nothing from block to block.
const FEW: usize = 16;

/// How many channels are read at once, so that blocks are nearly equal.
fn block_channels(lines: usize, read: usize, pitch: usize) -> usize {
    let most = (lines / pitch.max(1)).max(1);
    read.div_ceil(read.div_ceil(most).max(1)).max(1)
}

pub(super) fn dense(
    arch: &Arch,
    weights: &Weights<'_>,
    [read, written]: [usize; 2],
    taps: &[Tap],
    packing: &Packing,
) -> Vec<Block> {
    let lines = if written <= FEW {
        FIRST_LEVEL
    } else {
        SECOND_LEVEL
    };
    let size = block_channels(lines, read, packing.pitch);
    let block = |first: usize| {
        let channels = size.min(read - first);
        let terms = channels * taps.len();
        let groups = written.div_ceil(arch.rows);
        let mut values = Vec::with_capacity(groups * terms * arch.rows);
        for group in 0..groups {
            for channel in first..first + channels {
                for tap in taps {
                    values.extend((0..arch.rows).map(|row| {
                        let out = group * arch.rows + row;
                        if out < written {
                            weights.at(out, channel, tap)
                        } else {
                            0.0
                        }
                    }));
                }
            }
        }
        let offsets = (0..channels)
            .flat_map(|channel| {
                let slots = packing.slots.iter();
                slots.map(move |slot| (channel * packing.pitch + slot) as u32)
            })
            .collect();
        Block {
            first,
            channels,
            matrix: Matrix::Dense {
                offsets: Offsets::new(offsets),
                terms,
                weights: values,
            },
        }
    };
    (0..read).step_by(size).map(block).collect()
}

pub(super) fn sparse(
    weights: &Weights<'_>,
    [read, written]: [usize; 2],
    taps: &[Tap],
    packing: &Packing,
) -> Vec<Block> {
    let size = block_channels(FIRST_LEVEL, read, packing.pitch);
    let block = |first: usize| {
        let channels = size.min(read - first);
        let row = |out: usize| -> Vec<Entry> {
            (0..channels)
                .flat_map(|channel| {
                    let taps = taps.iter().zip(&packing.slots);
                    taps.map(move |(tap, slot)| {
                        let offset = (channel * packing.pitch + slot) as u32;
                        (offset, weights.at(out, first + channel, tap))
                    })
                })
                .filter(|&(_, weight)| weight != 0.0)
                .map(|(offset, weight)| Entry::new(offset, weight))
                .collect()
        };
        let rows: Vec<Vec<Entry>> = (0..written).map(row).collect();
        Block {
            first,
            channels,
            matrix: Matrix::Sparse(SparseRows::new(&rows)),
        }
    };
    (0..read).step_by(size).map(block).collect()
}
