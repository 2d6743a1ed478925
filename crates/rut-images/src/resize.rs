//! Resizing with the arithmetic of Pillow, bit for bit: bilinear and bicubic with antialiasing, and nearest.
//!
//! The resize is the separable convolution that Pillow's `Image.resize` documents
//! (a filter whose support is widened by the scale when shrinking). Two passes over 8-bit
//! pixels with weights in fixed point; each pass rounds to 8 bits. The horizontal pass comes
//! first, but for images whose height shrinks by more than twice what the width does, as in
//! Pillow 13. The golden numbers are in `golden/resize.*`.

mod filter;
mod picture;
mod real;

pub use filter::Filter;
pub use real::resample_real;

use std::borrow::Cow;
use std::ops::Range;

use crate::{Error, Extent, Result};

/// Fraction bits of a weight: 32, less 8 for the pixel and 2 for the sign and the sum.
const PRECISION_BITS: u32 = 32 - 8 - 2;
/// The most bytes of a resized image beside which the image that it is made of does not count.
const MAX_RESIZED: u64 = 32 << 20;
/// The longest side whose weights are kept from row to row.
const LONG: u32 = 1 << 16;
/// One half, which turns the final shift into rounding.
const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// Resizes `pixels` `[from.height, from.width, channels]` to `[to.height, to.width, channels]`,
/// with antialiasing, bit-equal to Pillow's `Image.resize(…, BILINEAR)` or `BICUBIC`.
///
/// ```
/// use rut_images::{Extent, Filter, resample};
/// let (from, to) = (Extent { width: 4, height: 1 }, Extent { width: 2, height: 1 });
/// assert_eq!(resample(&[0, 100, 200, 255], 1, from, to, Filter::Bilinear)?, [71, 209]);
/// # Ok::<(), rut_images::Error>(())
/// ```
///
/// # Errors
/// [`Error::Count`] if the length does not fit, [`Error::Size`] if a size is empty or too large,
/// [`Error::Channels`] if `channels` is not 1 to 4.
pub fn resample(
    pixels: &[u8],
    channels: usize,
    from: Extent,
    to: Extent,
    filter: Filter,
) -> Result<Vec<u8>> {
    check(pixels.len(), channels, from, to)?;
    Ok(match channels {
        1 => two_passes::<1>(pixels, from, to, filter),
        2 => two_passes::<2>(pixels, from, to, filter),
        3 => two_passes::<3>(pixels, from, to, filter),
        _ => two_passes::<4>(pixels, from, to, filter),
    })
}

/// Resizes like [`resample`], but each pixel is copied from the source pixel under its centre:
/// what Pillow does for palette images whatever filter is asked for.
///
/// # Errors
/// As [`resample`].
pub fn nearest(pixels: &[u8], channels: usize, from: Extent, to: Extent) -> Result<Vec<u8>> {
    check(pixels.len(), channels, from, to)?;
    let columns = nearest_sources(from.width, to.width);
    let row_length = from.width as usize * channels;
    let mut out = Vec::with_capacity(to.pixels() * channels);
    for y in nearest_sources(from.height, to.height) {
        let row = &pixels[y * row_length..][..row_length];
        for x in &columns {
            out.extend_from_slice(&row[x * channels..][..channels]);
        }
    }
    Ok(out)
}

fn check(found: usize, channels: usize, from: Extent, to: Extent) -> Result<()> {
    if !(1..=4).contains(&channels) {
        return Err(Error::Channels { found: channels });
    }
    let resized = to.check()? as u64 * channels as u64;
    if resized > MAX_RESIZED {
        to.check_bytes((from.pixels() * channels) as u64 + resized)?;
    }
    let expected = from.check()? * channels;
    if found == expected {
        Ok(())
    } else {
        Err(Error::Count { expected, found })
    }
}

/// For each output place the source place under its centre. The centres are added up one by one,
/// as Pillow does, so that rounding errors fall alike.
fn nearest_sources(from: u32, to: u32) -> Vec<usize> {
    let step = f64::from(from) / f64::from(to);
    let centres = std::iter::successors(Some(step * 0.5), |centre| Some(centre + step));
    centres
        .take(to as usize)
        .map(|centre| (centre as usize).min(from as usize - 1))
        .collect()
}

fn two_passes<const C: usize>(pixels: &[u8], from: Extent, to: Extent, filter: Filter) -> Vec<u8> {
    let lost_rows = i64::from(from.height) - i64::from(to.height);
    let lost_columns = i64::from(from.width) - i64::from(to.width);
    let rows_first = lost_rows > 0 && lost_rows > 2 * lost_columns;
    let columns = Pass {
        from: from.width,
        to: to.width,
        filter,
    };
    let rows = Pass {
        from: from.height,
        to: to.height,
        filter,
    };
    if rows_first {
        let short = vertical(pixels, from.width as usize * C, rows);
        horizontal::<C>(&short, columns).into_owned()
    } else {
        let narrow = horizontal::<C>(pixels, columns);
        vertical(&narrow, to.width as usize * C, rows).into_owned()
    }
}

