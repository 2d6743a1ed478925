//! What stands before the pixels of a BMP file: sizes, colours and how pixels are coded.
//! Numbers are little-endian; offsets are those of Microsoft's BITMAPINFOHEADER and of the
//! older BITMAPCOREHEADER.

use super::{damaged, truncated};
use crate::{Error, Extent, Mode, Result};

/// Bytes of the file header, after which the bitmap's own header begins.
const FILE_HEADER: usize = 14;
/// Bytes of the oldest header, with sizes in 16 bits and colours of three bytes.
const CORE: u32 = 12;
/// Bytes of the header that is followed by its masks; longer ones contain them.
const INFO: u32 = 40;
/// Bytes of all headers that there are.
const HEADERS: &[u32] = &[CORE, INFO, 52, 56, 64, 108, 124];
/// The shortest header with a mask for alpha.
const WITH_ALPHA: u32 = 56;
/// The red mask, from the beginning of the bitmap's header.
const MASKS: usize = 40;
/// Kinds of compression.
const RUNS_OF_8: u32 = 1;
const RUNS_OF_4: u32 = 2;
const BIT_FIELDS: u32 = 3;
/// The largest palette; colours beyond the 256th are never used.
const MAX_COLOURS: usize = 65_536;

/// Colours of a file without masks; alpha is not used.
const MASKS_16: Masks = Masks([0x7c00, 0x03e0, 0x001f, 0]);
const MASKS_24: Masks = Masks([0x00ff_0000, 0xff00, 0xff, 0]);
/// What masks of zero mean to Pillow.
const MASKS_ALPHA: Masks = Masks([0x00ff_0000, 0xff00, 0xff, 0xff00_0000]);

/// The bits of red, green, blue and alpha in a pixel; no alpha if that is zero.
#[derive(Clone, Copy)]
pub(super) struct Masks(pub(super) [u32; 4]);

impl Masks {
    /// What the colours are.
    pub(super) fn mode(self) -> Mode {
        match self.0[3] {
            0 => Mode::Rgb,
            _ => Mode::Rgba,
        }
    }
}

/// How pixels are stored.
#[derive(Clone, Copy)]
pub(super) enum Coding {
    /// Indices of 1, 4 or 8 bits.
    Indices,
    /// Runs of indices of 4 or 8 bits.
    Runs,
    /// Colours of 16, 24 or 32 bits.
    Masks(Masks),
}

/// In which order rows are stored.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Rows {
    BottomUp,
    TopDown,
}

/// What the headers of a file say.
pub(super) struct Header {
    pub(super) size: Extent,
    pub(super) rows: Rows,
    /// Bits of a pixel.
    pub(super) bits: u16,
    pub(super) coding: Coding,
    /// The palette of a file with indices; at most 256 colours.
    pub(super) colours: Vec<[u8; 3]>,
    /// Where in the file the pixels begin.
    pub(super) pixels_at: usize,
}

impl Header {
    /// The row of the picture that is row `stored` of the file.
    pub(super) fn row(&self, stored: usize) -> usize {
        match self.rows {
            Rows::TopDown => stored,
            Rows::BottomUp => self.size.height as usize - 1 - stored,
        }
    }
}

/// Reads the headers, masks and colours.
pub(super) fn parse(bytes: &[u8]) -> Result<Header> {
    let fields = Fields { bytes };
    let length = fields.long(FILE_HEADER)?;
    if !HEADERS.contains(&length) {
        return Err(damaged(format!("it has a header of {length} bytes")));
    }
    let (size, rows) = fields.size(length)?;
    let bits = fields.short(FILE_HEADER + if length == CORE { 10 } else { 14 })?;
    let compression = match length {
        CORE => 0,
        _ => fields.long(FILE_HEADER + 16)?,
    };
    let coding = fields.coding(bits, compression)?;
    let header = Header {
        size,
        rows,
        bits,
        coding,
        colours: Vec::new(),
        pixels_at: fields.long(10)? as usize,
    };
    let masks_behind = length == INFO && compression == BIT_FIELDS;
    let after = FILE_HEADER + length as usize + if masks_behind { 12 } else { 0 };
    match coding {
        Coding::Masks(_) if header.pixels_at == 0 => Ok(Header {
            pixels_at: after,
            ..header
        }),
        Coding::Masks(_) => Ok(header),
        Coding::Indices | Coding::Runs => fields.with_colours(header, length, after),
    }
}

