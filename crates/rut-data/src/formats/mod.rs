//! Readers of file formats, shared by the data sets. An image's content decides its format, never
//! its file's ending.

mod bmp;
pub(crate) mod cifar_binary;
pub(crate) mod cifar_python;
pub(crate) mod class_folders;
pub(crate) mod class_lists;
pub(crate) mod class_names;
pub(crate) mod coop_split;
pub(crate) mod fault;
pub(crate) mod files;
mod foreign;
mod gif;
pub(crate) mod image_list;
pub(crate) mod image_npz;
mod inflated;
mod inks;
mod jpeg;
mod json;
pub(crate) mod list_file;
pub(crate) mod mat;
pub(crate) mod npy;
mod npy_header;
pub(crate) mod npz;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
mod planes;
mod png;
mod pnm;
mod shallow;
pub(crate) mod svhn;
pub(crate) mod texts;
mod tiff;
mod webp;

pub use png::encode as encode_png;
pub(crate) use rut_formats::{numpy, pickle};

use crate::{Error, Picture, Result};

/// The largest number of pixels of an image: where Pillow refuses it as a decompression bomb.
/// Checked before memory is taken.
pub const MAX_PIXELS: u64 = 178_956_970;
/// The most bytes that an image takes while it is decoded, all that the decoder keeps at a time included. Checked
/// before memory is taken.
pub const MAX_DECODED: u64 = 512 << 20;

/// An image format: how its files are told, and how they are decoded.
struct ImageFormat {
    /// What the file holds at which place; one of them is enough.
    signatures: &'static [(usize, &'static [u8])],
    /// Decodes the bytes of a file; the name is for errors.
    decode: fn(&[u8], &str) -> Result<Picture>,
}

static FORMATS: &[ImageFormat] = &[
    ImageFormat {
        signatures: &[(0, b"\xff\xd8\xff")],
        decode: jpeg::decode,
    },
    ImageFormat {
        signatures: &[(0, b"\x89PNG\r\n\x1a\n")],
        decode: png::decode,
    },
    ImageFormat {
        signatures: &[(0, b"GIF87a"), (0, b"GIF89a")],
        decode: gif::decode,
    },
    ImageFormat {
        signatures: &[(8, b"WEBPVP8")],
        decode: webp::decode,
    },
    ImageFormat {
        signatures: &[(0, b"II*\0"), (0, b"MM\0*"), (0, b"II+\0"), (0, b"MM\0+")],
        decode: tiff::decode,
    },
    ImageFormat {
        signatures: &[(0, b"BM")],
        decode: bmp::decode,
    },
    ImageFormat {
        signatures: &[
            (0, b"P1"),
            (0, b"P2"),
            (0, b"P3"),
            (0, b"P4"),
            (0, b"P5"),
            (0, b"P6"),
        ],
        decode: pnm::decode,
    },
];

impl ImageFormat {
    fn is_of(&self, bytes: &[u8]) -> bool {
        let holds = |(at, signature): &(usize, &[u8])| {
            bytes
                .get(*at..)
                .is_some_and(|rest| rest.starts_with(signature))
        };
        self.signatures.iter().any(holds)
    }
}

/// Decodes a JPEG, PNG, GIF, WebP, TIFF, BMP or PNM file of which these are the bytes; `name` is used in
/// errors. Of several frames the first is taken.
///
/// Conversions are Pillow's: 16-bit colours keep their high byte, 16-bit grey is cut off at 255, alpha stays a channel,
/// images of one bit become palettes. The orientation of a TIFF file is applied, that of Exif is not.
///
/// ```
/// let picture = rut_data::decode_bytes(b"P5 2 1 255\n\x07\x09", "dots.pgm")?;
/// assert_eq!(picture.pixels(), [7, 9]);
/// # Ok::<(), rut_data::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotAnImage`], [`Error::TruncatedImage`], [`Error::DamagedImage`],
/// [`Error::UnsupportedImage`] (rare codings), [`Error::ImageSize`] for more than [`MAX_PIXELS`], or
/// [`Error::DecodedSize`] for more than [`MAX_DECODED`].
pub fn decode_bytes(bytes: &[u8], name: &str) -> Result<Picture> {
    match FORMATS.iter().find(|format| format.is_of(bytes)) {
        Some(format) => (format.decode)(bytes, name),
        None => Err(Error::NotAnImage {
            name: name.to_owned(),
            start: describe_start(bytes),
        }),
    }
}

/// `00 00 00 20 66 74 79 70 (AVIF)`, `nothing (0 bytes)`.
fn describe_start(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "nothing (0 bytes)".to_owned();
    }
    let hex: Vec<String> = bytes
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let kind = foreign::kind(bytes).map(|kind| format!(" ({kind})"));
    let kind = kind.unwrap_or_default();
    format!("{}{kind}", hex.join(" "))
}
