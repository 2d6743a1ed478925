//! The arguments of a kernel, and the checks that make it safe to run.

use super::ahead::Ahead;
use crate::lanes::{Lanes, Taken};

/// Where sums start within a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Init {
    Bias,
    BiasAndDestination,
    Destination,
    /// Where [`Epilogue::Partial`] left them.
    Partial,
}

/// What is done with the sums of a tile: the epilogue of the convolution.
#[derive(Debug)]
pub(crate) enum Epilogue<'a> {
    /// More will be added: they are kept aside, each channel's together, since pixels of the destination can be a power
    /// of two apart, and then they drive one another out of the cache.
    Partial,
    Store,
    Relu,
    ReluRecord(&'a mut [u16]),
    Mask(&'a [u16]),
}

/// Pixels of the destination: pixel p, channel c stands at `first + p · pixel_stride + c`.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) values: &'a mut [Lanes],
    /// `[channels][pixels]` of unfinished sums, channels padded to whole groups; empty where all are finished at once.
    pub(crate) partial: &'a mut [Lanes],
    pub(crate) first: usize,
    pub(crate) pixel_stride: usize,
    pub(crate) pixels: usize,
    pub(crate) channels: usize,
    pub(crate) bias: &'a [f32],
    pub(crate) init: Init,
    pub(crate) epilogue: Epilogue<'a>,
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

/// A weight that is not zero, in the upper half, and below it the element of the packed source that it multiplies: both
/// come with one load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry(u64);

impl Entry {
    pub(crate) fn new(offset: u32, weight: f32) -> Self {
        Self(u64::from(weight.to_bits()) << 32 | u64::from(offset))
    }

    #[inline(always)]
    pub(super) fn offset(self) -> usize {
        self.0 as u32 as usize
    }

    #[inline(always)]
    pub(super) fn weight(self) -> f32 {
        f32::from_bits((self.0 >> 32) as u32)
    }
}

/// Compressed rows over a block of channels, one for each channel that is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct SparseRows {
    /// How many entries each row has; they add up to all entries.
    lengths: Vec<u32>,
    entries: Vec<Entry>,
    end: usize,
}

impl SparseRows {
    pub(crate) fn new(rows: &[Vec<Entry>]) -> Self {
        let entries = rows.concat();
        let ends = entries.iter().map(|entry| entry.offset() + 1);
        Self {
            lengths: rows.iter().map(|row| row.len() as u32).collect(),
            end: ends.max().unwrap_or(0),
            entries,
        }
    }

    pub(super) fn lengths(&self) -> &[u32] {
        &self.lengths
    }

    pub(super) fn entries(&self) -> &[Entry] {
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
        if self.init == Init::Partial || matches!(self.epilogue, Epilogue::Partial) {
            let padded = self.channels.next_multiple_of(rows);
            assert!(self.partial.len() >= padded * self.pixels);
        }
        match &self.epilogue {
            Epilogue::Partial | Epilogue::Store | Epilogue::Relu => {}
            Epilogue::ReluRecord(bits) => assert!(end <= bits.len()),
            Epilogue::Mask(bits) => assert!(end <= bits.len()),
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
        assert!(self.rows.lengths.len() == self.target.channels);
        let end = self.rows.end + self.target.pixels - 1;
        assert!(self.rows.entries.is_empty() || end <= self.source.len());
    }
}
