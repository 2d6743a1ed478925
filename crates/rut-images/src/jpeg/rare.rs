//! JPEG files of rare layouts, which the usual decoder silently misreads: each channel in a
//! scan of its own, or colours that are finer than the brightness. The decoder here is slower.

use std::io::Cursor;

use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};

use super::colours::Colours;
use super::damaged;
use super::markers::Walk;
use crate::inks::without_ink;
use crate::{Mode, Picture, Result};

/// Decodes a file whose frame has a size that was checked.
pub(super) fn decode(walk: &Walk) -> Result<Picture> {
    let size = walk.frame.size;
    let mut decoder = Decoder::new(Cursor::new(&walk.plain));
    // This decoder takes the numbers of the channels for more than the marker.
    match walk.colours {
        Some(Colours::Rgb) => decoder.set_color_transform(ColorTransform::RGB),
        Some(Colours::YCbCr) => decoder.set_color_transform(ColorTransform::YCbCr),
        Some(Colours::Cmyk) => decoder.set_color_transform(ColorTransform::CMYK),
        Some(Colours::Ycck) => decoder.set_color_transform(ColorTransform::YCCK),
        Some(Colours::Grey) | None => {}
    }
    decoder.set_max_decoding_buffer_size(size.pixels() * 4);
    let pixels = decoder.decode().map_err(damaged)?;
    match decoder.info().map(|info| info.pixel_format) {
        Some(PixelFormat::L8) => Picture::new(Mode::Grey, size, pixels),
        Some(PixelFormat::RGB24) => Picture::new(Mode::Rgb, size, pixels),
        Some(PixelFormat::CMYK32) => Picture::new(Mode::Rgb, size, without_ink(pixels)),
        other => Err(damaged(format!("it decodes to {other:?}"))),
    }
}
