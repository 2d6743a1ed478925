//! MD5 and SHA-256 of a file, and whether they are what the table says.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::error::{Result, file};
use crate::job::Job;

/// What a file should be, as far as its publisher says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected<'a> {
    /// MD5 in hexadecimal.
    pub md5: Option<&'a str>,
    /// SHA-256 in hexadecimal.
    pub sha256: Option<&'a str>,
    /// The first digits of the SHA-256, where only they are published.
    pub sha256_prefix: Option<&'a str>,
    /// SHA-256 that this project wrote down when it first had the file.
    pub locked: Option<&'a str>,
}

impl Expected<'_> {
    /// Whether the publisher says anything.
    pub(crate) fn is_published(&self) -> bool {
        self.md5.is_some() || self.sha256.is_some() || self.sha256_prefix.is_some()
    }
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// MD5 in lowercase hexadecimal.
    pub md5: String,
    /// SHA-256 in lowercase hexadecimal.
    pub sha256: String,
    /// Length of the file.
    pub bytes: u64,
}

impl Digests {
    /// Reads the file at `path` once, as a stage of `job`.
    ///
    /// # Errors
    /// If it cannot be read, or the run is asked to stop.
    pub fn of(path: &Path, job: &Job) -> Result<Self> {
        let total = fs::metadata(path).ok().map(|there| there.len());
        job.meter.begin("verifying", total, 0);
        let digests = Self::watched(path, &|bytes| job.at(bytes));
        job.meter.end();
        digests
    }

    /// Reads the file at `path` once; `at` gets the number of bytes read, and may stop it.
    ///
    /// # Errors
    /// If it cannot be read, and those of `at`.
    pub(crate) fn watched(path: &Path, at: &dyn Fn(u64) -> Result<()>) -> Result<Self> {
        let mut opened = File::open(path).map_err(file("read", path))?;
        let (mut md5, mut sha256) = (Md5::new(), Sha256::new());
        let mut buffer = vec![0; 1 << 16];
        let mut bytes = 0;
        loop {
            at(bytes)?;
            let length = opened.read(&mut buffer).map_err(file("read", path))?;
            if length == 0 {
                break;
            }
            let came = buffer.get(..length).unwrap_or_default();
            bytes += length as u64;
            md5.update(came);
            sha256.update(came);
        }
        Ok(Self {
            md5: hexadecimal(&md5.finalize()),
            sha256: hexadecimal(&sha256.finalize()),
            bytes,
        })
    }

    /// What differs from `expected`, in words; `None` if nothing does.
    pub fn objection(&self, expected: &Expected<'_>) -> Option<String> {
        let published = [
            ("SHA-256", &self.sha256, expected.sha256),
            ("MD5", &self.md5, expected.md5),
        ];
        let wrong = published.into_iter().find_map(|(name, found, expected)| {
            let expected = expected?;
            let differs = !found.eq_ignore_ascii_case(expected);
            differs.then(|| format!("wrong checksum: expected {name} {expected}, found {found}"))
        });
        wrong
            .or_else(|| self.prefix_objection(expected.sha256_prefix?))
            .or_else(|| self.lock_objection(expected.locked?))
    }

    fn prefix_objection(&self, prefix: &str) -> Option<String> {
        let found = &self.sha256;
        let start = found.get(..prefix.len()).unwrap_or(found);
        let differs = !start.eq_ignore_ascii_case(prefix);
        differs.then(|| {
            format!("wrong checksum: expected a SHA-256 that begins with {prefix}, found {found}")
        })
    }

    fn lock_objection(&self, locked: &str) -> Option<String> {
        let found = &self.sha256;
        let differs = !found.eq_ignore_ascii_case(locked);
        differs.then(|| {
            format!(
                "wrong checksum: expected SHA-256 {locked} as LOCK.json has it, found {found}; if its publisher \
                 is known to have replaced the file, remove its entry from LOCK.json"
            )
        })
    }
}

/// `bytes` in lowercase hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::error::Error;

    // RFC 1321, appendix A.5, and FIPS 180-2, appendix B.1: the digests of "abc".
    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn reading_ends_when_stop_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        std::fs::write(&path, vec![0; 1 << 18]).unwrap();
        let job = Job::default();
        let seen = Cell::new(0);
        let at = |bytes| {
            seen.set(bytes);
            job.stop.request();
            job.at(bytes)
        };
        let error = Digests::watched(&path, &at).unwrap_err();
        assert!(matches!(error, Error::Interrupted));
        assert_eq!(seen.get(), 0);
        let error = Digests::of(&path, &job).unwrap_err();
        assert!(matches!(error, Error::Interrupted));
    }

    #[test]
    fn digests_are_the_published_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let digests = Digests::of(&path, &Job::default()).unwrap();
        assert_eq!(
            (digests.md5.as_str(), digests.sha256.as_str(), digests.bytes),
            (MD5, SHA256, 3)
        );
        assert_eq!(
            digests.objection(&Expected {
                md5: Some(&MD5.to_uppercase()),
                sha256: Some(SHA256),
                sha256_prefix: Some("BA7816bf"),
                locked: Some(SHA256),
            }),
            None
        );
        assert_eq!(digests.objection(&Expected::default()), None);
        let wrong = digests
            .objection(&Expected {
                md5: Some("00"),
                locked: Some("11"),
                ..Expected::default()
            })
            .unwrap();
        assert_eq!(
            wrong,
            format!("wrong checksum: expected MD5 00, found {MD5}")
        );
        let prefix = Expected {
            sha256_prefix: Some("ba7816be"),
            ..Expected::default()
        };
        let wrong = digests.objection(&prefix).unwrap();
        assert!(
            wrong.contains("begins with ba7816be, found ba78"),
            "{wrong}"
        );
        let locked = Expected {
            locked: Some("00"),
            ..Expected::default()
        };
        let wrong = digests.objection(&locked).unwrap();
        assert!(
            wrong.contains(&format!(
                "expected SHA-256 00 as LOCK.json has it, found {SHA256}"
            )),
            "{wrong}"
        );
    }
}
