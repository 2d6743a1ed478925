//! The markers of a JPEG file (ITU-T T.81, annex B), walked without decoding anything.

use super::colours::{Colours, Markers};
use crate::Extent;

/// Markers, from table B.1.
const START_OF_IMAGE: u8 = 0xd8;
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;
const HUFFMAN_TABLES: u8 = 0xc4;
const QUANTISATION_TABLES: u8 = 0xdb;
const RESTART_INTERVAL: u8 = 0xdd;
const PROGRESSIVE: u8 = 0xc2;
/// Each scan goes through the whole image, however little it adds; writers make about ten.
const MAX_SCANS: usize = 100;
/// Bytes of a component in the frame header.
const COMPONENT: usize = 3;
/// Bytes of a component in the header of a scan.
const SELECTOR: usize = 2;
/// The beginning of every plain file: the image, and the colours in a marker of Adobe's, whose last byte is the transform.
const PLAIN_START: &[u8] = b"\xff\xd8\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0";

/// What the frame header says, and how the scans go through it.
pub(super) struct Frame {
    pub(super) size: Extent,
    /// Bits per channel.
    precision: u8,
    /// The marker of the frame header, which gives the coding process.
    process: u8,
    /// The number by which scans call each channel.
    ids: Vec<u8>,
    pub(super) layout: Layout,
    /// Samples of all channels, whole blocks of them.
    samples: u64,
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
        let sampling = sampling.as_chunks::<COMPONENT>().0;
        if sampling.len() != usize::from(components) {
            return None;
        }
        let (height, width) = (u16::from_be_bytes([h1, h0]), u16::from_be_bytes([w1, w0]));
        let size = Extent {
            width: width.into(),
            height: height.into(),
        };
        let layout = if is_usual(sampling) {
            Layout::Usual
        } else {
            Layout::Rare
        };
        Some(Frame {
            size,
            precision,
            process,
            ids: sampling.iter().map(|component| component[0]).collect(),
            layout,
            samples: samples(size, sampling),
        })
    }

    /// Bytes that the decoders keep at a time: the result, of a progressive file a coefficient in two bytes for each
    /// sample, and of a rare one the samples themselves.
    pub(super) fn decoding_bytes(&self) -> u64 {
        let result = self.size.pixels() as u64 * self.ids.len() as u64;
        let coefficients = match self.process {
            PROGRESSIVE => 2 * self.samples,
            _ => 0,
        };
        match self.layout {
            Layout::Usual => result + coefficients,
            Layout::Rare => result + coefficients + self.samples,
        }
    }

    fn unread_kind(&self) -> Option<String> {
        match self.process {
            _ if self.precision != 8 => Some(format!("{}-bit JPEG", self.precision)),
            0xc0..=0xc2 => None,
            0xc3 => Some("lossless JPEG".to_owned()),
            0xc5..=0xc7 => Some("hierarchical JPEG".to_owned()),
            _ => Some("arithmetic-coded JPEG".to_owned()),
        }
    }

    /// Takes note of a scan through these channels.
    fn scan(&mut self, channels: &[u8]) {
        if channels.len() != self.ids.len() && self.process != PROGRESSIVE {
            self.layout = Layout::Rare;
        }
    }

    /// The channels that the header of a scan names, counted from 0. Where several have one number, they are meant in
    /// their order, as in libjpeg; nothing if it names one that is not there.
    fn channels(&self, body: &[u8]) -> Option<Vec<u8>> {
        let (&count, selectors) = body.split_first()?;
        let named = selectors.chunks_exact(SELECTOR).take(count.into());
        let mut channels = Vec::new();
        for selector in named {
            let free =
                |at: &u8| !channels.contains(at) && self.ids[usize::from(*at)] == selector[0];
            channels.push((0..self.ids.len() as u8).find(free)?);
        }
        (channels.len() == usize::from(count)).then_some(channels)
    }
}

