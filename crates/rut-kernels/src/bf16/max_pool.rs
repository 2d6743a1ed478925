//! Max-pooling of bfloat16 maps, and its way back.

use super::conv::{Bf16End, masked};
use super::isa::Bf16Isa;
use super::layout::Layout;
use super::row::{CHANNELS, Row, widen};
use crate::arch::bf16::{Plain, wide};
use crate::area::Area;
use crate::error::{Error, Result};
use crate::max_pool::MaxPool;

/// A max-pool with a square kernel; pixels of the padding are never taken. Of equal values the first is taken, line by line; a NaN before all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bf16MaxPool {
    /// The instruction set that it runs on; results do not depend on it.
    pub isa: Bf16Isa,
    /// Side of the kernel.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Pixels added on each side.
    pub padding: usize,
}

/// Which pixel of the window each channel of a row took: line · kernel + column.
pub type Places = [u8; CHANNELS];

impl Bf16MaxPool {
    /// The same as in single precision.
    pub fn of(pool: MaxPool, isa: Bf16Isa) -> Self {
        Self {
            isa,
            kernel: pool.kernel,
            stride: pool.stride,
            padding: pool.padding,
        }
    }

    /// The pixels `area` of images, from `source` to `target` in their layouts; a place for each element of the target where
    /// they are kept.
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
        taken: Option<&mut [Places]>,
    ) -> Result<()> {
        let images = source_layout.images("the map that a max-pool reads", source.len())?;
        target_layout.check("the map that a max-pool writes", target.len(), images)?;
        target_layout.check_holds("the map that a max-pool writes", area)?;
        self.check(source_layout, target_layout)?;
        if let Some(taken) = &taken {
            Error::check_len("the places of a max-pool", taken.len(), target.len())?;
        }
        let planes = images * source_layout.planes();
        let layouts = [source_layout, target_layout];
        let forward = Forward {
            pool: self,
            layouts,
            area,
            planes,
            source,
            target,
            taken,
        };
        wide(self.isa, forward);
        Ok(())
    }

    #[inline(always)]
    fn pixel(self, layout: &Layout, source: &[Row], [y, x]: [usize; 2]) -> (Row, [i16; CHANNELS]) {
        let area = layout.area;
        let (mut best, mut places) = ([i16::MIN; CHANNELS], [0; CHANNELS]);
        for dy in 0..self.kernel {
            let Some(sy) = inside(y * self.stride + dy, self.padding, area.top, area.bottom())
            else {
                continue;
            };
            for dx in 0..self.kernel {
                let Some(sx) = inside(x * self.stride + dx, self.padding, area.left, area.right())
                else {
                    continue;
                };
                let place = (dy * self.kernel + dx) as i16;
                let values = &source[layout.row(sy, sx)].0;
                for channel in 0..CHANNELS {
                    // Minus zero is no less than zero, and a NaN of either sign before all numbers.
                    let bits = values[channel];
                    let key = if bits == 0x8000 { 0 } else { ordered(bits) };
                    let key = if bits & 0x7fff > 0x7f80 {
                        i16::MAX
                    } else {
                        key
                    };
                    let is_above = key > best[channel];
                    best[channel] = if is_above { key } else { best[channel] };
                    places[channel] = if is_above { place } else { places[channel] };
                }
            }
        }
        let mut row = Row::ZERO;
        for (bits, key) in row.0.iter_mut().zip(best) {
            *bits = ordered(key as u16) as u16;
        }
        (row, places)
    }

    /// The gradient of the pixels `area` of what was read, from that of what was written, which is known at `known`.
    ///
    /// # Errors
    ///
    /// As [`Bf16MaxPool::run`].
    pub fn backward(
        self,
        [source_layout, target_layout]: [&Layout; 2],
        [known, area]: [Area; 2],
        (grad, taken): (&[Row], &[Places]),
        target: &mut [Row],
        end: &Bf16End<'_>,
    ) -> Result<()> {
        let images = source_layout.images("the gradient that a max-pool reads", grad.len())?;
        Error::check_len("the places of a max-pool", taken.len(), grad.len())?;
        target_layout.check("the gradient that a max-pool writes", target.len(), images)?;
        target_layout.check_holds("the gradient that a max-pool writes", area)?;
        source_layout.check_holds("the gradient that a max-pool reads", known)?;
        self.check(source_layout, target_layout)?;
        let bits = end.mask("a max-pool", target.len())?;
        let planes = images * source_layout.planes();
        let layouts = [source_layout, target_layout];
        let backward = Backward {
            pool: self,
            layouts,
            areas: [known, area],
            planes,
            grad,
            taken,
            target,
            bits,
        };
        wide(self.isa, backward);
        Ok(())
    }

    /// As many channels on both sides, and a kernel of which every place fits a byte.
    fn check(self, source: &Layout, target: &Layout) -> Result<()> {
        let fits = (1..16).contains(&self.kernel) && self.padding < self.kernel && self.stride > 0;
        if !fits {
            return Err(Error::Shape {
                what: "a max-pool",
                found: format!("a kernel of {}, {self:?}", self.kernel),
                expected: "a kernel from 1 to 15, a smaller padding, a stride above zero".into(),
            });
        }
        source.check_apart("the map that a max-pool reads")?;
        target.check_apart("the map that a max-pool writes")?;
        Error::check_len(
            "the channels of a pool's maps",
            target.channels,
            source.channels,
        )
    }

    /// The outputs within bounds that read a pixel along one axis, and as which of theirs.
    #[inline(always)]
    fn readers(self, at: usize, from: usize, to: usize) -> impl Iterator<Item = (usize, usize)> {
        let padded = at + self.padding;
        let first = (padded + 1)
            .saturating_sub(self.kernel)
            .div_ceil(self.stride);
        let last = padded / self.stride;
        (first.max(from)..(last + 1).min(to)).map(move |out| (out, padded - out * self.stride))
    }
}

