//! SHA-256 digests: identity is content, never a path.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use rut_formats::regular;
use rut_images::Picture;
use sha2::{Digest as _, Sha256};

use crate::{Error, Result};

/// A SHA-256 digest; shown and parsed as 64 hexadecimal digits, shown in lowercase.
///
/// ```
/// let digest = rut_data::Digest::of_bytes(b"abc");
/// assert_eq!(digest.short(), "ba7816bf8f01");
/// assert_eq!(digest.to_string().parse::<rut_data::Digest>()?, digest);
/// # Ok::<(), rut_data::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

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

    /// The digest of a picture: of mode, size, palette and pixels, or the bits of real values.
    #[must_use]
    pub fn of_picture(picture: &Picture) -> Digest {
        let (mode, width, height) = (picture.mode(), picture.width(), picture.height());
        let mut bytes = format!("rut picture 1 {mode:?} {width} {height}\0").into_bytes();
        bytes.extend(picture.palette().as_flattened());
        bytes.extend(picture.pixels());
        let values = picture.values().iter();
        bytes.extend(values.flat_map(|value| value.to_le_bytes()));
        Digest::of_bytes(&bytes)
    }

    /// The digest of these bytes, one part after the other.
    #[must_use]
    pub(crate) fn of_parts(parts: &[&[u8]]) -> Digest {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        Digest(hash.finalize().into())
    }

    /// The digest of a file's bytes, read in pieces.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read.
    pub fn of_file(path: impl AsRef<Path>) -> Result<Digest> {
        Digest::of_file_within(path.as_ref(), regular::WEIGHTS)
    }

    /// As [`Digest::of_file`], of a file of at most `cap` bytes.
    pub(crate) fn of_file_within(path: &Path, cap: u64) -> Result<Digest> {
        let file = regular::open(path, cap).map_err(Error::io(path))?;
        let length = file.metadata().map_err(Error::io(path))?.len();
        let mut reader = file.take(length);
        let mut hash = Sha256::new();
        let mut piece = vec![0; 1 << 16];
        loop {
            match reader.read(&mut piece).map_err(Error::io(path))? {
                0 => return Ok(Digest(hash.finalize().into())),
                n => hash.update(&piece[..n]),
            }
        }
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
    type Err = Error;

    fn from_str(text: &str) -> Result<Digest> {
        parse_hex(text).map(Digest).ok_or_else(|| Error::BadDigest {
            text: text.to_owned(),
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
