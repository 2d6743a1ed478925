//! How long the header of a safetensors file may be. The file itself is read by the crate of that name.

/// The longest header of a small safetensors file; larger ones may have one of this share of them.
const LONGEST_HEADER: usize = 1 << 20;
const HEADER_SHARE: usize = 32;

/// Objects to a safetensors file whose header is longer than that of many tensors: what is made of it takes a multiple.
///
/// # Errors
/// The header's length, if it is too long. Whether the file is whole is not looked at.
pub fn check_header(bytes: &[u8]) -> Result<(), u64> {
    let most = LONGEST_HEADER + bytes.len() / HEADER_SHARE;
    match bytes.first_chunk().copied().map(u64::from_le_bytes) {
        Some(length) if length > most as u64 => Err(length),
        _ => Ok(()),
    }
}
