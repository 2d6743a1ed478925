//! The first bytes of a MAT-file: which version it is, and which byte order.

use super::stream::ByteOrder;
use crate::Fault;

/// Bytes of the header; the first of them are a text of the program that wrote it.
pub(super) const LENGTH: usize = 128;
/// How HDF5 files begin, at the start or behind a header.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
/// The version's place, from the front.
const VERSION: usize = 124;

/// The byte order of a file of version 5 that begins with these bytes.
pub(super) fn byte_order(header: &[u8]) -> Result<ByteOrder, Fault> {
    let object = |found: &str| Err(Fault::new("header", "a MAT-file of version 5", found));
    let text = header.get(..4).unwrap_or_default();
    match header.get(VERSION..LENGTH) {
        _ if header.starts_with(HDF5) => object(VERSION_7_3),
        Some([0, 1, b'I', b'M']) => Ok(ByteOrder::Little),
        Some([1, 0, b'M', b'I']) => Ok(ByteOrder::Big),
        Some([0, 2, b'I', b'M'] | [2, 0, b'M', b'I']) => object(VERSION_7_3),
        _ if text.len() == 4 && text.contains(&0) => object(VERSION_4),
        Some(_) => object("another file; fetch it again"),
        None => object("fewer than 128 bytes; fetch the file again"),
    }
}

const VERSION_7_3: &str =
    "one of version 7.3 (HDF5); load it in MATLAB and save it with '-v7', or with scipy.io.savemat";
const VERSION_4: &str = "one of version 4, or no MAT-file; load it in MATLAB and save it with '-v7', or with scipy.io.savemat";
