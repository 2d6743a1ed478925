//! JPEG. A decoder that meets the end of the data silently fills the rest with grey, so
//! the markers are walked first: a file without its end marker is truncated.

mod colours;
mod markers;
mod rare;

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::jpeg::JpegDecoder;

use colours::Colours;
use markers::{Fault, Layout, Walk, walk};

use crate::{Error, Extent, Mode, Picture, Result};

/// Decodes a JPEG file.
pub(crate) fn decode(bytes: &[u8]) -> Result<Picture> {
    let walk = walk(bytes).map_err(|fault| match fault {
        Fault::Truncated(found) => truncated(found),
        Fault::Damaged(found) => damaged(found),
    })?;
    walk.frame.size.check()?;
    if let Some(kind) = walk.unread_kind() {
        return Err(Error::Unsupported {
            kind,
            expected: "baseline or progressive JPEG of 1, 3 or 4 channels of 8 bits",
        });
    }
    let mode = match walk.colours {
        Some(Colours::Grey) => Mode::Grey,
        _ => Mode::Rgb,
    };
    let size = walk.frame.size;
    size.check_decoding(mode, walk.frame.decoding_bytes())?;
    match walk.frame.layout {
        Layout::Usual => decode_usual(&walk),
        Layout::Rare => rare::decode(&walk),
    }
}

fn decode_usual(walk: &Walk) -> Result<Picture> {
    let plain = Cursor::new(&walk.plain);
    let decoder = JpegDecoder::new(plain).map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let mode = match decoder.color_type() {
        image::ColorType::L8 => Mode::Grey,
        image::ColorType::Rgb8 => Mode::Rgb,
        other => return Err(damaged(format!("it decodes to {other:?}"))),
    };
    let size = walk.frame.size;
    if (Extent { width, height }) != size {
        return Err(damaged("it has frames of different sizes"));
    }
    let mut pixels = vec![0; size.pixels() * mode.channels()];
    decoder.read_image(&mut pixels).map_err(damaged)?;
    Picture::new(mode, size, pixels)
}

fn truncated(found: &str) -> Error {
    Error::truncated("JPEG", found)
}

fn damaged(found: impl ToString) -> Error {
    Error::damaged("JPEG", found)
}
