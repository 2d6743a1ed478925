//! GIF, its first frame, as Pillow opens it: the frame stands on the logical screen, which grows
//! where the frame reaches beyond it, and the palette is kept. A palette in which every colour is
//! the grey of its own index is no palette but grey. The transparent index is a colour like any
//! other; it fills what the frame leaves free.

use std::num::NonZeroU64;

use gif::{DecodeOptions, DecodingError, Frame, MemoryLimit};

use crate::{Error, Extent, MAX_PIXELS, Mode, Picture, Result};

/// First byte of a block, from the GIF89a specification.
const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2c;
const TRAILER: u8 = 0x3b;
/// Bytes before the global colour table.
const HEADER: usize = 13;

/// Decodes the first frame of a GIF file.
pub(crate) fn decode(bytes: &[u8]) -> Result<Picture> {
    let complete = reach_trailer(bytes);
    let failed = |error: DecodingError| match complete {
        Some(()) => damaged(error),
        None => truncated(),
    };
    let mut decoder = options().read_info(bytes).map_err(failed)?;
    let screen = (u32::from(decoder.width()), u32::from(decoder.height()));
    let global = decoder.global_palette().unwrap_or_default().to_vec();
    // The frame's pixels come later, so that its size is checked before memory is taken.
    let frame = decoder.next_frame_info().map_err(failed)?;
    let mut frame = frame.cloned().ok_or_else(|| damaged("it holds no frame"))?;
    let size = canvas(screen, &frame);
    size.check_decoding(Mode::Palette, 2 * size.pixels() as u64)?;
    complete.ok_or_else(truncated)?;
    let mut pixels = vec![0; usize::from(frame.width) * usize::from(frame.height)];
    decoder.read_into_buffer(&mut pixels).map_err(failed)?;
    let colours = frame.palette.take().unwrap_or(global);
    picture(compose(&frame, &pixels, size), size, &colours)
}

/// Only the sizes limit memory; they are checked apart. Unknown extensions are skipped.
fn options() -> DecodeOptions {
    let mut options = DecodeOptions::new();
    options.allow_unknown_blocks(true);
    options.set_memory_limit(
        NonZeroU64::new(MAX_PIXELS).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes),
    );
    options
}

/// The screen, as large as the frame needs it.
fn canvas(screen: (u32, u32), frame: &Frame<'_>) -> Extent {
    Extent {
        width: screen.0.max(u32::from(frame.left) + u32::from(frame.width)),
        height: screen.1.max(u32::from(frame.top) + u32::from(frame.height)),
    }
}

/// The frame's `pixels` `[frame.height, frame.width]` in their place on a screen of `size`.
fn compose(frame: &Frame<'_>, pixels: &[u8], size: Extent) -> Vec<u8> {
    let mut screen = vec![frame.transparent.unwrap_or(0); size.pixels()];
    let (left, width) = (usize::from(frame.left), usize::from(frame.width));
    let rows = screen.chunks_exact_mut(size.width as usize);
    let from = pixels.chunks_exact(width.max(1));
    for (row, from) in rows.skip(frame.top.into()).zip(from) {
        row[left..left + width].copy_from_slice(from);
    }
    screen
}

fn picture(indices: Vec<u8>, size: Extent, colours: &[u8]) -> Result<Picture> {
    let colours = colours.as_chunks::<3>().0;
    let grey = (0..=u8::MAX)
        .zip(colours)
        .all(|(value, colour)| *colour == [value; 3]);
    if grey {
        Picture::new(Mode::Grey, size, indices)
    } else {
        Picture::with_palette(size, indices, colours.to_vec())
    }
}

/// Something if the blocks reach to the trailer.
fn reach_trailer(bytes: &[u8]) -> Option<()> {
    let mut at = HEADER + table(*bytes.get(10)?);
    loop {
        match *bytes.get(at)? {
            TRAILER => return Some(()),
            EXTENSION => at += 2,
            // The separator, the descriptor of nine bytes, the colours and the code size.
            IMAGE => at += 11 + table(*bytes.get(at + 9)?),
            // What stands here is no GIF; the decoder says so.
            _ => return Some(()),
        }
        loop {
            let length = usize::from(*bytes.get(at)?);
            at += 1 + length;
            if length == 0 {
                break;
            }
        }
    }
}

/// Bytes of the colour table that follows a descriptor with these flags.
fn table(flags: u8) -> usize {
    match flags & 0x80 {
        0 => 0,
        _ => 3 << ((flags & 7) + 1),
    }
}

fn truncated() -> Error {
    Error::truncated("GIF", "the trailer is missing")
}

fn damaged(found: impl ToString) -> Error {
    Error::damaged("GIF", found)
}
