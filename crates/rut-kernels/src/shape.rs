//! The shape of a convolution, and the directions in which it is run.

use crate::area::Area;

/// A convolution with a square kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvShape {
    /// Channels read by the forward pass.
    pub in_channels: usize,
    /// Channels written by the forward pass.
    pub out_channels: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Zero pixels added on each side.
    pub padding: usize,
}

/// Which of its two maps a convolution reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the input to the output.
    Forward,
    /// From the gradient of the output to the gradient of the input.
    Backward,
}

impl ConvShape {
    /// Length of the weights `[out, in, kernel, kernel]`.
    pub fn weights(self) -> usize {
        self.out_channels * self.in_channels * self.kernel * self.kernel
    }

    /// Channels that are read and written in a direction.
    pub fn channels(self, direction: Direction) -> [usize; 2] {
        match direction {
            Direction::Forward => [self.in_channels, self.out_channels],
            Direction::Backward => [self.out_channels, self.in_channels],
        }
    }

    /// The size of the output for an input of a size `[height, width]`; `None` where the input is smaller than the
    /// kernel.
    pub fn output(self, [height, width]: [usize; 2]) -> Option<[usize; 2]> {
        let side = |length: usize| {
            let room = (length + 2 * self.padding).checked_sub(self.kernel)?;
            Some(room / self.stride + 1)
        };
        Some([side(height)?, side(width)?])
    }

    /// The output pixels that read any input pixel of `area`, for an output of this size.
    pub fn reach(self, area: Area, [height, width]: [usize; 2]) -> Area {
        let span = |first: usize, length: usize, limit: usize| {
            // o·stride − padding + k = i for some 0 ≤ k < kernel.
            let low = (first + self.padding + 1).saturating_sub(self.kernel);
            let from = low.div_ceil(self.stride).min(limit);
            let to = ((first + length - 1 + self.padding) / self.stride + 1).min(limit);
            (from, to.saturating_sub(from))
        };
        let (top, h) = span(area.top, area.height, height);
        let (left, w) = span(area.left, area.width, width);
        Area {
            top,
            left,
            height: h,
            width: w,
        }
    }

    /// The input pixels that any output pixel of `area` reads, for an input of this size.
    pub fn read(self, area: Area, [height, width]: [usize; 2]) -> Area {
        let span = |first: usize, length: usize, limit: usize| {
            let from = (first * self.stride)
                .saturating_sub(self.padding)
                .min(limit);
            let last = (first + length - 1) * self.stride + self.kernel;
            let to = last.saturating_sub(self.padding).min(limit);
            (from, to.saturating_sub(from))
        };
        let (top, h) = span(area.top, area.height, height);
        let (left, w) = span(area.left, area.width, width);
        Area {
            top,
            left,
            height: h,
            width: w,
        }
    }
}
