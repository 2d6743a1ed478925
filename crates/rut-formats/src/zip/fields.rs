//! Little-endian numbers and reads at a place, with faults in place of errors.

use std::io::{self, Read, Seek, SeekFrom};

use crate::Fault;

/// The fault of a read that the operating system refused.
pub(crate) fn io<T>(result: io::Result<T>, place: &str) -> Result<T, Fault> {
    result.map_err(|error| Fault::new(place, "bytes that can be read", error.to_string()))
}

/// `N` bytes at `at`.
pub(crate) fn read_at<const N: usize>(
    source: &mut (impl Read + Seek),
    at: u64,
) -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    let read = source
        .seek(SeekFrom::Start(at))
        .and_then(|_| source.read_exact(&mut bytes));
    io(read, &format!("byte {at}"))?;
    Ok(bytes)
}

/// The number of two bytes at `at`.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    number(bytes, at, 2) as u16
}

/// The number of four bytes at `at`.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    number(bytes, at, 4) as u32
}

/// The number of eight bytes at `at`.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    number(bytes, at, 8)
}

/// Bytes that are not there count as 0: callers look at what they have read.
fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let bytes = bytes.get(at..at + length).unwrap_or_default();
    let push = |number: u64, &byte: &u8| (number << 8) | u64::from(byte);
    bytes.iter().rev().fold(0, push)
}
