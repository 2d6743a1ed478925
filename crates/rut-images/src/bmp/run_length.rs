//! Run-length coded indices (BI_RLE8 and BI_RLE4): a count and what is repeated, or a zero and a
//! command. What is skipped has index 0. Pixels beyond the end of a row are dropped.

use super::header::Header;
use super::truncated;
use crate::Result;

/// Commands behind a zero; larger numbers count indices that follow as they are.
const END_OF_ROW: u8 = 0;
const END_OF_IMAGE: u8 = 1;
const MOVE: u8 = 2;

/// The index of each pixel, one byte each.
pub(super) fn indices(data: &[u8], header: &Header) -> Result<Vec<u8>> {
    let mut screen = Screen::of(header);
    let mut codes = Codes { data };
    let mut draw = || {
        while !screen.is_full() {
            match codes.next()? {
                [0, END_OF_ROW] => screen.move_to(0, screen.y + 1),
                [0, END_OF_IMAGE] => break,
                [0, MOVE] => {
                    let [right, up] = codes.next()?;
                    screen.move_to(screen.x + usize::from(right), screen.y + usize::from(up));
                }
                [0, count] => screen.put(count, codes.take(count, header.bits)?),
                [count, repeated] => screen.put(count, &[repeated]),
            }
        }
        Some(())
    };
    draw().ok_or_else(|| truncated("it ends in its pixels"))?;
    Ok(screen.indices)
}

/// Bytes not yet read.
struct Codes<'a> {
    data: &'a [u8],
}

impl<'a> Codes<'a> {
    fn next(&mut self) -> Option<[u8; 2]> {
        let (code, rest) = self.data.split_first_chunk()?;
        self.data = rest;
        Some(*code)
    }

    /// The bytes of `count` indices, which are padded to an even number.
    fn take(&mut self, count: u8, bits: u16) -> Option<&'a [u8]> {
        let length = (usize::from(count) * usize::from(bits)).div_ceil(8);
        let taken = self.data.get(..length)?;
        // The last padding may be missing.
        self.data = self
            .data
            .get(length.next_multiple_of(2)..)
            .unwrap_or_default();
        Some(taken)
    }
}

/// The picture, and where on it the next pixel goes.
struct Screen<'a> {
    header: &'a Header,
    indices: Vec<u8>,
    x: usize,
    /// Rows from the first one in the file.
    y: usize,
}

impl Screen<'_> {
    fn of(header: &Header) -> Screen<'_> {
        Screen {
            header,
            indices: vec![0; header.size.pixels()],
            x: 0,
            y: 0,
        }
    }

    fn size(&self) -> (usize, usize) {
        (
            self.header.size.width as usize,
            self.header.size.height as usize,
        )
    }

    /// Whether nothing can follow but the end.
    fn is_full(&self) -> bool {
        let (width, height) = self.size();
        self.y >= height || (self.y == height - 1 && self.x >= width)
    }

    fn move_to(&mut self, x: usize, y: usize) {
        (self.x, self.y) = (x, y);
    }

    /// `count` indices, which `packed` holds over and over again.
    fn put(&mut self, count: u8, packed: &[u8]) {
        let ((width, _), row) = (self.size(), self.header.row(self.y));
        let start = row * width + self.x.min(width);
        let free = &mut self.indices[start..(row + 1) * width];
        let nibbles = packed.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        match self.header.bits {
            4 => fill(free, count, nibbles.cycle()),
            _ => fill(free, count, packed.iter().copied().cycle()),
        }
        self.x += usize::from(count);
    }
}

fn fill(free: &mut [u8], count: u8, indices: impl Iterator<Item = u8>) {
    for (pixel, index) in free.iter_mut().zip(indices.take(count.into())) {
        *pixel = index;
    }
}
