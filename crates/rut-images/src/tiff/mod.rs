//! TIFF, its first image, as Pillow opens it: grey, RGB, CMYK and palettes of 8 bits (of 16 the high byte, but for grey;
//! fewer for grey and palettes), with alpha, in strips or tiles, together or a plane each, uncompressed, LZW, deflate or
//! PackBits, turned as the file says.
//!
//! This is no decoder of the `image` crate, because that one reads no palettes, and drops or refuses extra samples.

mod directory;
mod layout;
mod piece;

use std::borrow::Cow;
use std::io::{ErrorKind, Read};

use directory::{Directory, Order};
use layout::{Alpha, COLOUR_MAP, Colours, Compression, Layout};

use crate::alpha::unpremultiply;
use crate::inks::without_ink;
use crate::{Error, Extent, Mode, Picture, Result};

/// How often the strips or tiles of a file may name each of its bytes, where they do not unpack to as many.
const OVERLAP: u64 = 8;

/// Decodes the first image of a TIFF file.
pub(crate) fn decode(bytes: &[u8]) -> Result<Picture> {
    let directory = Directory::first(bytes).ok_or_else(|| truncated("its directory is missing"))?;
    if directory.is_cut_short(layout::FIELDS) {
        return Err(truncated("a field of its directory is missing"));
    }
    let size = layout::size(&directory);
    let count = size.check()? as u64;
    let layout = Layout::of(&directory, size).map_err(|kind| Error::Unsupported {
        kind,
        expected: "a TIFF of grey, RGB, CMYK or palette colours, uncompressed, LZW, deflate or PackBits",
    })?;
    let [across, down] = layout
        .pieces()
        .ok_or_else(|| damaged("its tiles are empty"))?;
    // Tiles reach beyond the image; what they hold there is unpacked, too.
    let planes = (layout.samples / layout.together()) as u64;
    let unpacked = u64::from(across) * u64::from(size.height) * layout.row_bytes() * planes;
    let turned = if layout.orientation > 1 { 2 } else { 1 };
    let kept = count * (turned * layout.kept()) as u64;
    size.check_decoding(layout.mode(), unpacked.max(kept))?;
    let count = u64::from(across) * u64::from(down) * planes;
    if (layout.offsets.len() as u64) < count {
        let found = format!(
            "{} of {count} strips or tiles are there",
            layout.offsets.len()
        );
        return Err(truncated(found));
    }
    let pieces = Pieces {
        directory: &directory,
        layout: &layout,
    };
    pieces.check_lengths(count, OVERLAP * bytes.len() as u64 + 2 * unpacked)?;
    let mut samples = vec![0; size.pixels() * layout.kept()];
    for index in 0..count {
        pieces.unpack(index, [across, down], &mut samples)?;
    }
    let colours = match layout.colours {
        Colours::Palette => {
            palette(&directory, layout.bits).ok_or_else(|| truncated("its palette is missing"))?
        }
        _ => Vec::new(),
    };
    picture(samples, &layout, colours)
}

/// The strips or tiles of a file.
struct Pieces<'a> {
    directory: &'a Directory<'a>,
    layout: &'a Layout<'a>,
}

