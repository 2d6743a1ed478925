//! Where the taps of a square kernel fall on an image.

use std::ops::Range;

use crate::graph::Conv;

/// A kernel's side, its step and the zeros around the image, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taps {
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
}

impl Taps {
    pub(super) fn of(conv: &Conv) -> Self {
        Self {
            kernel: conv.kernel,
            stride: conv.stride,
            padding: conv.padding,
        }
    }

    /// The number of positions of the kernel along each axis.
    pub(super) fn output(self, input: [usize; 2]) -> [usize; 2] {
        input.map(|length| (length + 2 * self.padding - self.kernel) / self.stride + 1)
    }

    /// The positions, of `positions`, at which tap `tap` lies inside `length` pixels, and the pixel at the first.
    pub(super) fn inside(
        self,
        tap: usize,
        length: usize,
        positions: usize,
    ) -> (Range<usize>, usize) {
        let start = self.padding.saturating_sub(tap).div_ceil(self.stride);
        let end = (length + self.padding)
            .saturating_sub(tap)
            .div_ceil(self.stride)
            .min(positions);
        let pixel = (start * self.stride + tap).saturating_sub(self.padding);
        (start..end.max(start), pixel)
    }
}
