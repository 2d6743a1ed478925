//! JPEG. A decoder that meets the end of the data fills the rest with grey and says nothing, so
//! the markers are walked first: a file without its end marker is truncated.

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::jpeg::JpegDecoder;

use crate::resize::Extent;
use crate::{Error, Mode, Picture, Result};

/// Markers, from ITU-T T.81, table B.1.
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;

/// Decodes a JPEG file.
pub(super) fn decode(bytes: &[u8], name: &str) -> Result<Picture> {
    let frame = walk(bytes).map_err(|found| truncated(name, found))?;
    let frame = frame.ok_or_else(|| damaged(name, "it has no frame header"))?;
    frame.size.check(name)?;
    if frame.precision != 8 {
        return Err(Error::UnsupportedImage {
            name: name.to_owned(),
            kind: format!("{}-bit JPEG", frame.precision),
            expected: "8 bits per channel",
        });
    }
    decode_frame(bytes, name, frame)
}

fn decode_frame(bytes: &[u8], name: &str, frame: Frame) -> Result<Picture> {
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

/// What the frame header says.
#[derive(Clone, Copy)]
struct Frame {
    size: Extent,
    precision: u8,
}

/// Walks all markers up to the end of the image; what is missing if that never comes.
fn walk(bytes: &[u8]) -> Result<Option<Frame>, &'static str> {
    let mut at = 2;
    let mut frame = None;
    loop {
        let marker = next_marker(bytes, &mut at).ok_or("the end marker is missing")?;
        if marker == END_OF_IMAGE {
            return Ok(frame);
        }
        if matches!(marker, 0x01 | 0xd0..=0xd8) {
            continue; // these have no body
        }
        let body = segment(bytes, &mut at).ok_or("a segment is cut short")?;
        if frame.is_none() && is_frame_header(marker) {
            frame = Some(parse_frame(body).ok_or("the frame header is cut short")?);
        }
        if marker == START_OF_SCAN && frame.is_none() {
            return Ok(None);
        }
    }
}

/// The next marker at or after `at`, which moves behind it. Coded data holds `ff 00` for a byte
/// 255 and is skipped like anything else that is no marker.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        let start = *at + bytes.get(*at..)?.iter().position(|&byte| byte == 0xff)?;
        let code = start + bytes[start..].iter().position(|&byte| byte != 0xff)?;
        *at = code + 1;
        if bytes[code] != 0 {
            return Some(bytes[code]);
        }
    }
}

/// The body of a segment whose length stands at `at`, which moves behind it.
fn segment<'a>(bytes: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let length = u16::from_be_bytes([*bytes.get(*at)?, *bytes.get(*at + 1)?]).max(2);
    let body = bytes.get(*at + 2..*at + usize::from(length))?;
    *at += usize::from(length);
    Some(body)
}

fn is_frame_header(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

fn parse_frame(body: &[u8]) -> Option<Frame> {
    let &[precision, h1, h0, w1, w0, ..] = body else {
        return None;
    };
    let (height, width) = (u16::from_be_bytes([h1, h0]), u16::from_be_bytes([w1, w0]));
    Some(Frame {
        size: Extent {
            width: width.into(),
            height: height.into(),
        },
        precision,
    })
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
