//! Portable bit, grey and pixel maps, plain and binary (netpbm's pbm(5), pgm(5) and ppm(5)), with
//! values scaled to 255 as Pillow does. Grey of 16 bits is scaled to 65535 and cut off at 255, as there.

use crate::{Error, Extent, Mode, Picture, Result};

/// How the values of a kind of file are written.
#[derive(Clone, Copy, PartialEq)]
enum Writing {
    Plain,
    Binary,
}

/// What the values are.
#[derive(Clone, Copy, PartialEq)]
enum Values {
    Bits,
    Grey,
    Rgb,
}

/// The digit after the `P`, and what it means.
static KINDS: &[(u8, Writing, Values)] = &[
    (b'1', Writing::Plain, Values::Bits),
    (b'2', Writing::Plain, Values::Grey),
    (b'3', Writing::Plain, Values::Rgb),
    (b'4', Writing::Binary, Values::Bits),
    (b'5', Writing::Binary, Values::Grey),
    (b'6', Writing::Binary, Values::Rgb),
];

/// Decodes a PNM file.
pub(crate) fn decode(bytes: &[u8]) -> Result<Picture> {
    let kind = bytes
        .get(1)
        .and_then(|digit| KINDS.iter().find(|kind| kind.0 == *digit));
    let &(_, writing, values) = kind.ok_or_else(|| damaged("unknown kind"))?;
    let mut reader = Reader { bytes, at: 2 };
    let size = Extent {
        width: reader.number()?,
        height: reader.number()?,
    };
    let mode = match values {
        Values::Bits => Mode::Palette,
        Values::Grey => Mode::Grey,
        Values::Rgb => Mode::Rgb,
    };
    size.check_decoding(mode, 0)?;
    if values == Values::Bits {
        let indices = match writing {
            Writing::Plain => reader.plain_bits(size.pixels())?,
            Writing::Binary => reader.packed_bits(size)?,
        };
        return Picture::with_palette(size, indices, vec![[0; 3], [255; 3]]);
    }
    let max = reader.number()?;
    if !(1..=65535).contains(&max) {
        return Err(damaged(format!("largest value {max}, expected 1 to 65535")));
    }
    let scale = Scale {
        max,
        most: if mode == Mode::Grey && max > 255 {
            65535
        } else {
            255
        },
    };
    let count = size.pixels() * mode.channels();
    Picture::new(mode, size, reader.values(writing, count, scale)?)
}

/// A place in a file.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn truncated(&self) -> Error {
        Error::truncated("PNM", format!("it ends after {} bytes", self.bytes.len()))
    }

    fn next(&mut self) -> Result<u8> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| self.truncated())?;
        self.at += 1;
        Ok(byte)
    }

    /// The next byte that is neither blank nor part of a comment.
    fn next_solid(&mut self) -> Result<u8> {
        loop {
            match self.next()? {
                b'#' => while !matches!(self.next()?, b'\n' | b'\r') {},
                blank if blank.is_ascii_whitespace() => {}
                solid => return Ok(solid),
            }
        }
    }

    /// A decimal number and the one blank behind it.
    fn number(&mut self) -> Result<u32> {
        let mut byte = self.next_solid()?;
        let mut number = 0u32;
        loop {
            let digit = char::from(byte).to_digit(10);
            let grown = digit.and_then(|digit| number.checked_mul(10)?.checked_add(digit));
            number = grown.ok_or_else(|| damaged("a number is expected"))?;
            match self.bytes.get(self.at) {
                None => return Ok(number),
                Some(blank) if blank.is_ascii_whitespace() => {
                    self.at += 1;
                    return Ok(number);
                }
                Some(&next) => byte = next,
            }
            self.at += 1;
        }
    }

    fn take(&mut self, count: usize) -> Result<&[u8]> {
        let range = self.at..self.at.saturating_add(count);
        let taken = self.bytes.get(range).ok_or_else(|| self.truncated())?;
        self.at += count;
        Ok(taken)
    }

    /// 0 for black, which a file writes as 1, and 1 for white: Pillow's values.
    fn plain_bits(&mut self, count: usize) -> Result<Vec<u8>> {
        let mut bits = Vec::new();
        while bits.len() < count {
            match self.next_solid()? {
                bit @ (b'0' | b'1') => bits.push(b'1' - bit),
                _ => return Err(damaged("a bit is expected")),
            }
        }
        Ok(bits)
    }

    /// As [`Reader::plain_bits`]; one bit per pixel, the highest first, and each row begins with
    /// a new byte.
    fn packed_bits(&mut self, size: Extent) -> Result<Vec<u8>> {
        let width = size.width as usize;
        let row_length = width.div_ceil(8);
        let packed = self.take(row_length * size.height as usize)?;
        let bit = |row: &[u8], x: usize| !(row[x / 8] >> (7 - x % 8)) & 1;
        let rows = packed.chunks_exact(row_length);
        Ok(rows
            .flat_map(|row| (0..width).map(move |x| bit(row, x)))
            .collect())
    }

    fn values(&mut self, writing: Writing, count: usize, scale: Scale) -> Result<Vec<u8>> {
        match writing {
            Writing::Binary if scale.max == 255 => Ok(self.take(count)?.to_vec()),
            Writing::Binary if scale.max < 255 => Ok(self
                .take(count)?
                .iter()
                .map(|&value| scale.byte(value.into()))
                .collect()),
            Writing::Binary => {
                let pairs = self.take(count * 2)?.as_chunks::<2>().0;
                Ok(pairs
                    .iter()
                    .map(|&pair| scale.byte(u16::from_be_bytes(pair).into()))
                    .collect())
            }
            Writing::Plain => {
                let mut values = Vec::new();
                while values.len() < count {
                    match self.number()? {
                        value if value <= scale.max => values.push(scale.byte(value)),
                        value => {
                            let found = format!("{value} is above {}", scale.max);
                            return Err(damaged(found));
                        }
                    }
                }
                Ok(values)
            }
        }
    }
}

/// How values become bytes.
#[derive(Clone, Copy)]
struct Scale {
    /// The largest value of the file.
    max: u32,
    /// What it becomes.
    most: u32,
}

impl Scale {
    /// `value / max · most`, rounded half to even, at most 255.
    fn byte(self, value: u32) -> u8 {
        (f64::from(value) / f64::from(self.max) * f64::from(self.most))
            .round_ties_even()
            .min(255.0) as u8
    }
}

fn damaged(found: impl ToString) -> Error {
    Error::damaged("PNM", found)
}
