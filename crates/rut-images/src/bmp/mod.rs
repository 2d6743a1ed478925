//! Windows and OS/2 bitmaps, as Pillow opens them: palettes stay palettes, a palette in which
//! every colour is the grey of its own index is grey, and alpha counts only where a mask names it.
//!
//! This is no decoder of the `image` crate, because that one expands palettes.

mod header;
mod packed;
mod run_length;

use header::{Coding, Header};

use crate::{Error, Mode, Picture, Result};

/// Decodes a BMP file.
pub(crate) fn decode(bytes: &[u8]) -> Result<Picture> {
    let header = header::parse(bytes)?;
    let mode = match header.coding {
        Coding::Masks(masks) => masks.mode(),
        Coding::Indices | Coding::Runs => Mode::Palette,
    };
    header.size.check_decoding(mode, 0)?;
    let data = bytes.get(header.pixels_at..).unwrap_or_default();
    match header.coding {
        Coding::Masks(masks) => packed::colours(data, &header, masks),
        Coding::Indices => palette_picture(packed::indices(data, &header)?, header),
        Coding::Runs => palette_picture(run_length::indices(data, &header)?, header),
    }
}

fn palette_picture(indices: Vec<u8>, header: Header) -> Result<Picture> {
    let colours = header.colours;
    let mut greys = (0..=u8::MAX).zip(&colours);
    if greys.all(|(value, colour)| *colour == [value; 3]) {
        Picture::new(Mode::Grey, header.size, indices)
    } else {
        Picture::with_palette(header.size, indices, colours)
    }
}

fn truncated(found: impl ToString) -> Error {
    Error::truncated("BMP", found)
}

fn damaged(found: impl ToString) -> Error {
    Error::damaged("BMP", found)
}
