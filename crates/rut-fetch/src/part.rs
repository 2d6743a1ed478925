//! The file that a download grows in: `NAME.part` beside its final place, locked while it grows. Beside it stands, where
//! the server said so, which version of the file it is a part of.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result, file};
use crate::slot::with_ending;

/// A growing file. What is in it survives the process, so that a later run goes on from there.
#[derive(Debug)]
pub(crate) struct PartFile {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl PartFile {
    /// Opens or creates the part of the file that will be called `whole`.
    pub(crate) fn open(whole: &Path) -> Result<Self> {
        let path = with_ending(whole, ".part");
        let open = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut opened = open.map_err(file("write", &path))?;
        match opened.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let file = path.display().to_string();
                return Err(Error::Busy { file });
            }
            Err(TryLockError::Error(error)) => return Err(file("lock", &path)(error)),
        }
        let end = opened.seek(SeekFrom::End(0));
        let bytes = end.map_err(file("read", &path))?;
        Ok(Self {
            path,
            file: opened,
            bytes,
        })
    }

    /// Bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where it grows.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the server calls the version that this is a part of; see [`begin`](Self::begin).
    pub(crate) fn version(&self) -> Option<String> {
        let text = fs::read_to_string(self.version_path()).ok()?;
        let line = text.strip_suffix('\n')?;
        (!line.is_empty() && self.bytes > 0).then(|| line.to_owned())
    }

    /// Drops what was there: from now on it is a part of `version` (an `ETag` or `Last-Modified` header), if the server
    /// said one.
    pub(crate) fn begin(&mut self, version: Option<&str>) -> Result<()> {
        let mut empty = || -> std::io::Result<()> {
            self.file.set_len(0)?;
            self.file.rewind()?;
            match version {
                Some(version) => fs::write(self.version_path(), format!("{version}\n")),
                None => remove_if_there(&self.version_path()),
            }
        };
        empty().map_err(file("write", &self.path))?;
        self.bytes = 0;
        Ok(())
    }

    /// Adds to the end.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all(bytes)
            .map_err(file("write", &self.path))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Gives the file another name, once its bytes are on the disk. It is locked until it has that name: a process that opened it
    /// under the old one meanwhile could not write to it.
    pub(crate) fn rename(self, to: &Path) -> Result<()> {
        let rename = || -> std::io::Result<()> {
            self.file.sync_all()?;
            remove_if_there(&self.version_path())?;
            fs::rename(&self.path, to)
        };
        rename().map_err(file("rename a download to", to))
    }

    fn version_path(&self) -> PathBuf {
        with_ending(&self.path, ".version")
    }
}

fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
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
        assert!(second.contains("another run is fetching it"), "{second}");
        drop(part);
        let mut part = PartFile::open(&whole).unwrap();
        assert_eq!(part.bytes(), 3);
        part.append(b"def").unwrap();
        part.rename(&whole).unwrap();
        assert_eq!(fs::read(&whole).unwrap(), b"abcdef");
        assert!(!folder.path().join("a.zip.part").exists());
    }

    #[test]
    fn a_part_knows_what_it_is_a_part_of() {
        let folder = tempfile::tempdir().unwrap();
        let whole = folder.path().join("a.zip");
        let mut part = PartFile::open(&whole).unwrap();
        part.begin(Some("\"v1\"")).unwrap();
        assert_eq!(part.version(), None, "a part of nothing");
        part.append(b"abc").unwrap();
        drop(part);
        let mut part = PartFile::open(&whole).unwrap();
        assert_eq!(part.version().as_deref(), Some("\"v1\""));
        part.begin(None).unwrap();
        part.append(b"abc").unwrap();
        assert_eq!(part.version(), None);
        part.begin(Some("\"v2\"")).unwrap();
        part.rename(&whole).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
