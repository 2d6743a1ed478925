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
mod gif;
pub(crate) mod image_list;
pub(crate) mod image_npz;
mod inflated;
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

pub use png::encode as encode_png;
pub(crate) use rut_formats::{numpy, pickle};

use crate::{Error, Picture, Result};

/// The largest number of pixels of an image: where Pillow refuses it as a decompression bomb.
/// Checked before memory is taken.
pub const MAX_PIXELS: u64 = 178_956_970;

/// An image format: how its files begin, and how they are decoded.
struct ImageFormat {
    /// What the file begins with.
    signatures: &'static [&'static [u8]],
    /// Decodes the bytes of a file; the name is for errors.
    decode: fn(&[u8], &str) -> Result<Picture>,
}

static FORMATS: &[ImageFormat] = &[
    ImageFormat {
        signatures: &[b"\xff\xd8\xff"],
        decode: jpeg::decode,
    },
    ImageFormat {
        signatures: &[b"\x89PNG\r\n\x1a\n"],
        decode: png::decode,
    },
    ImageFormat {
        signatures: &[b"GIF87a", b"GIF89a"],
        decode: gif::decode,
    },
    ImageFormat {
        signatures: &[b"BM"],
        decode: bmp::decode,
    },
    ImageFormat {
        signatures: &[b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"],
        decode: pnm::decode,
    },
];

/// Formats that are recognised only to say what they are.
static OTHERS: &[(&str, &[u8])] = &[
    ("TIFF", b"II*\0"),
    ("TIFF", b"MM\0*"),
    ("WebP", b"RIFF"),
    ("HTML", b"<!DOCTYPE"),
    ("HTML", b"<html"),
];

/// Decodes a JPEG, PNG, GIF, BMP or PNM file of which these are the bytes; `name` is used in
/// errors. Of several frames the first is taken.
///
/// Conversions are Pillow's: 16-bit colours keep their high byte, alpha stays a channel, images of
/// one bit become palettes. Orientation tags are not applied.
///
/// ```
/// let picture = rut_data::decode_bytes(b"P5 2 1 255\n\x07\x09", "dots.pgm")?;
/// assert_eq!(picture.pixels(), [7, 9]);
/// # Ok::<(), rut_data::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotAnImage`], [`Error::TruncatedImage`], [`Error::DamagedImage`],
/// [`Error::UnsupportedImage`] (16-bit grey, which Pillow would clip to white; rare codings), or
/// [`Error::ImageSize`] for more than [`MAX_PIXELS`].
pub fn decode_bytes(bytes: &[u8], name: &str) -> Result<Picture> {
    let begins = |format: &&ImageFormat| format.signatures.iter().any(|s| bytes.starts_with(s));
    match FORMATS.iter().find(begins) {
        Some(format) => (format.decode)(bytes, name),
        None => Err(Error::NotAnImage {
            name: name.to_owned(),
            start: describe_start(bytes),
        }),
    }
}

/// `52 49 46 46 (WebP)`, `nothing (0 bytes)`.
fn describe_start(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "nothing (0 bytes)".to_owned();
    }
    let hex: Vec<String> = bytes
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let other = OTHERS.iter().find(|(_, start)| bytes.starts_with(start));
    let kind = other
        .map(|(kind, _)| format!(" ({kind})"))
        .unwrap_or_default();
    format!("{}{kind}", hex.join(" "))
}

/// The error for 16-bit grey.
fn deep_grey(name: &str) -> Error {
    Error::UnsupportedImage {
        name: name.to_owned(),
        kind: "16-bit grey".to_owned(),
        expected: "8 bits per channel, because conversion to RGB would turn every value above 255 white",
    }
}
