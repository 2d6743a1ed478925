//! Weights in the order in which a kernel reads them: blocks of channels, so that a block's packed source stays in the
//! cache while all written channels are summed.

use crate::arch::{Arch, Entry, Offsets, SparseRows};
use crate::conv::phase::{Packing, Tap};

/// A view of weights `[out, in, kernel, kernel]` as `[written][read][tap]` in either direction.
pub(super) struct Weights<'a> {
    pub(super) values: &'a [f32],
    pub(super) in_channels: usize,
    pub(super) kernel: usize,
    pub(super) transposed: bool,
}

impl Weights<'_> {
    pub(super) fn at(&self, written: usize, read: usize, tap: &Tap) -> f32 {
        let (out, input) = if self.transposed {
            (read, written)
        } else {
            (written, read)
        };
        let row = (out * self.in_channels + input) * self.kernel + tap.kernel_row;
        self.values[row * self.kernel + tap.kernel_column]
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

/// Packed source elements of a block of a dense convolution: a quarter of a typical second-level cache.
const DENSE_LINES: usize = 4096;
/// The same of a sparse one, whose reads are scattered: what the first-level cache holds beside its sums.
const SPARSE_LINES: usize = 576;

/// How many channels are read at once, so that blocks are nearly equal.
pub(super) fn block_channels(sparse: bool, read: usize, pitch: usize) -> usize {
    let lines = if sparse { SPARSE_LINES } else { DENSE_LINES };
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
    let size = block_channels(false, read, packing.pitch);
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
    let size = block_channels(true, read, packing.pitch);
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
