//! The file that a download grows in: `NAME.part` beside its final place, locked while it grows.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A growing file. What is in it survives the process, so that a later run goes on from there.
#[derive(Debug)]
pub(super) struct PartFile {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl PartFile {
    /// Opens or creates the part of the file that will be called `whole`.
    pub(super) fn open(whole: &Path) -> Result<Self> {
        let mut path = whole.as_os_str().to_owned();
        path.push(".part");
        let path = PathBuf::from(path);
        let open = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = open.with_context(|| format!("failed to write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another run is downloading {}", path.display()),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("failed to lock {}", path.display()));
            }
        }
        let bytes = file
            .seek(SeekFrom::End(0))
            .with_context(|| format!("failed to read {}", path.display()))?;
        Ok(Self { path, file, bytes })
    }

    /// Bytes so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where it grows.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds to the end.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all(bytes)
            .with_context(|| format!("failed to write {}", self.path.display()))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Drops what was there.
    pub(super) fn restart(&mut self) -> Result<()> {
        let mut empty = || -> std::io::Result<()> {
            self.file.set_len(0)?;
            self.file.rewind()
        };
        empty().with_context(|| format!("failed to write {}", self.path.display()))?;
        self.bytes = 0;
        Ok(())
    }

    /// Gives the file another name, once its bytes are on the disk.
    pub(super) fn rename(self, to: &Path) -> Result<()> {
        self.file
            .sync_all()
            .with_context(|| format!("failed to write {}", self.path.display()))?;
        drop(self.file);
        fs::rename(&self.path, to).with_context(|| {
            format!(
                "failed to rename {} to {}",
                self.path.display(),
                to.display()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_goes_on_where_it_ended_and_has_one_writer() {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join("a.zip");
        let mut part = PartFile::open(&whole).unwrap();
        part.append(b"abc").unwrap();
        let second = PartFile::open(&whole).unwrap_err().to_string();
        assert!(second.starts_with("another run is downloading"), "{second}");
        drop(part);
        let mut part = PartFile::open(&whole).unwrap();
        assert_eq!(part.bytes(), 3);
        part.append(b"def").unwrap();
        part.rename(&whole).unwrap();
        assert_eq!(fs::read(&whole).unwrap(), b"abcdef");
        assert!(!folder.path().join("a.zip.part").exists());
    }
}
