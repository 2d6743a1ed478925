//! The shape of a convolution, and the directions in which it is run.

use crate::area::Area;
use crate::error::{Error, Result};

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
    /// Whether it can be computed.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a number of channels, the kernel or the stride is zero.
    pub fn check(self) -> Result<()> {
        if self.weights() > 0 && self.stride > 0 {
            return Ok(());
        }
        Err(Error::Shape {
            what: "the shape of a convolution",
            found: format!("{self:?}"),
            expected: "channels, kernel and stride above zero".into(),
        })
    }

    /// Length of the weights `[out, in, kernel, kernel]`.
    pub fn weights(self) -> usize {
        let channels = self.out_channels.saturating_mul(self.in_channels);
        let taps = self.kernel.saturating_mul(self.kernel);
        channels.saturating_mul(taps)
    }

    /// Channels that are read and written in a direction.
    pub fn channels(self, direction: Direction) -> [usize; 2] {
        match direction {
            Direction::Forward => [self.in_channels, self.out_channels],
            Direction::Backward => [self.out_channels, self.in_channels],
        }
    }

    /// The size of the output for an input of a size `[height, width]`; `None` where the input with its padding is smaller
    /// than the kernel.
    pub fn output(self, [height, width]: [usize; 2]) -> Option<[usize; 2]> {
        let side = |length: usize| {
            let padded = length.saturating_add(self.padding.saturating_mul(2));
            Some(padded.checked_sub(self.kernel)? / self.stride + 1)
        };
        Some([side(height)?, side(width)?])
    }

    /// The size of the output, which there must be.
    pub(crate) fn checked_output(self, input: [usize; 2]) -> Result<[usize; 2]> {
        self.output(input).ok_or_else(|| Error::Shape {
            what: "the input of a convolution",
            found: format!("{input:?} pixels"),
            expected: format!("at least the kernel of {} pixels", self.kernel),
        })
    }

    /// The output pixels that read any input pixel of `area`, for an output of this size.
    pub fn reach(self, area: Area, [height, width]: [usize; 2]) -> Area {
        let span = |first: usize, length: usize, limit: usize| {
            if length == 0 {
                return (first.min(limit), 0);
            }
            // o·stride − padding + k = i for some 0 ≤ k < kernel.
            let low = (first + self.padding + 1).saturating_sub(self.kernel);
            let from = low.div_ceil(self.stride).min(limit);
            let to = ((first + length - 1 + self.padding) / self.stride + 1).min(limit);
            (from, to.saturating_sub(from))
        };
        Area::of_spans(
            span(area.top, area.height, height),
            span(area.left, area.width, width),
        )
    }

    /// The output pixels that read no input pixel outside `area`, for an input and an output of these sizes.
    pub fn inside(self, area: Area, input: [usize; 2], output: [usize; 2]) -> Area {
        let span = |first: usize, length: usize, read: usize, limit: usize| {
            let from = if first == 0 {
                0
            } else {
                (first + self.padding).div_ceil(self.stride).min(limit)
            };
            let last = first + length;
            let to = if last >= read {
                limit
            } else {
                let room = (last + self.padding).checked_sub(self.kernel);
                room.map_or(0, |room| (room / self.stride + 1).min(limit))
            };
            (from, to.saturating_sub(from))
        };
        Area::of_spans(
            span(area.top, area.height, input[0], output[0]),
            span(area.left, area.width, input[1], output[1]),
        )
    }

    /// The input pixels that any output pixel of `area` reads, for an input of this size.
    pub fn read(self, area: Area, [height, width]: [usize; 2]) -> Area {
        let span = |first: usize, length: usize, limit: usize| {
            if length == 0 {
                return (first.min(limit), 0);
            }
            let from = (first * self.stride)
                .saturating_sub(self.padding)
                .min(limit);
            let last = (first + length - 1) * self.stride + self.kernel;
            let to = last.saturating_sub(self.padding).min(limit);
            (from, to.saturating_sub(from))
        };
        Area::of_spans(
            span(area.top, area.height, height),
            span(area.left, area.width, width),
        )
    }
}
