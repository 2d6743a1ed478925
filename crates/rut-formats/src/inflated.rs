//! Arrays whose bytes are many, and compressed ones that declare how many they will be: nothing is believed that cannot be,
//! and memory is taken as bytes come.

use std::io::Read;

/// The most bytes that an array may have; that of the largest data set has 1.6 GB.
pub(crate) const MOST: u64 = 2 << 30;
/// Bytes that memory is taken for before any has come.
const PIECE: usize = 1 << 20;
/// The most that deflate packs into a byte (zlib, `zlib.h` and <https://zlib.net/zlib_tech.html>).
const MOST_PER_BYTE: u64 = 1032;
/// Bytes that an almost empty stream may unpack to.
const FREE: u64 = 1 << 10;

/// Objects to a declared size that is too large, or that so few bytes cannot unpack to.
pub(crate) fn check(size: u64, compressed: u64) -> Result<(), String> {
    let most = compressed
        .saturating_mul(MOST_PER_BYTE)
        .saturating_add(FREE);
    if size <= most.min(MOST) {
        Ok(())
    } else {
        Err(format!(
            "{size} declared for {compressed} compressed ones; the file is damaged or hostile"
        ))
    }
}

/// Reads exactly `size` bytes, which [`check`] let pass; what is wrong if that cannot be.
pub(crate) fn read(reader: impl Read, size: u64) -> Result<Vec<u8>, String> {
    // One byte more makes the reader compare the checksum, and shows what is too long.
    let mut reader = reader.take(size.saturating_add(1));
    let bytes = pieces(&mut reader, size)?;
    let more = reader
        .read(&mut [0])
        .map_err(|error| format!("damaged ones ({error}); fetch the file again"))?;
    match (bytes.len() as u64 == size, more) {
        (true, 0) => Ok(bytes),
        (true, _) => Err("more; the file is damaged".to_owned()),
        (false, _) => Err(format!("{}; fetch the file again", bytes.len())),
    }
}

/// Up to `size` bytes, fewer where the reader ends. Memory grows with what has come, whatever was declared.
pub(crate) fn pieces(reader: &mut dyn Read, size: u64) -> Result<Vec<u8>, String> {
    let too_many = |_| format!("more than there is memory for: {size}");
    let size = usize::try_from(size).map_err(too_many)?;
    let mut bytes = Vec::new();
    while bytes.len() < size {
        let piece = bytes.len().max(PIECE).min(size - bytes.len());
        bytes
            .try_reserve_exact(piece)
            .map_err(|_| format!("more than there is memory for: {size}"))?;
        let read = reader.take(piece as u64).read_to_end(&mut bytes);
        match read.map_err(|error| format!("damaged ones ({error}); fetch the file again"))? {
            read if read < piece => break,
            _ => {}
        }
    }
    Ok(bytes)
}
