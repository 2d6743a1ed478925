//! Means of a bfloat16 map, in single precision, and their way back.

use super::conv::Bf16End;
use super::layout::Layout;
use super::row::{CHANNELS, Row, widen};
use crate::area::Area;
use crate::error::{Error, Result};
use crate::finish::Start;

/// The means of `side` × `side` windows that cover a map, as PyTorch's adaptive average pool has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bf16Average {
    /// Side of the result.
    pub side: usize,
}

impl Bf16Average {
    /// Means `[images, side, side, channels]` of whole maps.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a slice does not fit.
    pub fn run(self, layout: &Layout, source: &[Row], means: &mut [f32]) -> Result<()> {
        let images = layout.images("the map that an average pool reads", source.len())?;
        self.check(layout)?;
        let channels = layout.channels;
        let len = images * self.side * self.side * channels;
        Error::check_len("the means of an average pool", means.len(), len)?;
        for (index, means) in means.chunks_exact_mut(channels).enumerate() {
            let (image, window) = (index / (self.side * self.side), self.window(index, layout));
            for (plane, means) in means.chunks_mut(CHANNELS).enumerate() {
                let mut sums = [0.0; CHANNELS];
                let rows = &source[layout.first_row(image) + plane * layout.plane()..];
                for y in window.top..window.bottom() {
                    for x in window.left..window.right() {
                        for (sum, &value) in sums.iter_mut().zip(&rows[layout.row(y, x)].0) {
                            *sum += widen(value);
                        }
                    }
                }
                for (mean, sum) in means.iter_mut().zip(sums) {
                    *mean = sum / window.len() as f32;
                }
            }
        }
        Ok(())
    }

    /// The gradient of whole maps from that of the means.
    ///
    /// # Errors
    ///
    /// As [`Bf16Average::run`].
    pub fn backward(
        self,
        layout: &Layout,
        grads: &[f32],
        target: &mut [Row],
        (start, end): (Start, &Bf16End<'_>),
    ) -> Result<()> {
        let images = layout.images("the gradient that an average pool writes", target.len())?;
        self.check(layout)?;
        let (channels, windows) = (layout.channels, self.side * self.side);
        let len = images * windows * channels;
        Error::check_len("the gradient that an average pool reads", grads.len(), len)?;
        let bits = end.mask("an average pool", target.len())?;
        for image in 0..images {
            let grads = &grads[image * windows * channels..][..windows * channels];
            for plane in 0..layout.planes() {
                let first = layout.first_row(image) + plane * layout.plane();
                for y in 0..layout.area.height {
                    for x in 0..layout.area.width {
                        let at = first + layout.row(y, x);
                        let mut sums = match start {
                            Start::Fresh => [0.0; CHANNELS],
                            Start::Add => target[at].to_f32(),
                        };
                        for index in 0..windows {
                            let window = self.window(index, layout);
                            if window.contains(Area {
                                top: y,
                                left: x,
                                height: 1,
                                width: 1,
                            }) {
                                let grads = &grads[index * channels..][..channels];
                                let share = 1.0 / window.len() as f32;
                                for (sum, grad) in sums.iter_mut().zip(&grads[plane * CHANNELS..]) {
                                    *sum += grad * share;
                                }
                            }
                        }
                        target[at] = Row::rounded(&sums);
                        if let Some(bits) = bits {
                            super::conv::mask_rows(&mut target[at..=at], &bits[at..=at])?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn check(self, layout: &Layout) -> Result<()> {
        let area = layout.area;
        if self.side > 0 && area == Area::whole(area.height, area.width) && !area.is_empty() {
            return Ok(());
        }
        Err(Error::Shape {
            what: "the map of an average pool",
            found: format!("{area:?}, windows {0} × {0}", self.side),
            expected: "a whole map, and at least one window".into(),
        })
    }

    fn window(self, index: usize, layout: &Layout) -> Area {
        let span = |index: usize, length: usize| {
            let from = index * length / self.side;
            (from, ((index + 1) * length).div_ceil(self.side) - from)
        };
        let index = index % (self.side * self.side);
        Area::of_spans(
            span(index / self.side, layout.area.height),
            span(index % self.side, layout.area.width),
        )
    }
}
