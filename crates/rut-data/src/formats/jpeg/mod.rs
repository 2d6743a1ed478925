//! JPEG. A decoder that meets the end of the data fills the rest with grey and says nothing, so
//! the markers are walked first: a file without its end marker is truncated.

mod colours;
mod markers;
mod rare;

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::jpeg::JpegDecoder;

use colours::Colours;
use markers::{Fault, Layout, Walk, walk};

use crate::resize::Extent;
use crate::{Error, Mode, Picture, Result};

/// Decodes a JPEG file.
pub(super) fn decode(bytes: &[u8], name: &str) -> Result<Picture> {
    let walk = walk(bytes).map_err(|fault| match fault {
        Fault::Truncated(found) => truncated(name, found),
        Fault::Damaged(found) => damaged(name, found),
    })?;
    walk.frame.size.check(name)?;
    if let Some(kind) = walk.unread_kind() {
        return Err(Error::UnsupportedImage {
            name: name.to_owned(),
            kind,
            expected: "baseline or progressive JPEG of 1, 3 or 4 channels of 8 bits",
        });
    }
    let mode = match walk.colours {
        Some(Colours::Grey) => Mode::Grey,
        _ => Mode::Rgb,
    };
    let size = walk.frame.size;
    size.check_decoding(name, mode, walk.frame.decoding_bytes())?;
    match walk.frame.layout {
        Layout::Usual => decode_usual(&walk, name),
        Layout::Rare => rare::decode(&walk, name),
    }
}

fn decode_usual(walk: &Walk, name: &str) -> Result<Picture> {
    let plain = Cursor::new(&walk.plain);
    let decoder = JpegDecoder::new(plain).map_err(|error| damaged(name, error))?;
    let (width, height) = decoder.dimensions();
    let mode = match decoder.color_type() {
        image::ColorType::L8 => Mode::Grey,
        image::ColorType::Rgb8 => Mode::Rgb,
        other => return Err(damaged(name, format!("it decodes to {other:?}"))),
    };
    let size = walk.frame.size;
    if (Extent { width, height }) != size {
        return Err(damaged(name, "it has frames of different sizes"));
    }
    let mut pixels = vec![0; size.pixels() * mode.channels()];
    decoder
        .read_image(&mut pixels)
        .map_err(|error| damaged(name, error))?;
    Picture::new(mode, size, pixels)
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
