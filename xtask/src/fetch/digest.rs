//! MD5 and SHA-256 of a file, and whether they are what the table says.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use md5::Md5;
use sha2::{Digest, Sha256};

/// What a file should be, as far as its publisher says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected<'a> {
    /// MD5 in hexadecimal.
    pub md5: Option<&'a str>,
    /// SHA-256 in hexadecimal.
    pub sha256: Option<&'a str>,
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// MD5 in lowercase hexadecimal.
    pub md5: String,
    /// SHA-256 in lowercase hexadecimal.
    pub sha256: String,
}

impl Digests {
    /// Reads the file at `path` once.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of(path: &Path) -> Result<Self> {
        let read = || -> std::io::Result<Self> {
            let mut file = File::open(path)?;
            let (mut md5, mut sha256) = (Md5::new(), Sha256::new());
            let mut buffer = vec![0; 1 << 16];
            loop {
                match file.read(&mut buffer)? {
                    0 => break,
                    length => {
                        md5.update(&buffer[..length]);
                        sha256.update(&buffer[..length]);
                    }
                }
            }
            Ok(Self {
                md5: hexadecimal(&md5.finalize()),
                sha256: hexadecimal(&sha256.finalize()),
            })
        };
        read().with_context(|| format!("failed to read {}", path.display()))
    }

    /// What differs from `expected`, in words; `None` if nothing does.
    pub fn objection(&self, expected: &Expected<'_>) -> Option<String> {
        let pairs = [
            ("SHA-256", &self.sha256, expected.sha256),
            ("MD5", &self.md5, expected.md5),
        ];
        pairs.into_iter().find_map(|(name, found, expected)| {
            let expected = expected?;
            let differs = !found.eq_ignore_ascii_case(expected);
            differs.then(|| format!("wrong checksum: expected {name} {expected}, found {found}"))
        })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 1321, appendix A.5, and FIPS 180-2, appendix B.1: the digests of "abc".
    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn digests_are_the_published_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let digests = Digests::of(&path).unwrap();
        assert_eq!(
            (digests.md5.as_str(), digests.sha256.as_str()),
            (MD5, SHA256)
        );
        assert_eq!(
            digests.objection(&Expected {
                md5: Some(&MD5.to_uppercase()),
                sha256: Some(SHA256)
            }),
            None
        );
        assert_eq!(digests.objection(&Expected::default()), None);
        let wrong = digests
            .objection(&Expected {
                md5: Some("00"),
                sha256: None,
            })
            .unwrap();
        assert_eq!(
            wrong,
            format!("wrong checksum: expected MD5 00, found {MD5}")
        );
    }
}
