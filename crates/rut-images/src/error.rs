//! What is wrong with the bytes or values of an image, said by code that does not know its name.

use crate::Mode;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why bytes or values are no picture.
///
/// Messages are lowercase fragments that read after "failed to decode NAME: ", with the remedy. They may quote a file:
/// the caller escapes it before printing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no image, or of a format that is not read.
    #[error(
        "expected a JPEG, PNG, GIF, WebP, TIFF, BMP or PNM image, found {start} at its start; convert or remove it"
    )]
    NotAnImage {
        /// The first bytes in hexadecimal, and the format where it is known.
        start: String,
    },

    /// The bytes end before their image does.
    #[error("truncated {format} image, {found}; fetch or copy it again, or remove it")]
    Truncated {
        /// `JPEG`, `PNG`, `GIF`, `WebP`, `TIFF`, `BMP` or `PNM`.
        format: &'static str,
        /// What is missing.
        found: String,
    },

    /// The image is damaged.
    #[error("damaged {format} image, {found}; fetch or copy it again, or remove it")]
    Damaged {
        /// `JPEG`, `PNG`, `GIF`, `WebP`, `TIFF`, `BMP` or `PNM`.
        format: &'static str,
        /// What the decoder said.
        found: String,
    },

    /// A sound image of a kind that has no faithful form here.
    #[error("expected {expected}, found {kind}; convert it first")]
    Unsupported {
        /// What it is.
        kind: String,
        /// What would do.
        expected: &'static str,
    },

    /// More pixels than [`MAX_PIXELS`](crate::MAX_PIXELS), or none.
    #[error("expected 1 to {cap} pixels, found {width}x{height}; shrink or remove it")]
    Size {
        /// Declared width in pixels.
        width: u64,
        /// Declared height in pixels.
        height: u64,
        /// The largest number of pixels.
        cap: u64,
    },

    /// More memory than [`MAX_DECODED`](crate::MAX_DECODED) while it is decoded.
    #[error(
        "expected an image that takes at most {cap} bytes, found {width}x{height} pixels that take {bytes}; \
         shrink or remove it"
    )]
    DecodedSize {
        /// Declared width in pixels.
        width: u32,
        /// Declared height in pixels.
        height: u32,
        /// Bytes that decoding would take.
        bytes: u64,
        /// The most that it may take.
        cap: u64,
    },

    /// As many values as its size does not have.
    #[error("expected {expected} values, found {found}")]
    Count {
        /// Values that the size asks for; a byte each, but for real ones.
        expected: usize,
        /// Values given.
        found: usize,
    },

    /// A real value that is no part of an image.
    #[error("expected values from 0 to 1, found {value} in row {row}, column {column}")]
    Value {
        /// The value, maybe NaN.
        value: f32,
        /// Its row, from 0.
        row: usize,
        /// Its column, from 0.
        column: usize,
    },

    /// Bytes that are to be real values.
    #[error(
        "use picture mode '{:?}': expected one of 8 bits per channel; `Picture::real` takes real values",
        Mode::Real
    )]
    Real,

    /// A side that no transform gives an image.
    #[error("use image side '{found}': expected 1 to 4096 pixels")]
    Side {
        /// The side in pixels.
        found: u32,
    },

    /// Pixels of more channels than there are.
    #[error("use number of channels '{found}': expected 1 to 4")]
    Channels {
        /// The number.
        found: usize,
    },
}

impl Error {
    /// A file of this `format` that ends too early.
    pub(crate) fn truncated(format: &'static str, found: impl ToString) -> Error {
        Error::Truncated {
            format,
            found: found.to_string(),
        }
    }

    /// A file of this `format` that is damaged.
    pub(crate) fn damaged(format: &'static str, found: impl ToString) -> Error {
        Error::Damaged {
            format,
            found: found.to_string(),
        }
    }
}
