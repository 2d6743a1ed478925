//! WebP, of an animation the first frame on its canvas, as Pillow opens it.

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::webp::WebPDecoder;

use crate::{Error, Extent, Mode, Picture, Result};

/// Bytes before those that the length of the file counts.
const HEADER: usize = 8;
/// Bytes a pixel while a still image is decoded: colours and alpha as they are coded, and the result.
const STILL: u64 = 8;
/// The same for an animation, which has a canvas besides.
const ANIMATED: u64 = 12;

/// Decodes a WebP file.
pub(crate) fn decode(bytes: &[u8]) -> Result<Picture> {
    let length = bytes.get(4..HEADER).and_then(|length| length.first_chunk());
    let length = length.map_or(0, |length| u32::from_le_bytes(*length) as usize + HEADER);
    let file = bytes
        .get(..length)
        .ok_or_else(|| truncated(bytes, length))?;
    let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let size = Extent { width, height };
    let pixels = size.check()?;
    let animated = decoder.has_animation();
    let mode = match decoder.color_type() {
        image::ColorType::Rgba8 => Mode::Rgba,
        _ => Mode::Rgb,
    };
    let each = if animated { ANIMATED } else { STILL };
    size.check_decoding(mode, pixels as u64 * each)?;
    if animated {
        // What the first frame leaves free is transparent black, whatever the file asks for.
        let background = decoder.set_background_color(image::Rgba([0; 4]));
        background.map_err(damaged)?;
    }
    let mut pixels = vec![0; pixels * mode.channels()];
    decoder.read_image(&mut pixels).map_err(damaged)?;
    Picture::new(mode, size, pixels)
}

fn truncated(bytes: &[u8], length: usize) -> Error {
    let found = format!("{} of {length} bytes are there", bytes.len());
    Error::truncated("WebP", found)
}

fn damaged(found: impl ToString) -> Error {
    Error::damaged("WebP", found)
}
