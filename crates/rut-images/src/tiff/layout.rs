//! What the fields of a TIFF file say of its pixels: how they are coloured, and where they lie in strips or tiles.

use super::directory::{Directory, Field};
use crate::{Extent, Mode};

/// Fields, by their numbers in TIFF 6.0.
const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const BITS: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const FILL_ORDER: u16 = 266;
const STRIP_OFFSETS: u16 = 273;
const ORIENTATION: u16 = 274;
const SAMPLES: u16 = 277;
const ROWS_PER_STRIP: u16 = 278;
const STRIP_LENGTHS: u16 = 279;
const PLANAR: u16 = 284;
const PREDICTOR: u16 = 317;
pub(super) const COLOUR_MAP: u16 = 320;
const TILE_WIDTH: u16 = 322;
const TILE_HEIGHT: u16 = 323;
const TILE_OFFSETS: u16 = 324;
const TILE_LENGTHS: u16 = 325;
const EXTRA_SAMPLES: u16 = 338;
const SAMPLE_FORMAT: u16 = 339;
/// All of them.
pub(super) const FIELDS: &[u16] = &[
    WIDTH,
    HEIGHT,
    BITS,
    COMPRESSION,
    PHOTOMETRIC,
    FILL_ORDER,
    STRIP_OFFSETS,
    ORIENTATION,
    SAMPLES,
    ROWS_PER_STRIP,
    STRIP_LENGTHS,
    PLANAR,
    PREDICTOR,
    COLOUR_MAP,
    TILE_WIDTH,
    TILE_HEIGHT,
    TILE_OFFSETS,
    TILE_LENGTHS,
    EXTRA_SAMPLES,
    SAMPLE_FORMAT,
];
/// More samples a pixel than this are no image, as in Pillow.
const MAX_SAMPLES: u64 = 6;

/// What the first samples of a pixel are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Colours {
    WhiteIsZero,
    BlackIsZero,
    Rgb,
    Palette,
    Cmyk,
}

impl Colours {
    fn samples(self) -> usize {
        match self {
            Colours::WhiteIsZero | Colours::BlackIsZero | Colours::Palette => 1,
            Colours::Rgb => 3,
            Colours::Cmyk => 4,
        }
    }
}

/// What the sample behind the colours is.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Alpha {
    None,
    /// The colours are multiplied by it.
    Associated,
    Plain,
}

/// How a strip or tile is compressed.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Compression {
    None,
    Lzw,
    Deflate,
    PackBits,
}

/// How the pixels are stored.
pub(super) struct Layout<'a> {
    pub(super) size: Extent,
    pub(super) colours: Colours,
    pub(super) alpha: Alpha,
    /// Bits of a sample: 1, 2, 4, 8 or 16.
    pub(super) bits: usize,
    /// Samples of a pixel in the file.
    pub(super) samples: usize,
    pub(super) compression: Compression,
    /// Whether rows hold differences.
    pub(super) differences: bool,
    /// Whether the lowest bit of a byte comes first.
    pub(super) reversed: bool,
    /// Whether each sample has strips or tiles of its own.
    pub(super) planar: bool,
    /// From 1 to 8, as TIFF counts them.
    pub(super) orientation: u64,
    /// Width and height of a strip or tile.
    pub(super) piece: Extent,
    pub(super) offsets: Field<'a>,
    pub(super) lengths: Option<Field<'a>>,
}

