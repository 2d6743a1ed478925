//! Encoded pages to bytes. No memory is taken by what a header says: how long a page becomes is counted in the encoded bytes
//! first, or the page grows as it is decoded and ends where the header says.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use parquet::basic::Compression;

/// What is read, in messages.
pub const ENCODINGS: &str = "pages as they are or encoded by SNAPPY, GZIP, LZ4 or ZSTD";

/// Whether this build reads pages of this encoding.
pub(super) fn is_read(compression: Compression) -> bool {
    match compression {
        Compression::UNCOMPRESSED
        | Compression::SNAPPY
        | Compression::GZIP(_)
        | Compression::LZ4
        | Compression::LZ4_RAW => true,
        Compression::ZSTD(_) => cfg!(feature = "zstd"),
        Compression::LZO | Compression::BROTLI(_) => false,
    }
}

/// The `size` bytes that `stored` stands for; what is wrong, if it does not.
pub(super) fn decode(
    compression: Compression,
    stored: &[u8],
    size: usize,
) -> Result<Vec<u8>, String> {
    let decoded = match compression {
        // A page without values may be stored as nothing.
        _ if stored.is_empty() && size == 0 => Ok(Vec::new()),
        Compression::SNAPPY => snappy(stored, size),
        Compression::LZ4_RAW => lz4_block(stored, size),
        Compression::LZ4 => lz4(stored, size),
        Compression::GZIP(_) => grown(MultiGzDecoder::new(stored), size),
        Compression::ZSTD(_) => zstd(stored, size),
        _ => return Err(format!("pages encoded by {compression}")),
    };
    let decoded = decoded?;
    if decoded.len() == size {
        Ok(decoded)
    } else {
        Err(format!(
            "a page that becomes {} bytes or more, not {size} as its header says",
            decoded.len().min(size + 1)
        ))
    }
}

/// What `reader` gives, up to one byte more than `size`.
fn grown(reader: impl Read, size: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut reader = reader.take(size as u64 + 1);
    match reader.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(error.to_string()),
    }
}

/// Room for `size` bytes, if that is what the encoded bytes come to.
fn room(counted: Option<usize>, size: usize) -> Result<Vec<u8>, String> {
    match counted {
        Some(counted) if counted == size => Ok(vec![0; size]),
        Some(counted) => Err(format!(
            "a page that becomes {counted} bytes, not {size} as its header says"
        )),
        None => Err("a page that is cut short".to_owned()),
    }
}

fn snappy(stored: &[u8], size: usize) -> Result<Vec<u8>, String> {
    let mut bytes = room(snappy_length(stored), size)?;
    let decoded = snap::raw::Decoder::new().decompress(stored, &mut bytes);
    decoded.map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Bytes that a block of Snappy becomes (`format_description.txt` of Snappy).
fn snappy_length(stored: &[u8]) -> Option<usize> {
    let preamble = stored.iter().position(|byte| *byte < 0x80)?;
    let mut rest = stored.get(preamble + 1..)?;
    let mut length = 0usize;
    while let Some((&tag, after)) = rest.split_first() {
        let short = usize::from(tag >> 2);
        let (bytes, skipped) = match tag & 3 {
            0 if short < 60 => (short + 1, short + 1),
            0 => {
                let width = short - 59;
                let little = after.get(..width)?.iter().rev();
                let count = little.fold(0usize, |count, &byte| count << 8 | usize::from(byte)) + 1;
                (count, width.checked_add(count)?)
            }
            1 => (4 + (short & 7), 1),
            2 => (short + 1, 2),
            _ => (short + 1, 4),
        };
        rest = after.get(skipped..)?;
        length = length.checked_add(bytes)?;
    }
    Some(length)
}

fn lz4_block(stored: &[u8], size: usize) -> Result<Vec<u8>, String> {
    let mut bytes = room(lz4_length(stored), size)?;
    let decoded = lz4_flex::block::decompress_into(stored, &mut bytes);
    decoded.map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Bytes that a block of LZ4 becomes (`lz4_Block_format.md` of LZ4).
fn lz4_length(stored: &[u8]) -> Option<usize> {
    /// A length of four bits, and of the bytes that go on where these are full.
    fn long(short: u8, mut rest: &[u8]) -> Option<(usize, &[u8])> {
        let mut length = usize::from(short);
        let mut goes_on = short == 15;
        while goes_on {
            let (&more, after) = rest.split_first()?;
            rest = after;
            length = length.checked_add(usize::from(more))?;
            goes_on = more == 255;
        }
        Some((length, rest))
    }
    let (mut rest, mut length) = (stored, 0usize);
    while let Some((&token, after)) = rest.split_first() {
        let (literals, after) = long(token >> 4, after)?;
        rest = after.get(literals..)?;
        length = length.checked_add(literals)?;
        // The last sequence has only literals.
        if rest.is_empty() {
            break;
        }
        let (copied, after) = long(token & 15, rest.get(2..)?)?;
        rest = after;
        length = length.checked_add(copied)?.checked_add(4)?;
    }
    Some(length)
}

/// What the format calls LZ4 is framed as Hadoop does it; early writers framed it as LZ4 does, or not at all.
fn lz4(stored: &[u8], size: usize) -> Result<Vec<u8>, String> {
    if let Some(bytes) = lz4_hadoop(stored, size) {
        return Ok(bytes);
    }
    let framed = grown(lz4_flex::frame::FrameDecoder::new(stored), size);
    match framed {
        Ok(bytes) if bytes.len() == size => Ok(bytes),
        _ => lz4_block(stored, size),
    }
}

/// Blocks, each with its decoded and its stored length before it, in four bytes, the highest first.
fn lz4_hadoop(stored: &[u8], size: usize) -> Option<Vec<u8>> {
    let (mut rest, mut blocks, mut total) = (stored, Vec::new(), 0usize);
    while !rest.is_empty() {
        let number = |at: usize| {
            let bytes = rest.get(at..at + 4)?.try_into().ok()?;
            usize::try_from(u32::from_be_bytes(bytes)).ok()
        };
        let (decoded, length) = (number(0)?, number(4)?);
        let block = rest.get(8..)?.get(..length)?;
        total = total.checked_add(decoded).filter(|total| *total <= size)?;
        if lz4_length(block)? != decoded {
            return None;
        }
        blocks.push((block, decoded));
        rest = rest.get(8 + length..)?;
    }
    let mut bytes = Vec::with_capacity(total);
    for (block, decoded) in blocks {
        bytes.extend(lz4_block(block, decoded).ok()?);
    }
    (bytes.len() == size).then_some(bytes)
}

/// Frames, one after the other.
#[cfg(feature = "zstd")]
fn zstd(mut stored: &[u8], size: usize) -> Result<Vec<u8>, String> {
    use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
    use ruzstd::decoding::{DEFAULT_MAX_WINDOW_SIZE, StreamingDecoder};

    let mut bytes = Vec::new();
    while !stored.is_empty() && bytes.len() <= size {
        let window = DEFAULT_MAX_WINDOW_SIZE.max(size as u64);
        match StreamingDecoder::new_with_max_window_size(&mut stored, window) {
            Ok(frame) => bytes.append(&mut grown(frame, size - bytes.len())?),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let length = usize::try_from(length).ok();
                let rest = length.and_then(|length| stored.get(length..));
                stored = rest.ok_or("a frame that is cut short")?;
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(bytes)
}

#[cfg(not(feature = "zstd"))]
fn zstd(_: &[u8], _: usize) -> Result<Vec<u8>, String> {
    Err("pages encoded by ZSTD, which this build does not read".to_owned())
}

#[cfg(test)]
mod tests;
