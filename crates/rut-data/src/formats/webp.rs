//! WebP, of an animation the first frame on its canvas, as Pillow opens it.

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::webp::WebPDecoder;

use crate::resize::Extent;
use crate::{Error, Mode, Picture, Result};

/// Bytes before those that the length of the file counts.
const HEADER: usize = 8;
/// Bytes a pixel while a still image is decoded: colours and alpha as they are coded, and the result.
const STILL: u64 = 8;
/// The same for an animation, which has a canvas besides.
const ANIMATED: u64 = 12;

/// Decodes a WebP file.
pub(super) fn decode(bytes: &[u8], name: &str) -> Result<Picture> {
    let length = bytes.get(4..HEADER).and_then(|length| length.first_chunk());
    let length = length.map_or(0, |length| u32::from_le_bytes(*length) as usize + HEADER);
    let file = bytes
        .get(..length)
        .ok_or_else(|| truncated(bytes, length, name))?;
    let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(|error| damaged(name, error))?;
    let (width, height) = decoder.dimensions();
    let size = Extent { width, height };
    let pixels = size.check(name)?;
    let animated = decoder.has_animation();
    let mode = match decoder.color_type() {
        image::ColorType::Rgba8 => Mode::Rgba,
        _ => Mode::Rgb,
    };
    let each = if animated { ANIMATED } else { STILL };
    size.check_decoding(name, mode, pixels as u64 * each)?;
    if animated {
        // What the first frame leaves free is transparent black, whatever the file asks for.
        let background = decoder.set_background_color(image::Rgba([0; 4]));
        background.map_err(|error| damaged(name, error))?;
    }
    let mut pixels = vec![0; pixels * mode.channels()];
    decoder
        .read_image(&mut pixels)
        .map_err(|error| damaged(name, error))?;
    Picture::new(mode, size, pixels)
}

fn truncated(bytes: &[u8], length: usize, name: &str) -> Error {
    Error::TruncatedImage {
        name: name.to_owned(),
        format: "WebP",
        found: format!("{} of {length} bytes are there", bytes.len()),
    }
}

fn damaged(name: &str, found: impl ToString) -> Error {
    Error::DamagedImage {
        name: name.to_owned(),
        format: "WebP",
        found: found.to_string(),
    }
}
