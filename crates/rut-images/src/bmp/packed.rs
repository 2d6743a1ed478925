//! Pixels of a fixed number of bits: each row is padded to a multiple of four bytes.

use super::header::{Header, Masks};
use super::truncated;
use crate::{Picture, Result};

/// The index of each pixel, one byte each.
pub(super) fn indices(data: &[u8], header: &Header) -> Result<Vec<u8>> {
    let rows = Rows::of(data, header)?;
    let (width, bits) = (header.size.width as usize, usize::from(header.bits));
    let mask = u8::MAX >> (8 - bits);
    let mut indices = Vec::with_capacity(header.size.pixels());
    for row in rows.downwards() {
        indices.extend((0..width).map(|x| (row[x * bits / 8] >> (8 - bits - x * bits % 8)) & mask));
    }
    Ok(indices)
}

/// The colours that `masks` cut out of each pixel, scaled to 255.
pub(super) fn colours(data: &[u8], header: &Header, masks: Masks) -> Result<Picture> {
    let rows = Rows::of(data, header)?;
    let mode = masks.mode();
    let channels = mode.channels();
    let width = usize::from(header.bits / 8);
    let fields = masks.0.map(Field::of);
    let mut pixels = Vec::with_capacity(header.size.pixels() * channels);
    for pixel in rows.downwards().flat_map(|row| row.chunks_exact(width)) {
        let value = pixel
            .iter()
            .rev()
            .fold(0, |value, &byte| value << 8 | u32::from(byte));
        pixels.extend(fields[..channels].iter().map(|field| field.read(value)));
    }
    Picture::new(mode, header.size, pixels)
}

/// A stretch of bits.
#[derive(Clone, Copy)]
struct Field {
    shift: u32,
    largest: u32,
}

impl Field {
    fn of(mask: u32) -> Field {
        let shift = mask.trailing_zeros() % u32::BITS;
        Field {
            shift,
            largest: mask >> shift,
        }
    }

    /// `value / largest · 255`, rounded down as Pillow does.
    fn read(self, pixel: u32) -> u8 {
        let value = (pixel >> self.shift) & self.largest;
        match self.largest {
            255 => value as u8,
            largest => (u64::from(value) * 255 / u64::from(largest.max(1))) as u8,
        }
    }
}

/// The rows of an image, all of which are there.
struct Rows<'a> {
    header: &'a Header,
    data: &'a [u8],
    /// Bytes of a row with its padding and without.
    stride: usize,
    used: usize,
}

impl<'a> Rows<'a> {
    /// The padding of the last row may be missing, as in Pillow.
    fn of(data: &'a [u8], header: &'a Header) -> Result<Rows<'a>> {
        let bits = header.size.width as usize * usize::from(header.bits);
        let (stride, used) = (bits.div_ceil(32) * 4, bits.div_ceil(8));
        let needed = (header.size.height as usize - 1) * stride + used;
        if data.len() < needed {
            let found = format!("{} of {needed} bytes of pixels are there", data.len());
            Err(truncated(found))
        } else {
            Ok(Rows {
                header,
                data,
                stride,
                used,
            })
        }
    }

    /// The rows of the picture, the upper one first; each is as long as its pixels need.
    fn downwards(&self) -> impl Iterator<Item = &'a [u8]> {
        let (data, header, stride, used) = (self.data, self.header, self.stride, self.used);
        (0..header.size.height as usize).map(move |y| &data[header.row(y) * stride..][..used])
    }
}
