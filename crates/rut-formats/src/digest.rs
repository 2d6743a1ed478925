//! SHA-256 digests: identity is content, never a path.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::{Fault, escape, regular};

/// A SHA-256 digest; shown and parsed as 64 hexadecimal digits, shown in lowercase.
///
/// ```
/// let digest = rut_formats::Digest::of_bytes(b"abc");
/// assert_eq!(digest.short(), "ba7816bf8f01");
/// assert_eq!(digest.to_string().parse::<rut_formats::Digest>()?, digest);
/// # Ok::<(), rut_formats::Fault>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// Bytes that are hashed at a time.
const PIECE: usize = 1 << 16;

impl Digest {
    /// The digest with these 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Digest {
        Digest(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digest of these bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// The digest of these bytes, one part after the other.
    #[must_use]
    pub fn of_parts(parts: &[&[u8]]) -> Digest {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        Digest(hash.finalize().into())
    }

    /// The digest of all bytes that `from` has, read in pieces.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn of_reader(mut from: impl Read) -> io::Result<Digest> {
        let mut hash = Sha256::new();
        let mut piece = vec![0; PIECE];
        loop {
            match from.read(&mut piece) {
                Ok(0) => return Ok(Digest(hash.finalize().into())),
                Ok(read) => hash.update(&piece[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The digest of a file's bytes.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn of_file(path: impl AsRef<Path>) -> io::Result<Digest> {
        Digest::of_file_within(path.as_ref(), regular::WEIGHTS)
    }

    /// As [`Digest::of_file`], of a file of at most `cap` bytes.
    ///
    /// # Errors
    /// If the file cannot be read, or is longer.
    pub fn of_file_within(path: &Path, cap: u64) -> io::Result<Digest> {
        let file = regular::open(path, cap)?;
        let length = file.metadata()?.len();
        Digest::of_reader(file.take(length))
    }

    /// The first 12 hexadecimal digits: enough to name a folder by.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Digest, Fault> {
        parse_hex(text).map(Digest).ok_or_else(|| {
            let found = format!("'{}'", escape(text));
            Fault::new("digest", "64 hexadecimal digits", found)
        })
    }
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_sha_256() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of_bytes(b"").to_string(), empty);
        let upper: Digest = empty.to_uppercase().parse().unwrap();
        assert_eq!(upper, Digest::of_bytes(b""));
        let fault = "e3b0".parse::<Digest>().unwrap_err().to_string();
        assert_eq!(
            fault,
            "digest: expected 64 hexadecimal digits, found 'e3b0'"
        );
        assert!(Digest::of_file("no such file").is_err());
    }
}
