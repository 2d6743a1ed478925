//! Checksums that show whether a file is what was written: XXH3 of 128 bits, which takes almost no time. They find
//! bits that changed, and prove nothing against a person; identity is SHA-256 (`rut_data::Digest`).

use std::io::{Read, Result};
use std::path::Path;

use twox_hash::XxHash3_128;

use crate::regular;

/// The checksum of bytes that come piece by piece.
///
/// ```
/// use rut_formats::checksum::Checksum;
/// let mut checksum = Checksum::default();
/// checksum.update(b"a");
/// checksum.update(b"bc");
/// assert_eq!(checksum.digits(), Checksum::of_bytes(b"abc").digits());
/// assert_eq!(checksum.digits(), "06b05ab6733a618578af5f94892f3950");
/// ```
#[derive(Default)]
pub struct Checksum(XxHash3_128);

impl Checksum {
    /// Of these bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut checksum = Self::default();
        checksum.update(bytes);
        checksum
    }

    /// Of a file's bytes, read in pieces.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of_file(path: &Path) -> Result<Self> {
        let mut checksum = Self::default();
        checksum.read(&mut regular::open(path, regular::ARCHIVE)?)?;
        Ok(checksum)
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// Takes all bytes that `from` has; gives how many.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn read(&mut self, from: &mut impl Read) -> Result<u64> {
        let (mut piece, mut length) = (vec![0; 1 << 16], 0);
        loop {
            match from.read(&mut piece)? {
                0 => return Ok(length),
                count => {
                    self.update(piece.get(..count).unwrap_or_default());
                    length += count as u64;
                }
            }
        }
    }

    /// 32 hexadecimal digits, of all that came so far.
    pub fn digits(&self) -> String {
        format!("{:032x}", self.0.finish_128())
    }
}

impl std::fmt::Debug for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Checksum({})", self.digits())
    }
}
