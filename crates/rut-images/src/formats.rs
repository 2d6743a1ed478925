//! The table of image formats. An image's content decides its format, never its file's ending.

use crate::{Error, Picture, Result, bmp, gif, jpeg, png, pnm, tiff, unsupported, webp};

/// An image format: how its files are recognised and decoded.
struct ImageFormat {
    /// What the file holds at which place; one of them is enough.
    signatures: &'static [(usize, &'static [u8])],
    /// Decodes the bytes of a file.
    decode: fn(&[u8]) -> Result<Picture>,
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

/// Decodes a JPEG, PNG, GIF, WebP, TIFF, BMP or PNM file of which these are the bytes. Of several frames the first is taken.
///
/// Conversions are Pillow's: 16-bit colours keep their high byte, 16-bit grey is cut off at 255, alpha stays a channel,
/// images of one bit become palettes. The orientation of a TIFF file is applied, that of Exif is not.
///
/// ```
/// let picture = rut_images::decode(b"P5 2 1 255\n\x07\x09")?;
/// assert_eq!(picture.pixels(), [7, 9]);
/// # Ok::<(), rut_images::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotAnImage`], [`Error::Truncated`], [`Error::Damaged`], [`Error::Unsupported`] (rare codings),
/// [`Error::Size`] for more than [`MAX_PIXELS`](crate::MAX_PIXELS), or [`Error::DecodedSize`] for more than
/// [`MAX_DECODED`](crate::MAX_DECODED).
pub fn decode(bytes: &[u8]) -> Result<Picture> {
    match FORMATS.iter().find(|format| format.is_of(bytes)) {
        Some(format) => (format.decode)(bytes),
        None => Err(Error::NotAnImage {
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
    let kind = unsupported::kind(bytes).map(|kind| format!(" ({kind})"));
    let kind = kind.unwrap_or_default();
    format!("{}{kind}", hex.join(" "))
}
