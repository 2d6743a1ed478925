//! The shortcut of CIFAR's residual networks in bfloat16: every second pixel, zeros for the channels that are new.

use super::conv::Bf16End;
use super::layout::Layout;
use super::row::{CHANNELS, Row, round, widen};
use crate::area::Area;
use crate::error::{Error, Result};
use crate::finish::Start;
use crate::shortcut::OptionA;

/// Every second pixel of a map of `in_channels`, in the middle of `out_channels` (option A of He et al. 2016).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bf16OptionA {
    /// Channels read.
    pub in_channels: usize,
    /// Channels written.
    pub out_channels: usize,
}

impl From<OptionA> for Bf16OptionA {
    fn from(of: OptionA) -> Self {
        Self {
            in_channels: of.in_channels,
            out_channels: of.out_channels,
        }
    }
}

impl Bf16OptionA {
    /// The pixels `area` of images.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a slice does not fit, or pixels are not kept.
    pub fn run(
        self,
        [source_layout, target_layout]: [&Layout; 2],
        area: Area,
        source: &[Row],
        target: &mut [Row],
    ) -> Result<()> {
        let images = self.check(source_layout, source.len(), target_layout, target.len())?;
        target_layout.check_holds("the map that a shortcut writes", area)?;
        source_layout.check_holds("the map that a shortcut reads", doubled(area))?;
        for image in 0..images {
            let [from, to] = [source_layout, target_layout].map(|layout| image * layout.rows());
            for y in area.top..area.bottom() {
                for x in area.left..area.right() {
                    for out in 0..target_layout.planes() * CHANNELS {
                        let value = self.channel(out).map_or(0, |channel| {
                            let row = source_layout.row(2 * y, 2 * x);
                            let plane = channel / CHANNELS * source_layout.plane();
                            source[from + plane + row].0[channel % CHANNELS]
                        });
                        let plane = out / CHANNELS * target_layout.plane();
                        target[to + plane + target_layout.row(y, x)].0[out % CHANNELS] = value;
                    }
                }
            }
        }
        Ok(())
    }

    /// The gradient of the pixels `area` of what was read, from that of what was written.
    ///
    /// # Errors
    ///
    /// As [`Bf16OptionA::run`].
    pub fn backward(
        self,
        [source_layout, target_layout]: [&Layout; 2],
        area: Area,
        grad: &[Row],
        target: &mut [Row],
        (start, end): (Start, &Bf16End<'_>),
    ) -> Result<()> {
        // The layouts change places: what is read has the channels that the shortcut writes.
        let images = self.check(target_layout, target.len(), source_layout, grad.len())?;
        target_layout.check_holds("the gradient that a shortcut writes", area)?;
        let bits = end.mask("a shortcut", target.len())?;
        let before = (self.out_channels - self.in_channels) / 2;
        for image in 0..images {
            let [from, to] = [source_layout, target_layout].map(|layout| image * layout.rows());
            for y in area.top..area.bottom() {
                for x in area.left..area.right() {
                    let pixel = Area {
                        top: y / 2,
                        left: x / 2,
                        height: 1,
                        width: 1,
                    };
                    let is_read = y % 2 == 0 && x % 2 == 0 && source_layout.area.contains(pixel);
                    for channel in 0..self.in_channels {
                        let plane = channel / CHANNELS * target_layout.plane();
                        let at = to + plane + target_layout.row(y, x);
                        let value = &mut target[at].0[channel % CHANNELS];
                        let mut sum = match start {
                            Start::Fresh => 0.0,
                            Start::Add => widen(*value),
                        };
                        if is_read {
                            let out = before + channel;
                            let plane = out / CHANNELS * source_layout.plane();
                            let row = source_layout.row(y / 2, x / 2);
                            sum += widen(grad[from + plane + row].0[out % CHANNELS]);
                        }
                        let keep =
                            bits.is_none_or(|bits| bits[at] >> (channel % CHANNELS) & 1 == 1);
                        *value = if keep { round(sum) } else { 0 };
                    }
                }
            }
        }
        Ok(())
    }

    /// The channel that is read for one that is written.
    fn channel(self, out: usize) -> Option<usize> {
        let before = (self.out_channels - self.in_channels) / 2;
        let channel = out.checked_sub(before)?;
        (channel < self.in_channels).then_some(channel)
    }

    fn check(
        self,
        small: &Layout,
        small_rows: usize,
        large: &Layout,
        large_rows: usize,
    ) -> Result<usize> {
        Error::check_len(
            "the channels that a shortcut reads",
            small.channels,
            self.in_channels,
        )?;
        Error::check_len(
            "the channels that a shortcut writes",
            large.channels,
            self.out_channels,
        )?;
        if self.out_channels < self.in_channels {
            return Err(Error::Shape {
                what: "a shortcut",
                found: format!("{} channels from {}", self.out_channels, self.in_channels),
                expected: "no fewer".into(),
            });
        }
        small.check_apart("the narrower map of a shortcut")?;
        large.check_apart("the wider map of a shortcut")?;
        let images = small.images("the narrower map of a shortcut", small_rows)?;
        large.check("the wider map of a shortcut", large_rows, images)?;
        Ok(images)
    }
}

/// The pixels that are read for others.
fn doubled(area: Area) -> Area {
    let last = |first: usize, length: usize| (2 * first, (2 * length).saturating_sub(1));
    Area::of_spans(last(area.top, area.height), last(area.left, area.width))
}
