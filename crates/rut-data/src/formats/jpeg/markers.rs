//! The markers of a JPEG file (ITU-T T.81, annex B), walked without decoding anything.

use crate::resize::Extent;

/// Markers, from table B.1.
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;
const PROGRESSIVE: u8 = 0xc2;
/// Bytes of a component in the frame header.
const COMPONENT: usize = 3;

/// What the frame header says, and how the scans go through it.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) size: Extent,
    /// Bits per channel.
    pub(super) precision: u8,
    /// The marker of the frame header, which tells the coding process.
    pub(super) process: u8,
    /// Channels in the file.
    components: u8,
    pub(super) layout: Layout,
}

/// How the channels lie in the file.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Layout {
    /// As nearly all writers put them.
    Usual,
    /// The channels of a sequential file follow each other in scans of their own, or another
    /// channel than the first is the finest, or sizes are no powers of two.
    Rare,
}

impl Frame {
    fn parse(process: u8, body: &[u8]) -> Option<Frame> {
        let &[precision, h1, h0, w1, w0, components, ref sampling @ ..] = body else {
            return None;
        };
        let (height, width) = (u16::from_be_bytes([h1, h0]), u16::from_be_bytes([w1, w0]));
        let size = Extent {
            width: width.into(),
            height: height.into(),
        };
        let layout = match is_usual(sampling.as_chunks().0) {
            true => Layout::Usual,
            false => Layout::Rare,
        };
        Some(Frame {
            size,
            precision,
            process,
            components,
            layout,
        })
    }

    /// What kind of JPEG this is, if it is one that is not read.
    pub(super) fn unread_kind(&self) -> Option<String> {
        match self.process {
            _ if self.precision != 8 => Some(format!("{}-bit JPEG", self.precision)),
            0xc0..=0xc2 => None,
            0xc3 => Some("lossless JPEG".to_owned()),
            0xc5..=0xc7 => Some("hierarchical JPEG".to_owned()),
            _ => Some("arithmetic-coded JPEG".to_owned()),
        }
    }
}

/// Whether the first channel is the finest, by factors that are powers of two. Of each channel
/// these are the number, the factors across and down in half a byte each, and the table.
fn is_usual(sampling: &[[u8; COMPONENT]]) -> bool {
    let factors = |component: &[u8; COMPONENT]| (component[1] >> 4, component[1] & 15);
    let finest = sampling.first().map(factors).unwrap_or_default();
    sampling.iter().map(factors).all(|(across, down)| {
        across <= finest.0 && down <= finest.1 && across.is_power_of_two() && down.is_power_of_two()
    })
}

/// Walks all markers up to the end of the image; what is missing if that never comes.
pub(super) fn walk(bytes: &[u8]) -> Result<Option<Frame>, &'static str> {
    let mut at = 2;
    let mut frame: Option<Frame> = None;
    loop {
        let marker = next_marker(bytes, &mut at).ok_or("the end marker is missing")?;
        if marker == END_OF_IMAGE {
            return Ok(frame);
        }
        if matches!(marker, 0x01 | 0xd0..=0xd8) {
            continue; // these have no body
        }
        let body = segment(bytes, &mut at).ok_or("a segment is cut short")?;
        match (marker, &mut frame) {
            (START_OF_SCAN, None) => return Ok(None),
            (START_OF_SCAN, Some(frame)) => {
                let interleaved = body.first() == Some(&frame.components);
                if !interleaved && frame.process != PROGRESSIVE {
                    frame.layout = Layout::Rare;
                }
            }
            (_, None) if is_frame_header(marker) => {
                frame = Some(Frame::parse(marker, body).ok_or("the frame header is cut short")?);
            }
            _ => {}
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
