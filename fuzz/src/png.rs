//! Checksums of PNG files: a fuzzer does not find them, and without them what stands in a chunk is not read.

/// What a PNG file begins with.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The same bytes; if they are a PNG file, with the checksum that each chunk should have.
pub fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if !bytes.starts_with(SIGNATURE) {
        return bytes;
    }
    let mut rest = &mut bytes[SIGNATURE.len()..];
    while let Some((length, chunk)) = rest.split_first_chunk_mut() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some((named, after)) = chunk.split_at_mut_checked(length.saturating_add(4)) else {
            break;
        };
        let Some((checksum, after)) = after.split_first_chunk_mut() else {
            break;
        };
        *checksum = crc32fast::hash(named).to_be_bytes();
        rest = after;
    }
    bytes
}
