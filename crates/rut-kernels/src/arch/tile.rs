//! What a kernel is told, and the checks that make it safe to run.

use super::ahead::Ahead;
use crate::lanes::{Lanes, Taken};

/// Where sums start within a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Init {
    Bias,
    BiasAndDestination,
    Destination,
}

/// What becomes of the sums of a tile.
#[derive(Debug)]
pub(crate) enum Fate<'a> {
    Store,
    Relu,
    ReluRecord(&'a mut [u16]),
    Mask(&'a [u16]),
}

/// Pixels of the destination: pixel p, channel c stands at `first + p · pixel_stride + c`.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) values: &'a mut [Lanes],
    pub(crate) first: usize,
    pub(crate) pixel_stride: usize,
    pub(crate) pixels: usize,
    pub(crate) channels: usize,
    pub(crate) bias: &'a [f32],
    pub(crate) init: Init,
    pub(crate) fate: Fate<'a>,
}

/// Where in a packed source the terms of a sum stand, in elements.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offsets {
    values: Vec<u32>,
    max: u32,
}

impl Offsets {
    pub(crate) fn new(values: Vec<u32>) -> Self {
        let max = values.iter().copied().max().unwrap_or(0);
        Self { values, max }
    }

    pub(crate) fn values(&self) -> &[u32] {
        &self.values
    }
}

/// A dense product: channel m of group g is Σ over k of `weights[(g · K + k) · rows + m] · source[offsets[k] + p]`.
#[derive(Debug)]
pub(crate) struct DenseTile<'a> {
    pub(crate) source: &'a [Lanes],
    pub(crate) offsets: &'a Offsets,
    /// The first `terms` of the offsets are used.
    pub(crate) terms: usize,
    pub(crate) weights: &'a [f32],
    pub(crate) target: Target<'a>,
}

/// A row of a sparse matrix: which of the block's entries, and the channel that it gives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SparseRow {
    pub(crate) channel: u32,
    pub(crate) first: u32,
    pub(crate) len: u32,
}

/// A weight that is not zero, and the element of the packed source that it multiplies.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) offset: u32,
    pub(crate) weight: f32,
}

/// In which order rows are summed; their sums do not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowOrder {
    /// As their channels stand in memory: best where a row is short, and what it costs is to write its sums.
    Channel,
    /// Rows of equal length together, so that the ends of their loops are foreseen: best where they are long.
    Length,
}

/// Compressed rows over a block of channels.
#[derive(Debug, Clone, Default)]
pub(crate) struct SparseRows {
    rows: Vec<SparseRow>,
    entries: Vec<Entry>,
    max_offset: u32,
    max_channel: u32,
}

impl SparseRows {
    /// One list of entries for each channel; `rows[c]` gives channel c.
    pub(crate) fn new(rows: &[Vec<Entry>], order: RowOrder) -> Self {
        let mut channels: Vec<usize> = (0..rows.len()).collect();
        if order == RowOrder::Length {
            channels.sort_by_key(|&channel| rows[channel].len());
        }
        let mut made = Self::default();
        for channel in channels {
            let first = made.entries.len();
            made.entries.extend_from_slice(&rows[channel]);
            made.rows.push(SparseRow {
                channel: channel as u32,
                first: first as u32,
                len: rows[channel].len() as u32,
            });
        }
        let offsets = made.entries.iter().map(|entry| entry.offset);
        made.max_offset = offsets.max().unwrap_or(0);
        made.max_channel = rows.len().saturating_sub(1) as u32;
        made
    }

    pub(crate) fn rows(&self) -> &[SparseRow] {
        &self.rows
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// A sparse product: channel c is Σ over its entries of `weight · source[offset + p]`.
#[derive(Debug)]
pub(crate) struct SparseTile<'a> {
    pub(crate) source: &'a [Lanes],
    pub(crate) rows: &'a SparseRows,
    /// Fetched meanwhile.
    pub(crate) ahead: Ahead<'a>,
    pub(crate) target: Target<'a>,
}

/// Copies lines apart: `packed[c · pitch + slot] = source[from + c]` for c below `channels`; zeros where `from` is
/// [`Gather::ZERO`].
#[derive(Debug)]
pub(crate) struct Gather<'a> {
    pub(crate) source: &'a [Lanes],
    pub(crate) packed: &'a mut [Lanes],
    pub(crate) pitch: usize,
    pub(crate) channels: usize,
    /// Pairs of slot and first source element.
    pub(crate) slots: &'a [(u32, u32)],
    /// Added to every first source element.
    pub(crate) shift: usize,
}