/// Samples of all channels of an image of `size`, in the blocks that their factors ask for.
fn samples(size: Extent, sampling: &[[u8; COMPONENT]]) -> u64 {
    let factors =
        |component: &[u8; COMPONENT]| (u64::from(component[1] >> 4), u64::from(component[1] & 15));
    let (mut across, mut down) = (1, 1);
    for (x, y) in sampling.iter().map(factors) {
        (across, down) = (across.max(x), down.max(y));
    }
    let units =
        u64::from(size.width).div_ceil(8 * across) * u64::from(size.height).div_ceil(8 * down);
    sampling
        .iter()
        .map(factors)
        .map(|(x, y)| units * 64 * x * y)
        .sum()
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

/// A file as a walk through its markers found it.
pub(super) struct Walk {
    pub(super) frame: Frame,
    /// Nothing where there are two channels, or more than four.
    pub(super) colours: Option<Colours>,
    /// The same image with nothing in it on which decoders disagree: channels are numbered from 1, a marker of Adobe's
    /// says in which colours they are, and what is no part of the pixels is gone.
    pub(super) plain: Vec<u8>,
}

impl Walk {
    /// What kind of JPEG this is, if it is one that is not read.
    pub(super) fn unread_kind(&self) -> Option<String> {
        let channels = || format!("JPEG of {} channels", self.frame.ids.len());
        let of_frame = self.frame.unread_kind();
        of_frame.or_else(|| self.colours.is_none().then(channels))
    }
}

/// Walks all markers up to the end of the image; what is wrong, if that never comes or there is no image.
pub(super) fn walk(bytes: &[u8]) -> Result<Walk, Fault> {
    let mut walker = Walker {
        plain: Vec::with_capacity(PLAIN_START.len() + bytes.len()),
        markers: Markers::default(),
        frame: None,
        colours: None,
        scans: 0,
    };
    walker.plain.extend(PLAIN_START);
    let mut at = START;
    loop {
        let before = at;
        let marker =
            next_marker(bytes, &mut at).ok_or(Fault::Truncated("the end marker is missing"))?;
        if walker.scans > 0 {
            walker.plain.extend(&bytes[before..marker.at]);
        }
        match marker.code {
            END_OF_IMAGE => return walker.finish(),
            // These have no body.
            code @ 0xd0..=0xd7 => walker.plain.extend([0xff, code]),
            0x01 | START_OF_IMAGE => {}
            code => {
                let body =
                    segment(bytes, &mut at).ok_or(Fault::Truncated("a segment is cut short"))?;
                walker.segment(code, body)?;
            }
        }
    }
}

/// Where the first segment is: behind the start of the image.
const START: usize = 2;

/// What is wrong with a file.
pub(super) enum Fault {
    Truncated(&'static str),
    Damaged(&'static str),
}

/// What a walk has found so far.
struct Walker {
    plain: Vec<u8>,
    markers: Markers,
    frame: Option<Frame>,
    colours: Option<Colours>,
    scans: usize,
}

impl Walker {
    fn segment(&mut self, marker: u8, body: &[u8]) -> Result<(), Fault> {
        match marker {
            START_OF_SCAN => self.scan(body),
            HUFFMAN_TABLES | QUANTISATION_TABLES | RESTART_INTERVAL => {
                self.keep(marker, body);
                Ok(())
            }
            _ if is_frame_header(marker) => self.frame(marker, body),
            _ => {
                self.markers.see(marker, body);
                Ok(())
            }
        }
    }

    fn frame(&mut self, marker: u8, body: &[u8]) -> Result<(), Fault> {
        if self.frame.is_some() {
            return Err(Fault::Damaged("it has two frame headers"));
        }
        let frame =
            Frame::parse(marker, body).ok_or(Fault::Truncated("the frame header is cut short"))?;
        let at = self.keep(marker, body) + body.len() - frame.ids.len() * COMPONENT;
        for (number, component) in (1..).zip(self.plain[at..].chunks_exact_mut(COMPONENT)) {
            component[0] = number;
        }
        self.frame = Some(frame);
        Ok(())
    }

    fn scan(&mut self, body: &[u8]) -> Result<(), Fault> {
        let frame = self.frame.as_mut().ok_or(NO_FRAME)?;
        let channels = frame.channels(body).ok_or(Fault::Damaged(
            "a scan names a channel that its frame does not have",
        ))?;
        frame.scan(&channels);
        if self.scans == 0 {
            self.colours = self.markers.colours(&frame.ids);
        }
        self.scans += 1;
        if self.scans > MAX_SCANS {
            return Err(Fault::Damaged("it has more scans than any image needs"));
        }
        let at = self.keep(START_OF_SCAN, body) + 1;
        for (channel, selector) in channels
            .iter()
            .zip(self.plain[at..].chunks_exact_mut(SELECTOR))
        {
            selector[0] = channel + 1;
        }
        Ok(())
    }

    /// Adds a segment to the plain file; where its body begins.
    fn keep(&mut self, marker: u8, body: &[u8]) -> usize {
        self.plain.extend([0xff, marker]);
        self.plain.extend((body.len() as u16 + 2).to_be_bytes());
        self.plain.extend(body);
        self.plain.len() - body.len()
    }

    fn finish(mut self) -> Result<Walk, Fault> {
        let frame = self.frame.ok_or(NO_FRAME)?;
        self.plain.extend([0xff, END_OF_IMAGE]);
        if let Some(transform) = self.colours.and_then(Colours::adobe_transform) {
            self.plain[PLAIN_START.len() - 1] = transform;
        }
        Ok(Walk {
            frame,
            colours: self.colours,
            plain: self.plain,
        })
    }
}

const NO_FRAME: Fault = Fault::Damaged("it has no frame header");

/// A marker in the file.
struct Marker {
    /// Where its first byte is.
    at: usize,
    code: u8,
}

/// The next marker at or after `at`, which moves behind it. Coded data holds `ff 00` for a byte
/// 255 and is skipped like anything else that is no marker.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<Marker> {
    loop {
        let start = *at + bytes.get(*at..)?.iter().position(|&byte| byte == 0xff)?;
        let code = start + bytes[start..].iter().position(|&byte| byte != 0xff)?;
        *at = code + 1;
        if bytes[code] != 0 {
            return Some(Marker {
                at: start,
                code: bytes[code],
            });
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
