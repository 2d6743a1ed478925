//! JPEG. A decoder that meets the end of the data fills the rest with grey and says nothing, so
//! the markers are walked first: a file without its end marker is truncated.

mod markers;
mod rare;

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::jpeg::JpegDecoder;

use markers::{Frame, Layout, walk};

use crate::resize::Extent;
use crate::{Error, Mode, Picture, Result};

/// Decodes a JPEG file.
pub(super) fn decode(bytes: &[u8], name: &str) -> Result<Picture> {
    let frame = walk(bytes).map_err(|found| truncated(name, found))?;
    let frame = frame.ok_or_else(|| damaged(name, "it has no frame header"))?;
    frame.size.check(name)?;
    if let Some(kind) = frame.unread_kind() {
        return Err(Error::UnsupportedImage {
            name: name.to_owned(),
            kind,
            expected: "baseline or progressive JPEG of 8 bits per channel",
        });
    }
    match frame.layout {
        Layout::Usual => decode_usual(bytes, name, frame),
        Layout::Rare => rare::decode(bytes, name, frame.size),
    }
}

fn decode_usual(bytes: &[u8], name: &str, frame: Frame) -> Result<Picture> {
    let decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(|error| damaged(name, error))?;
    let (width, height) = decoder.dimensions();
    let mode = match decoder.color_type() {
        image::ColorType::L8 => Mode::Grey,
        image::ColorType::Rgb8 => Mode::Rgb,
        other => return Err(damaged(name, format!("it decodes to {other:?}"))),
    };
    if (Extent { width, height }) != frame.size {
        return Err(damaged(name, "it has frames of different sizes"));
    }
    let mut pixels = vec![0; frame.size.pixels() * mode.channels()];
    decoder
        .read_image(&mut pixels)
        .map_err(|error| damaged(name, error))?;
    Picture::new(mode, frame.size, pixels)
}

fn truncated(name: &str, found: &str) -> Error {
    Error::TruncatedImage {
        name: name.to_owned(),
        format: "JPEG",
        found: found.to_owned(),
    }
}

fn damaged(name: &str, found: impl ToString) -> Error {
    Error::DamagedImage {
        name: name.to_owned(),
        format: "JPEG",
        found: found.to_string(),
    }
}