impl<'a> Layout<'a> {
    /// Reads the fields; what kind of file it is, if it is one that is not read.
    pub(super) fn of(directory: &Directory<'a>, size: Extent) -> Result<Layout<'a>, String> {
        let colours = colours(directory)?;
        let extra = directory.field(EXTRA_SAMPLES);
        let samples = directory.number(SAMPLES, 1);
        if !(colours.samples() as u64..=MAX_SAMPLES).contains(&samples) {
            return Err(format!(
                "TIFF of {colours:?} with {samples} samples a pixel"
            ));
        }
        let samples = samples as usize;
        let bits = bits(directory, colours, samples)?;
        let compression = compression(directory.number(COMPRESSION, 1))?;
        let predictor = directory.number(PREDICTOR, 1);
        let packed = matches!(compression, Compression::Lzw | Compression::Deflate);
        if packed && !(predictor == 1 || predictor == 2 && bits >= 8) {
            return Err(format!("TIFF of {bits} bits with predictor {predictor}"));
        }
        let tiled = directory.field(TILE_OFFSETS);
        let piece = match tiled {
            Some(_) => Extent {
                width: side(directory.number(TILE_WIDTH, 0)),
                height: side(directory.number(TILE_HEIGHT, 0)),
            },
            None => Extent {
                width: size.width,
                height: side(directory.number(ROWS_PER_STRIP, u64::MAX)).min(size.height),
            },
        };
        let offsets = tiled.or_else(|| directory.field(STRIP_OFFSETS));
        Ok(Layout {
            size,
            colours,
            alpha: alpha(colours, samples, extra.and_then(|extra| extra.get(0))),
            bits,
            samples,
            compression,
            differences: packed && predictor == 2,
            reversed: directory.number(FILL_ORDER, 1) == 2,
            planar: directory.number(PLANAR, 1) == 2 && samples > 1,
            orientation: directory.number(ORIENTATION, 1),
            piece,
            offsets: offsets.ok_or("TIFF without strips or tiles")?,
            lengths: directory.field(if tiled.is_some() {
                TILE_LENGTHS
            } else {
                STRIP_LENGTHS
            }),
        })
    }

    /// Samples of a pixel that are kept.
    pub(super) fn kept(&self) -> usize {
        let alpha = self.alpha != Alpha::None;
        self.colours.samples() + usize::from(alpha)
    }

    /// The mode of the picture.
    pub(super) fn mode(&self) -> Mode {
        match (self.colours, self.alpha) {
            (Colours::Palette, _) => Mode::Palette,
            (Colours::Cmyk, _) | (Colours::Rgb, Alpha::None) => Mode::Rgb,
            (Colours::Rgb, _) => Mode::Rgba,
            (_, Alpha::None) if self.bits == 1 => Mode::Palette,
            (_, Alpha::None) => Mode::Grey,
            (_, _) => Mode::GreyAlpha,
        }
    }

    /// Samples that stand together.
    pub(super) fn together(&self) -> usize {
        if self.planar { 1 } else { self.samples }
    }

    /// Bytes of a row of a strip or tile.
    pub(super) fn row_bytes(&self) -> u64 {
        (u64::from(self.piece.width) * (self.together() * self.bits) as u64).div_ceil(8)
    }

    /// Strips or tiles side by side, and below each other.
    pub(super) fn pieces(&self) -> Option<[u32; 2]> {
        let Extent { width, height } = self.piece;
        (width > 0 && height > 0).then(|| {
            [
                self.size.width.div_ceil(width),
                self.size.height.div_ceil(height),
            ]
        })
    }
}

/// Width and height, whatever they are.
pub(super) fn size(directory: &Directory<'_>) -> Extent {
    Extent {
        width: side(directory.number(WIDTH, 0)),
        height: side(directory.number(HEIGHT, 0)),
    }
}

fn side(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn colours(directory: &Directory<'_>) -> Result<Colours, String> {
    match directory.number(PHOTOMETRIC, 0) {
        0 => Ok(Colours::WhiteIsZero),
        1 => Ok(Colours::BlackIsZero),
        2 => Ok(Colours::Rgb),
        3 => Ok(Colours::Palette),
        5 => Ok(Colours::Cmyk),
        6 => Err("TIFF of YCbCr colours".to_owned()),
        8..=10 => Err("TIFF of Lab colours".to_owned()),
        other => Err(format!("TIFF of colours {other}")),
    }
}

/// Bits of a sample; all samples have the same.
fn bits(directory: &Directory<'_>, colours: Colours, samples: usize) -> Result<usize, String> {
    let field = directory.field(BITS);
    let first = field.and_then(|field| field.get(0)).unwrap_or(1);
    let differ = |field: Field<'_>| {
        let count = samples.min(field.len());
        (0..count).any(|at| field.get(at) != Some(first))
    };
    if field.is_some_and(differ) {
        return Err("TIFF with samples of different sizes".to_owned());
    }
    let format = directory.number(SAMPLE_FORMAT, 1);
    let counts = format == 1 || (format, colours, first) == (2, Colours::BlackIsZero, 8);
    let known = match colours {
        Colours::WhiteIsZero | Colours::BlackIsZero => matches!(first, 1 | 2 | 4 | 8 | 16),
        Colours::Palette => matches!(first, 1 | 2 | 4 | 8),
        Colours::Rgb | Colours::Cmyk => matches!(first, 8 | 16),
    };
    if counts && known && (samples == 1 || first >= 8) {
        Ok(first as usize)
    } else {
        Err(format!(
            "TIFF of {colours:?} with samples of {first} bits, format {format}"
        ))
    }
}

fn compression(number: u64) -> Result<Compression, String> {
    let name = match number {
        1 => return Ok(Compression::None),
        5 => return Ok(Compression::Lzw),
        8 | 32_946 => return Ok(Compression::Deflate),
        32_773 => return Ok(Compression::PackBits),
        2..=4 => "fax",
        6 | 7 => "JPEG",
        34_925 => "LZMA",
        50_000 => "Zstandard",
        50_001 => "WebP",
        other => return Err(format!("TIFF of compression {other}")),
    };
    Err(format!("TIFF compressed with {name}"))
}

/// An unspecified fourth sample of RGB is alpha, as in Pillow.
fn alpha(colours: Colours, samples: usize, extra: Option<u64>) -> Alpha {
    let more = samples > colours.samples();
    match (colours, extra) {
        (Colours::Cmyk | Colours::Palette, _) => Alpha::None,
        (_, Some(1)) if more => Alpha::Associated,
        (_, Some(2)) if more => Alpha::Plain,
        (Colours::Rgb, None | Some(999)) if more => Alpha::Plain,
        _ => Alpha::None,
    }
}
