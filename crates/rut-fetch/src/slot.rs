//! Where the files of one download stand: the file itself, and beside it its receipt, its lock and what is on its way.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result, file};

/// The folder, below the one that is filled, that holds downloads, receipts and what is on its way.
pub(crate) const STORE: &str = ".downloads";

/// The files of one download.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The file as its publisher has it.
    pub(crate) file: PathBuf,
    /// What was unpacked from it.
    pub(crate) receipt: PathBuf,
    /// Where it is unpacked before it is whole.
    pub(crate) staging: PathBuf,
    lock: PathBuf,
    placing: PathBuf,
}

impl Slot {
    /// Of the file called `name` below `folder`.
    pub(crate) fn of(folder: &Path, name: &str) -> Self {
        let store = folder.join(STORE);
        let file = store.join(name);
        Self {
            receipt: with_ending(&file, ".receipt"),
            staging: with_ending(&file, ".unpacking"),
            lock: store.join(format!(".{name}.lock")),
            placing: store.join(".placing"),
            file,
        }
    }

    /// Keeps other runs and threads away from the file until what is returned is dropped.
    ///
    /// # Errors
    /// If another one has it.
    pub(crate) fn lock(&self) -> Result<File> {
        let path = &self.lock;
        if let Some(store) = path.parent() {
            fs::create_dir_all(store).map_err(file("create", store))?;
        }
        let lock = open_lock(path)?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => {
                let name = self.file.file_name().unwrap_or_default();
                Err(Error::Busy {
                    file: name.display().to_string(),
                })
            }
            Err(TryLockError::Error(error)) => Err(file("lock", path)(error)),
        }
    }

    /// Waits until no other run or thread moves anything into the folder that is filled, and keeps them from it until what
    /// is returned is dropped.
    ///
    /// # Errors
    /// If the file that is locked for it cannot be written.
    pub(crate) fn wait_to_place(&self) -> Result<File> {
        let lock = open_lock(&self.placing)?;
        lock.lock().map_err(file("lock", &self.placing))?;
        Ok(lock)
    }

    /// Moves the file aside, and says where to.
    pub(crate) fn set_aside(&self) -> Result<PathBuf> {
        let aside = with_ending(&self.file, ".bad");
        fs::rename(&self.file, &aside).map_err(file("move aside", &self.file))?;
        Ok(aside)
    }
}

/// Opens a file that is only there to be locked. It is never removed: a process that waits for it would hold a lock on a deleted file.
pub(crate) fn open_lock(path: &Path) -> Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(file("write", path))
}

/// `path` with `ending` behind its name.
pub(crate) fn with_ending(path: &Path, ending: impl AsRef<OsStr>) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Removes a file or a folder, if it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(file("remove", path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let slot = Slot::of(folder.path(), "a.zip");
        let held = slot.lock().unwrap();
        let error = slot.lock().unwrap_err().to_string();
        assert!(error.contains("another run is fetching"), "{error}");
        drop(held);
        slot.lock().unwrap();
    }
}