/// The way there, for all planes.
struct Forward<'a> {
    pool: Bf16MaxPool,
    layouts: [&'a Layout; 2],
    area: Area,
    planes: usize,
    source: &'a [Row],
    target: &'a mut [Row],
    taken: Option<&'a mut [Places]>,
}

impl Plain for Forward<'_> {
    #[inline(always)]
    fn run(mut self) {
        let [source_layout, target_layout] = self.layouts;
        for plane in 0..self.planes {
            let source = &self.source[plane * source_layout.plane()..][..source_layout.plane()];
            let first = plane * target_layout.plane();
            for y in self.area.top..self.area.bottom() {
                for x in self.area.left..self.area.right() {
                    let (row, places) = self.pool.pixel(source_layout, source, [y, x]);
                    let at = first + target_layout.row(y, x);
                    self.target[at] = row;
                    if let Some(taken) = &mut self.taken {
                        for (taken, place) in taken[at].iter_mut().zip(places) {
                            *taken = place as u8;
                        }
                    }
                }
            }
        }
    }
}

/// The way back, for all planes.
struct Backward<'a> {
    pool: Bf16MaxPool,
    layouts: [&'a Layout; 2],
    /// What is known of the gradient that is read, and what is written.
    areas: [Area; 2],
    planes: usize,
    grad: &'a [Row],
    taken: &'a [Places],
    target: &'a mut [Row],
    bits: Option<&'a [u32]>,
}

impl Plain for Backward<'_> {
    #[inline(always)]
    fn run(self) {
        let [source_layout, target_layout] = self.layouts;
        let [known, area] = self.areas;
        for plane in 0..self.planes {
            let first = plane * source_layout.plane();
            for y in area.top..area.bottom() {
                for x in area.left..area.right() {
                    let mut sums = [0.0; CHANNELS];
                    for (oy, dy) in self.pool.readers(y, known.top, known.bottom()) {
                        for (ox, dx) in self.pool.readers(x, known.left, known.right()) {
                            let at = first + source_layout.row(oy, ox);
                            let place = (dy * self.pool.kernel + dx) as u8;
                            add_where(&mut sums, &self.grad[at], &self.taken[at], place);
                        }
                    }
                    let at = plane * target_layout.plane() + target_layout.row(y, x);
                    let keep = self.bits.map_or(u32::MAX, |bits| bits[at]);
                    self.target[at] = masked(Row::rounded(&sums), keep);
                }
            }
        }
    }
}

#[inline(always)]
fn add_where(sums: &mut [f32; CHANNELS], grad: &Row, taken: &Places, place: u8) {
    for channel in 0..CHANNELS {
        let value = if taken[channel] == place {
            grad.0[channel]
        } else {
            0
        };
        sums[channel] += widen(value);
    }
}

/// Where padding ends and pixels are kept.
#[inline(always)]
fn inside(padded: usize, padding: usize, from: usize, to: usize) -> Option<usize> {
    let at = padded.checked_sub(padding)?;
    (from..to).contains(&at).then_some(at)
}

/// Whole numbers in the order of the bfloat16 numbers whose bits they are, and back.
#[inline(always)]
fn ordered(bits: u16) -> i16 {
    let bits = bits as i16;
    bits ^ (bits >> 15 & 0x7fff)
}
