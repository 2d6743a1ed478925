//! PNG, with palettes kept as palettes: that is why it is the `png` crate here and not `image`,
//! which expands them.

use std::io::Cursor;

use png::{
    BitDepth, ColorType, Decoder, Encoder, EncodingError, Limits, OutputInfo, Transformations,
};

use crate::{Error, Extent, MAX_PIXELS, Mode, Picture, Result, RgbImage};

/// Bytes of the signature.
const SIGNATURE: usize = 8;

/// Decodes a PNG file.
pub(crate) fn decode(bytes: &[u8]) -> Result<Picture> {
    let failed = |error: png::DecodingError| damaged(error);
    let plain = plain(bytes).ok_or_else(truncated)?;
    let mut decoder = Decoder::new_with_limits(Cursor::new(&plain), limits());
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(failed)?;
    let header = reader.info();
    let (width, height) = header.size();
    let (mode, depth) = (mode(header.color_type, header.bit_depth), header.bit_depth);
    let size = Extent { width, height };
    let pixels = size.check()?;
    let length = reader
        .output_buffer_size()
        .ok_or_else(|| damaged("it is too large"))?;
    let unpacked = match depth {
        BitDepth::Eight => 0,
        _ => pixels * mode.channels(),
    };
    size.check_decoding(mode, length as u64 + unpacked as u64)?;
    let mut raw = vec![0; length];
    let info = reader.next_frame(&mut raw).map_err(failed)?;
    raw.truncate(info.buffer_size());
    let colours = reader.info().palette.as_deref().unwrap_or_default();
    picture(raw, &info, colours)
}

/// The bytes of a PNG file of an image.
///
/// ```
/// let image = rut_images::RgbImage { width: 2, height: 1, pixels: vec![1, 2, 3, 4, 5, 6] };
/// let bytes = rut_images::encode_png(&image)?;
/// assert_eq!(rut_images::decode(&bytes)?.to_rgb(), image);
/// # Ok::<(), rut_images::Error>(())
/// ```
///
/// # Errors
/// [`Error::Count`] if the number of bytes does not fit the size.
pub fn encode(image: &RgbImage) -> Result<Vec<u8>> {
    let unfit = |_| Error::Count {
        expected: 3 * image.width as usize * image.height as usize,
        found: image.pixels.len(),
    };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, image.width, image.height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let write = || -> Result<(), EncodingError> {
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&image.pixels)?;
        writer.finish()
    };
    write().map_err(unfit)?;
    Ok(bytes)
}

/// The number of pixels is checked apart; this is what the largest image needs.
fn limits() -> Limits {
    Limits {
        bytes: usize::try_from(MAX_PIXELS * 8).unwrap_or(usize::MAX),
    }
}

/// The chunks (PNG specification, section 5.3) that pixels are made of, up to the last one; nothing if that is missing.
/// The others say things that no pixel depends on, and may unpack to any size.
fn plain(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(bytes.len());
    plain.extend(&bytes[..SIGNATURE]);
    let mut at = SIGNATURE;
    loop {
        let &[a, b, c, d, ref kind @ ..] = bytes.get(at..at + 8)? else {
            return None;
        };
        // A chunk is its length, kind, data and checksum.
        let length = (u32::from_be_bytes([a, b, c, d]) as usize).checked_add(12)?;
        let chunk = bytes.get(at..at.checked_add(length)?)?;
        match kind {
            b"IHDR" | b"PLTE" | b"IDAT" => plain.extend(chunk),
            b"IEND" => {
                plain.extend(chunk);
                return Some(plain);
            }
            _ => {}
        }
        at += length;
    }
}

/// Pillow resizes images of one bit like palettes: black and white.
fn mode(colours: ColorType, depth: BitDepth) -> Mode {
    match colours {
        ColorType::Grayscale if depth == BitDepth::One => Mode::Palette,
        ColorType::Grayscale => Mode::Grey,
        ColorType::Indexed => Mode::Palette,
        ColorType::Rgb => Mode::Rgb,
        ColorType::GrayscaleAlpha => Mode::GreyAlpha,
        ColorType::Rgba => Mode::Rgba,
    }
}

fn picture(raw: Vec<u8>, info: &OutputInfo, colours: &[u8]) -> Result<Picture> {
    let size = Extent {
        width: info.width,
        height: info.height,
    };
    let mode = mode(info.color_type, info.bit_depth);
    match (info.color_type, info.bit_depth) {
        // Pillow cuts off what is brighter than 255.
        (ColorType::Grayscale, BitDepth::Sixteen) => {
            let values = raw.as_chunks().0.iter();
            let values = values.map(|&pair| u16::from_be_bytes(pair).min(255) as u8);
            Picture::new(mode, size, values.collect())
        }
        (ColorType::Grayscale, BitDepth::One) => {
            Picture::with_palette(size, unpack(raw, info), vec![[0; 3], [255; 3]])
        }
        (ColorType::Grayscale, depth) => {
            let scale = 255 / ((1u16 << depth as u8) - 1) as u8;
            let mut values = unpack(raw, info);
            values.iter_mut().for_each(|value| *value *= scale);
            Picture::new(mode, size, values)
        }
        (ColorType::Indexed, _) => {
            let colours = colours.as_chunks::<3>().0.to_vec();
            Picture::with_palette(size, unpack(raw, info), colours)
        }
        _ => Picture::new(mode, size, unpack(raw, info)),
    }
}

/// One byte per value: packed values are spread out, unscaled; of 16 bits the high byte is kept.
fn unpack(raw: Vec<u8>, info: &OutputInfo) -> Vec<u8> {
    let bits = info.bit_depth as usize;
    match bits {
        8 => raw,
        16 => raw.iter().step_by(2).copied().collect(),
        _ => {
            let mask = (1u8 << bits) - 1;
            let value =
                |row: &[u8], x: usize| (row[x * bits / 8] >> (8 - bits - x * bits % 8)) & mask;
            let rows = raw.chunks_exact(info.line_size);
            rows.flat_map(|row| (0..info.width as usize).map(move |x| value(row, x)))
                .collect()
        }
    }
}

fn truncated() -> Error {
    Error::truncated("PNG", "the end chunk is missing")
}

fn damaged(found: impl ToString) -> Error {
    Error::damaged("PNG", found)
}