impl Pieces<'_> {
    /// Writes the strip or tile `index` to its place in `samples` `[height, width, kept]`.
    fn unpack(&self, index: u64, [across, down]: [u32; 2], samples: &mut [u8]) -> Result<()> {
        let layout = self.layout;
        let (x, rest) = (index % u64::from(across), index / u64::from(across));
        let (y, plane) = (rest % u64::from(down), (rest / u64::from(down)) as usize);
        let left = x as usize * layout.piece.width as usize;
        let top = y as usize * layout.piece.height as usize;
        let rows = (layout.piece.height as usize).min(layout.size.height as usize - top);
        let mut reader = piece::unpacked(self.packed(index as usize), layout.compression);
        let mut row = vec![0; layout.row_bytes() as usize];
        for y in top..top + rows {
            reader
                .read_exact(&mut row)
                .map_err(|error| match error.kind() {
                    ErrorKind::UnexpectedEof => {
                        truncated(format!("strip or tile {index} ends too early"))
                    }
                    _ => damaged(error),
                })?;
            if layout.differences {
                self.add_up(&mut row);
            }
            let width = layout.size.width as usize;
            let place =
                &mut samples[(y * width + left) * layout.kept()..(y + 1) * width * layout.kept()];
            self.place(&row, plane, place);
        }
        Ok(())
    }

    /// Strips or tiles may share bytes, as equal ones do, but not so many that unpacking all of them takes for ever.
    fn check_lengths(&self, count: u64, most: u64) -> Result<()> {
        let lengths = (0..count as usize).map(|index| self.stored(index).len() as u64);
        match lengths.sum::<u64>() {
            total if total <= most => Ok(()),
            total => Err(damaged(format!(
                "strips or tiles of {total} bytes, more than the file holds"
            ))),
        }
    }

    /// The packed bytes of a strip or tile, as bits of them are read.
    fn packed(&self, index: usize) -> Cow<'_, [u8]> {
        let bytes = self.stored(index);
        if self.layout.reversed {
            bytes.iter().map(|byte| byte.reverse_bits()).collect()
        } else {
            Cow::Borrowed(bytes)
        }
    }

    /// The packed bytes of a strip or tile as they stand there. Those of an uncompressed one are as many as it needs, whatever
    /// is declared.
    fn stored(&self, index: usize) -> &[u8] {
        let at = self.layout.offsets.get(index).unwrap_or(u64::MAX);
        let declared = self.layout.lengths.and_then(|lengths| lengths.get(index));
        let length = match self.layout.compression {
            Compression::None => {
                let rows = self.layout.piece.height.min(self.layout.size.height);
                u64::from(rows) * self.layout.row_bytes()
            }
            _ => declared.unwrap_or(u64::MAX),
        };
        self.directory.bytes(at, length)
    }

    /// Turns differences to the sample before into samples (TIFF 6.0, section 14).
    fn add_up(&self, row: &mut [u8]) {
        let step = self.layout.together();
        if self.layout.bits == 8 {
            for at in step..row.len() {
                row[at] = row[at].wrapping_add(row[at - step]);
            }
            return;
        }
        let order = self.directory.order;
        let value = |pair: &[u8]| order.number(pair) as u16;
        for at in (2 * step..row.len().saturating_sub(1)).step_by(2) {
            let sum =
                value(&row[at..at + 2]).wrapping_add(value(&row[at - 2 * step..at - 2 * step + 2]));
            row[at..at + 2].copy_from_slice(&match order {
                Order::Little => sum.to_le_bytes(),
                Order::Big => sum.to_be_bytes(),
            });
        }
    }

    /// Writes what a row holds for the pixels of `place` `[width, kept]`.
    fn place(&self, row: &[u8], plane: usize, place: &mut [u8]) {
        let (layout, kept) = (self.layout, self.layout.kept());
        let together = layout.together();
        let first = if layout.planar { plane } else { 0 };
        let channels = first..kept.min(first + together);
        let pixels = place
            .chunks_exact_mut(kept)
            .take(layout.piece.width as usize);
        for (x, pixel) in pixels.enumerate() {
            for channel in channels.clone() {
                pixel[channel] = self.sample(row, x * together + channel - first);
            }
        }
    }

    /// One sample as a byte: the high one of 16 bits, but of grey the value as far as it goes, as Pillow clips it.
    fn sample(&self, row: &[u8], at: usize) -> u8 {
        let bits = self.layout.bits;
        match bits {
            8 => row[at],
            16 => {
                let value = self.directory.order.number(&row[2 * at..2 * at + 2]);
                let deep = matches!(
                    self.layout.colours,
                    Colours::WhiteIsZero | Colours::BlackIsZero
                );
                if deep && self.layout.samples == 1 {
                    value.min(255) as u8
                } else {
                    (value >> 8) as u8
                }
            }
            _ => {
                let mask = u8::MAX >> (8 - bits);
                (row[at * bits / 8] >> (8 - bits - at * bits % 8)) & mask
            }
        }
    }
}

