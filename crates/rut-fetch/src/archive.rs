//! The kinds of archive, by the ending of the name, and how much each declares to hold.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use zip::ZipArchive;

use crate::halt::Halt;

/// How a downloaded file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// tar, compressed by gzip.
    TarGz,
    /// tar.
    Tar,
    /// zip.
    Zip,
    /// Not at all: the file is the data.
    Plain,
}

impl Kind {
    /// The kind of a file called `name`.
    pub(crate) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if ends(&[".tar.gz", ".tgz"]) {
            Self::TarGz
        } else if ends(&[".tar"]) {
            Self::Tar
        } else if ends(&[".zip"]) {
            Self::Zip
        } else {
            Self::Plain
        }
    }

    /// Disk space that unpacking takes, in multiples of the archive's size, while nothing but its size is known: pictures
    /// hardly shrink. A plain file is linked.
    pub(crate) fn room(self) -> u64 {
        match self {
            Self::TarGz | Self::Zip => 2,
            Self::Tar => 1,
            Self::Plain => 0,
        }
    }

    /// Bytes that the archive at `path` says it unpacks to.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn declared(self, path: &Path) -> Result<u64, Halt> {
        let mut file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok(match self {
            Self::Plain => 0,
            Self::Tar => bytes,
            Self::TarGz => gzip_length(&mut file, bytes)?,
            Self::Zip => {
                let total = ZipArchive::new(BufReader::new(file))?.decompressed_size();
                total.map_or(bytes, |total| u64::try_from(total).unwrap_or(u64::MAX))
            }
        })
    }
}

/// The last four bytes of a gzip file are the length of what it holds modulo 2³² (RFC 1952, section 2.3.1): the smallest
/// such length that is not below the archive's own is taken, for what is packed hardly grows by packing.
fn gzip_length(file: &mut File, bytes: u64) -> std::io::Result<u64> {
    if bytes < 4 {
        return Ok(bytes);
    }
    let mut last = [0; 4];
    file.seek(SeekFrom::End(-4))?;
    file.read_exact(&mut last)?;
    let low = u64::from(u32::from_le_bytes(last));
    let above = bytes.saturating_sub(low).div_ceil(1 << 32);
    Ok(low.saturating_add(above << 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_say_what_they_hold() {
        let folder = tempfile::tempdir().unwrap();
        let declared = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            Kind::of(name).declared(&path).unwrap()
        };
        assert_eq!(declared("a.mat", b"12345"), 0);
        assert_eq!(declared("a.tar", b"12345"), 5);
        assert_eq!(declared("a.tar.gz", &[9, 9, 9, 9, 0, 1, 0, 0]), 256);
        assert_eq!(
            declared("a.tar.gz", &[9, 9, 9, 9, 7, 0, 0, 0]),
            (1 << 32) + 7
        );
        assert_eq!(declared("a.tgz", b"123"), 3);
    }

    #[test]
    fn endings_tell_kinds() {
        let kinds = ["a.tar.gz", "A.TGZ", "a.tar", "a.zip", "a.mat", "a.gz"].map(Kind::of);
        assert_eq!(
            kinds,
            [
                Kind::TarGz,
                Kind::TarGz,
                Kind::Tar,
                Kind::Zip,
                Kind::Plain,
                Kind::Plain
            ]
        );
    }
}