impl Gather<'_> {
    pub(crate) const ZERO: u32 = u32::MAX;

    pub(super) fn check(&self) {
        let last = self.channels.saturating_sub(1);
        assert!(self.channels == 0 || self.packed.len() >= last * self.pitch + self.pitch);
        for &(slot, from) in self.slots {
            assert!(
                (slot as usize) < self.pitch,
                "a slot lies outside the pitch"
            );
            let end = from as usize + self.shift + self.channels;
            assert!(
                from == Self::ZERO || end <= self.source.len(),
                "a line lies outside the source"
            );
        }
    }
}

/// One pixel of a max-pool: for each channel the largest of some source elements, and the place that it has.
#[derive(Debug)]
pub(crate) struct MaxPixel<'a> {
    pub(crate) source: &'a [Lanes],
    /// First source element and place of each pixel in the window, at least one.
    pub(crate) window: &'a [(u32, u8)],
    /// `[channels]`.
    pub(crate) values: &'a mut [Lanes],
    /// `[channels]`.
    pub(crate) taken: &'a mut [Taken],
}

/// One pixel of a max-pool's input: for each channel the sum of those gradients whose window took it.
#[derive(Debug)]
pub(crate) struct MaxPixelBack<'a> {
    pub(crate) grad: &'a [Lanes],
    /// Like `grad`.
    pub(crate) taken: &'a [Taken],
    /// First element of each window's gradient, and the pixel's place in that window.
    pub(crate) windows: &'a [(u32, u8)],
    /// A single pixel.
    pub(crate) target: Target<'a>,
}

impl MaxPixel<'_> {
    pub(super) fn check(&self) {
        assert!(!self.window.is_empty() && self.taken.len() == self.values.len());
        for &(from, _) in self.window {
            assert!(from as usize + self.values.len() <= self.source.len());
        }
    }
}

impl MaxPixelBack<'_> {
    pub(super) fn check(&self) {
        self.target.check(1, 1);
        assert!(self.taken.len() == self.grad.len());
        for &(from, _) in self.windows {
            assert!(from as usize + self.target.channels <= self.grad.len());
        }
    }
}

impl Target<'_> {
    /// The bounds that every kernel relies on; `rows` channels are written at once, and the bias covers them all.
    fn check(&self, rows: usize, max_pixels: usize) {
        assert!(self.pixels >= 1 && self.pixels <= max_pixels);
        assert!(self.channels >= 1);
        let end = self.first + (self.pixels - 1) * self.pixel_stride + self.channels;
        assert!(
            end <= self.values.len(),
            "a tile lies outside its destination"
        );
        assert!(self.bias.len() >= self.channels.next_multiple_of(rows));
        match &self.fate {
            Fate::Store | Fate::Relu => {}
            Fate::ReluRecord(bits) => assert!(end <= bits.len()),
            Fate::Mask(bits) => assert!(end <= bits.len()),
        }
    }
}

impl DenseTile<'_> {
    pub(super) fn check(&self, rows: usize, max_pixels: usize) {
        self.target.check(rows, max_pixels);
        assert!(self.terms <= self.offsets.values.len());
        let groups = self.target.channels.div_ceil(rows);
        assert!(self.weights.len() >= groups * self.terms * rows);
        let end = self.offsets.max as usize + self.target.pixels;
        assert!(self.terms == 0 || end <= self.source.len());
    }
}

impl SparseTile<'_> {
    pub(super) fn check(&self, max_pixels: usize) {
        self.target.check(1, max_pixels);
        assert!((self.rows.max_channel as usize) < self.target.channels);
        let end = self.rows.max_offset as usize + self.target.pixels;
        assert!(self.rows.entries.is_empty() || end <= self.source.len());
    }
}