/// Numbers at their offsets in the file.
struct Fields<'a> {
    bytes: &'a [u8],
}

impl Fields<'_> {
    fn array<const N: usize>(&self, at: usize) -> Result<[u8; N]> {
        let found = self.bytes.get(at..).and_then(|rest| rest.first_chunk());
        found
            .copied()
            .ok_or_else(|| truncated("it ends in its header"))
    }

    fn short(&self, at: usize) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array(at)?))
    }

    fn long(&self, at: usize) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array(at)?))
    }

    /// Width and height; a negative height says that the first row is the upper one.
    fn size(&self, length: u32) -> Result<(Extent, Rows)> {
        let at = FILE_HEADER + 4;
        if length == CORE {
            let width = self.short(at)?.into();
            let height = self.short(at + 2)?.into();
            return Ok((Extent { width, height }, Rows::BottomUp));
        }
        let width = self.long(at)?;
        let height = i32::from_le_bytes(self.array(at + 4)?);
        let rows = if height < 0 {
            Rows::TopDown
        } else {
            Rows::BottomUp
        };
        let height = height.unsigned_abs();
        Ok((Extent { width, height }, rows))
    }

    fn coding(&self, bits: u16, compression: u32) -> Result<Coding> {
        match (bits, compression) {
            (1 | 4 | 8, 0) => Ok(Coding::Indices),
            (8, RUNS_OF_8) | (4, RUNS_OF_4) => Ok(Coding::Runs),
            (16, 0) => Ok(Coding::Masks(MASKS_16)),
            (24 | 32, 0) => Ok(Coding::Masks(MASKS_24)),
            (16 | 24 | 32, BIT_FIELDS) => self.masks(bits).map(Coding::Masks),
            _ => Err(unsupported(format!(
                "BMP of {bits} bits, compression {compression}"
            ))),
        }
    }

    /// The masks of the file, each of which is one stretch of bits.
    fn masks(&self, bits: u16) -> Result<Masks> {
        let mut masks = [0; 4];
        // The shorter headers have no mask for alpha.
        let count = if self.long(FILE_HEADER)? < WITH_ALPHA {
            3
        } else {
            4
        };
        for (channel, mask) in masks.iter_mut().enumerate().take(count) {
            *mask = self.long(FILE_HEADER + MASKS + 4 * channel)?;
        }
        if bits == 32 && masks == [0; 4] {
            return Ok(MASKS_ALPHA);
        }
        // Alpha is read from pixels of 32 bits only.
        masks[3] = if bits == 32 { masks[3] } else { 0 };
        let shifted = |mask: u32| mask.checked_shr(mask.trailing_zeros()).unwrap_or(0);
        let is_stretch = |mask: u32| shifted(mask) & shifted(mask).wrapping_add(1) == 0;
        if masks.into_iter().all(is_stretch) && masks[..3].iter().all(|&mask| mask != 0) {
            Ok(Masks(masks))
        } else {
            Err(unsupported(format!(
                "BMP of {bits} bits with masks {masks:x?}"
            )))
        }
    }

    /// `header` with the palette that begins at `at`.
    fn with_colours(&self, header: Header, length: u32, at: usize) -> Result<Header> {
        let (width, declared) = match length {
            CORE => (3, 0),
            _ => (4, self.long(FILE_HEADER + 32)? as usize),
        };
        let count = match declared {
            0 => 1 << header.bits,
            1..=MAX_COLOURS => declared,
            _ => return Err(damaged(format!("it has {declared} colours"))),
        };
        let table = self.bytes.get(at..at + count * width);
        let table = table.ok_or_else(|| truncated("it ends in its palette"))?;
        // Blue comes first.
        let colours = table
            .chunks_exact(width)
            .take(256)
            .map(|c| [c[2], c[1], c[0]])
            .collect();
        // Some writers forget the palette when they say where the pixels begin, as Pillow knows.
        let pixels_at = match header.pixels_at {
            0 => at + table.len(),
            start if start == at => at + table.len(),
            start => start,
        };
        Ok(Header {
            colours,
            pixels_at,
            ..header
        })
    }
}

fn unsupported(kind: String) -> Error {
    Error::Unsupported {
        kind,
        expected: "a BMP of 1, 4, 8, 16, 24 or 32 bits, plain, run-length coded or with masks",
    }
}