/// A pass along one side.
#[derive(Clone, Copy)]
struct Pass {
    from: u32,
    to: u32,
    filter: Filter,
}

impl Pass {
    /// Whether the size stays, and nothing is to do.
    fn is_idle(self) -> bool {
        self.from == self.to
    }

    /// The windows of all output places, in order.
    fn supports(self) -> impl Iterator<Item = FilterSupport> {
        (0..self.to).map(move |place| FilterSupport::of(place, self))
    }
}

/// The source places that count for one output place, and how much.
struct FilterSupport {
    places: Range<usize>,
    centre: f64,
    /// What a step between source places is to the filter.
    step: f64,
    filter: Filter,
    /// Of all weights.
    sum: f64,
}

impl FilterSupport {
    fn of(place: u32, Pass { from, to, filter }: Pass) -> FilterSupport {
        let scale = f64::from(from) / f64::from(to);
        let widened = scale.max(1.0);
        let support = filter.support() * widened;
        let centre = (f64::from(place) + 0.5) * scale;
        let first = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(from as usize);
        let support = FilterSupport {
            places: first..end,
            centre,
            step: 1.0 / widened,
            filter,
            sum: 1.0,
        };
        let sum = support.weights().sum();
        FilterSupport { sum, ..support }
    }

    /// The weights, which sum to 1. They are made when they are asked for: those of a long side would take more memory than
    /// the image.
    fn weights(&self) -> impl Iterator<Item = f64> {
        let weight = |at: usize| {
            self.filter
                .weight((at as f64 - self.centre + 0.5) * self.step)
        };
        self.places.clone().map(move |at| weight(at) / self.sum)
    }

    /// The weights in fixed point.
    fn fixed(&self) -> impl Iterator<Item = i32> {
        self.weights().map(|weight| {
            // Away from zero at the half, as Pillow rounds.
            (0.5f64.copysign(weight) + weight * f64::from(1 << PRECISION_BITS)) as i32
        })
    }
}

/// `pixels` `[rows, from, C]` → `[rows, to, C]`.
fn horizontal<const C: usize>(pixels: &[u8], pass: Pass) -> Cow<'_, [u8]> {
    if pass.is_idle() {
        return Cow::Borrowed(pixels);
    }
    let rows = pixels.chunks_exact(pass.from as usize * C);
    let mut out = Vec::with_capacity(rows.len() * pass.to as usize * C);
    if pass.from > LONG {
        // There are few rows.
        for row in rows {
            out.extend(
                pass.supports()
                    .flat_map(|w| weighted::<C>(row, w.places.start, w.fixed())),
            );
        }
        return Cow::Owned(out);
    }
    let kept: Vec<(usize, Vec<i32>)> = pass
        .supports()
        .map(|support| (support.places.start, support.fixed().collect()))
        .collect();
    for row in rows {
        for (first, weights) in &kept {
            out.extend(weighted::<C>(row, *first, weights.iter().copied()));
        }
    }
    Cow::Owned(out)
}

/// One output pixel of a row `[from, C]`, whose window begins at `first`.
fn weighted<const C: usize>(
    row: &[u8],
    first: usize,
    weights: impl Iterator<Item = i32>,
) -> [u8; C] {
    let mut sums = [HALF; C];
    for (pixel, weight) in row[first * C..].chunks_exact(C).zip(weights) {
        for (sum, &value) in sums.iter_mut().zip(pixel) {
            *sum += i32::from(value) * weight;
        }
    }
    sums.map(to_byte)
}

/// `pixels` `[from, row_length]` → `[to, row_length]`.
fn vertical(pixels: &[u8], row_length: usize, pass: Pass) -> Cow<'_, [u8]> {
    if pass.is_idle() {
        return Cow::Borrowed(pixels);
    }
    let mut out = Vec::with_capacity(pass.to as usize * row_length);
    let mut sums = vec![HALF; row_length];
    for support in pass.supports() {
        sums.fill(HALF);
        let rows = pixels[support.places.start * row_length..].chunks_exact(row_length);
        for (row, weight) in rows.zip(support.fixed()) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += i32::from(value) * weight;
            }
        }
        out.extend(sums.iter().map(|&sum| to_byte(sum)));
    }
    Cow::Owned(out)
}

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}
