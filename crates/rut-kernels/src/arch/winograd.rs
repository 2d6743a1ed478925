//! The arguments of the transforms of Winograd's F(4×4, 3×3), and the checks that make them safe to run.

use crate::lanes::Lanes;

/// The points of interpolation besides 0 and infinity, each with both signs. All numbers of the transforms are exact in
/// f32, and sums lose less than with the customary ±1 and ±2.
pub(crate) const POINTS: [f32; 2] = [0.625, 1.5];
/// Products of a tile.
pub(crate) const POSITIONS: usize = 36;
/// Side of the pixels that a tile reads, and of those that it writes.
pub(crate) const READ: usize = 6;
pub(crate) const WRITTEN: usize = 4;

/// Where a tile's 6×6 pixels stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patch {
    /// Element of the first channel of the first pixel, which may lie outside.
    pub(crate) first: isize,
    /// Which of the six rows are there, from and to; the others are zero.
    pub(crate) rows: [usize; 2],
    /// Which of the six columns are there.
    pub(crate) columns: [usize; 2],
}

/// Transforms patches: position p, channel c of patch t goes to `packed[p · pitch + c · patches + t]`.
#[derive(Debug)]
pub(crate) struct Patches<'a> {
    pub(crate) source: &'a [Lanes],
    /// Channels of a pixel, all of which are read.
    pub(crate) channels: usize,
    /// Elements from a row of the source to the next.
    pub(crate) row_stride: usize,
    pub(crate) patches: &'a [Patch],
    pub(crate) packed: &'a mut [Lanes],
    pub(crate) pitch: usize,
}

/// A slice for each pixel of a tile's 4×4, row by row; empty where the pixel is not written.
pub(crate) type Pixels<T> = [T; WRITTEN * WRITTEN];

/// A tile's destination.
#[derive(Debug, Default)]
pub(crate) struct Square<'a> {
    pub(crate) values: Pixels<&'a mut [Lanes]>,
    pub(crate) bits: Bits<'a>,
}

/// What is done with a tile's sums.
#[derive(Debug, Default)]
pub(crate) enum Bits<'a> {
    #[default]
    Store,
    Relu,
    ReluRecord(Pixels<&'a mut [u16]>),
    Mask(Pixels<&'a [u16]>),
}

/// Transforms products back: channel `first + c` of tile t comes from `products[p · pitch + t · channels + c]`.
#[derive(Debug)]
pub(crate) struct Squares<'a, 'b> {
    pub(crate) products: &'a [Lanes],
    pub(crate) pitch: usize,
    pub(crate) squares: &'a mut [Square<'b>],
    pub(crate) first: usize,
    pub(crate) channels: usize,
    /// For the channels from `first`.
    pub(crate) bias: &'a [f32],
    /// Whether the destination is added.
    pub(crate) add: bool,
}

impl Patches<'_> {
    pub(super) fn check(&self) {
        let used = self.channels * self.patches.len();
        assert!(used <= self.pitch && self.packed.len() >= (POSITIONS - 1) * self.pitch + used);
        for patch in self.patches {
            let [[top, bottom], [left, right]] = [patch.rows, patch.columns];
            assert!(bottom <= READ && right <= READ);
            if top >= bottom || left >= right {
                continue;
            }
            let element = |row: usize, column: usize| {
                let steps = row * self.row_stride + column * self.channels;
                patch.first.checked_add_unsigned(steps)
            };
            let low = element(top, left).and_then(|at| usize::try_from(at).ok());
            let high = element(bottom - 1, right - 1).and_then(|at| usize::try_from(at).ok());
            assert!(low.is_some(), "a patch begins before its source");
            let end = high.map(|high| high + self.channels);
            assert!(
                end.is_some_and(|end| end <= self.source.len()),
                "a patch lies outside its source"
            );
        }
    }
}

impl Squares<'_, '_> {
    pub(super) fn check(&self) {
        let used = self.channels * self.squares.len();
        assert!(used <= self.pitch && self.products.len() >= (POSITIONS - 1) * self.pitch + used);
        assert!(self.bias.len() >= self.channels);
        let end = self.first + self.channels;
        for square in self.squares.iter() {
            for (pixel, values) in square.values.iter().enumerate() {
                let there = !values.is_empty();
                assert!(!there || values.len() >= end, "a pixel is too short");
                let bits = match &square.bits {
                    Bits::Store | Bits::Relu => end,
                    Bits::ReluRecord(bits) => bits[pixel].len(),
                    Bits::Mask(bits) => bits[pixel].len(),
                };
                assert!(!there || bits >= end, "a pixel's bits are too short");
            }
        }
    }
}
