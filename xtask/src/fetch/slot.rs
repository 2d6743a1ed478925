//! Where the files of one download stand: the file itself, and beside it its receipt, its lock and what is on its way.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The folder, below the one that is filled, that holds downloads, receipts and what is on its way.
pub(super) const STORE: &str = ".downloads";

/// The files of one download.
#[derive(Debug)]
pub(super) struct Slot {
    /// The file as its publisher has it.
    pub(super) file: PathBuf,
    /// What was unpacked from it.
    pub(super) receipt: PathBuf,
    /// Where it is unpacked before it is whole.
    pub(super) staging: PathBuf,
    lock: PathBuf,
    placing: PathBuf,
}

impl Slot {
    /// Of the file called `name` below `folder`.
    pub(super) fn of(folder: &Path, name: &str) -> Self {
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
    pub(super) fn lock(&self) -> Result<File> {
        let path = &self.lock;
        if let Some(store) = path.parent() {
            fs::create_dir_all(store)
                .with_context(|| format!("failed to create {}", store.display()))?;
        }
        let file = open_lock(path)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => bail!(
                "another run is fetching {}; wait for it to end",
                self.file.file_name().unwrap_or_default().display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("failed to lock {}", path.display()))
            }
        }
    }

    /// Waits until no other run or thread moves anything into the folder that is filled, and keeps them from it until what
    /// is returned is dropped.
    ///
    /// # Errors
    /// If the file that is locked for it cannot be written.
    pub(super) fn wait_to_place(&self) -> Result<File> {
        let file = open_lock(&self.placing)?;
        file.lock()
            .with_context(|| format!("failed to lock {}", self.placing.display()))?;
        Ok(file)
    }

    /// Moves the file aside, and says where to.
    pub(super) fn set_aside(&self) -> Result<PathBuf> {
        let aside = with_ending(&self.file, ".bad");
        fs::rename(&self.file, &aside)
            .with_context(|| format!("failed to move {} aside", self.file.display()))?;
        Ok(aside)
    }
}

/// Opens a file that is only there to be locked. It is never removed: whoever waits for it would be left with another one.
pub(super) fn open_lock(path: &Path) -> Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .with_context(|| format!("failed to write {}", path.display()))
}

/// `path` with `ending` behind its name.
pub(super) fn with_ending(path: &Path, ending: impl AsRef<OsStr>) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Removes a file or a folder, if it is there.
pub(super) fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove {}", path.display()))
        }
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