/// The picture of these samples `[height, width, kept]`.
fn picture(mut samples: Vec<u8>, layout: &Layout<'_>, palette: Vec<[u8; 3]>) -> Result<Picture> {
    if layout.alpha == Alpha::Associated {
        unpremultiply(&mut samples, layout.kept());
        // Nothing is known of what is transparent; Pillow makes it black.
        let pixels = samples.chunks_exact_mut(layout.kept());
        pixels
            .filter(|pixel| pixel.ends_with(&[0]))
            .for_each(|pixel| pixel.fill(0));
    }
    // Sixteen bits of grey are not turned round, as in Pillow.
    if layout.colours == Colours::WhiteIsZero && layout.bits < 16 {
        let most = u8::MAX >> (8 - layout.bits);
        for pixel in samples.chunks_exact_mut(layout.kept()) {
            pixel[0] = most - pixel[0];
        }
    }
    let (size, samples) = turned(samples, layout);
    match (layout.mode(), layout.colours) {
        (Mode::Palette, Colours::Palette) => Picture::with_palette(size, samples, palette),
        (Mode::Palette, _) => Picture::with_palette(size, samples, vec![[0; 3], [255; 3]]),
        (mode, Colours::Cmyk) => Picture::new(mode, size, without_ink(samples)),
        (Mode::Grey, _) => {
            let scale = u8::MAX / (u8::MAX >> (8 - layout.bits.min(8)));
            let samples = samples.into_iter().map(|value| value * scale);
            Picture::new(Mode::Grey, size, samples.collect())
        }
        (mode, _) => Picture::new(mode, size, samples),
    }
}

/// The high bytes of the colours: all reds stand first, then all greens. Nothing if there are not as many as `bits` count.
fn palette(directory: &Directory<'_>, bits: usize) -> Option<Vec<[u8; 3]>> {
    let map = directory.field(COLOUR_MAP)?;
    let count = map.len() / 3;
    let value = |at: usize| map.get(at).map_or(0, |value| (value >> 8) as u8);
    let colour = |at: usize| [0, 1, 2].map(|channel| value(channel * count + at));
    (count >= 1 << bits).then(|| (0..1 << bits).map(colour).collect())
}

/// The image as a person sees it (TIFF 6.0, `Orientation`).
fn turned(samples: Vec<u8>, layout: &Layout<'_>) -> (Extent, Vec<u8>) {
    let Extent { width, height } = layout.size;
    if !(2..=8).contains(&layout.orientation) {
        return (layout.size, samples);
    }
    let transposed = layout.orientation >= 5;
    let (mirrored, flipped) = match layout.orientation {
        2 | 8 => (true, false),
        3 | 7 => (true, true),
        4 | 6 => (false, true),
        _ => (false, false),
    };
    let size = if transposed {
        Extent {
            width: height,
            height: width,
        }
    } else {
        layout.size
    };
    let kept = layout.kept();
    let mut out = Vec::with_capacity(samples.len());
    for y in 0..size.height {
        for x in 0..size.width {
            let (x, y) = if transposed { (y, x) } else { (x, y) };
            let x = if mirrored { width - 1 - x } else { x } as usize;
            let y = if flipped { height - 1 - y } else { y } as usize;
            out.extend_from_slice(&samples[(y * width as usize + x) * kept..][..kept]);
        }
    }
    (size, out)
}

fn truncated(found: impl ToString) -> Error {
    Error::truncated("TIFF", found)
}

fn damaged(found: impl ToString) -> Error {
    Error::damaged("TIFF", found)
}
