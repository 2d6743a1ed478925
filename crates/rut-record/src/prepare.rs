//! A run's folder made ready: whether a run may begin or go on there, and the lock that keeps a second process out.

use std::fs::{self, TryLockError};
use std::path::PathBuf;

use rut_formats::regular;
use rut_formats::whole_file::is_temporary;

use crate::error::{Error, Result, file};
use crate::lock::{self, Locked};
use crate::run_dir::{Existing, RunDir, delete, write_whole};
use crate::spec_file::{Begun, SpecFile};

impl RunDir {
    /// Whether `existing` lets a run begin or go on here.
    ///
    /// # Errors
    /// [`Error::Occupied`] if not.
    pub fn check_free(&self, existing: Existing) -> Result<()> {
        let occupied = |found, remedy| {
            Err(Error::Occupied {
                dir: self.path().to_owned(),
                found,
                remedy,
            })
        };
        // A folder in which nothing but the specification was written holds no run yet.
        let begun = self.is_finished() || self.is_begun();
        let failure = self.failure();
        let has_other = |mut entries: fs::ReadDir| {
            // Temporary files of a killed process do not count.
            let other = |path: PathBuf| path != failure && !is_temporary(&path);
            entries.any(|entry| entry.is_ok_and(|entry| other(entry.path())))
        };
        if !begun
            && !self.spec().exists()
            && fs::read_dir(self.path()).is_ok_and(has_other)
            && !self.lock().exists()
        {
            return occupied("other files", "choose another `run_name` or `results_path`");
        }
        match (existing, begun, self.is_finished()) {
            (Existing::Refuse, true, true) => occupied(
                "a finished run",
                "run it again (`overwrite`), or choose another `run_name`",
            ),
            (Existing::Refuse, true, false) => occupied(
                "an unfinished run",
                "go on with it (`resume`), start again (`overwrite`), or choose another `run_name`",
            ),
            _ => Ok(()),
        }
    }

    /// Makes the folder ready for `run` and locks it for as long as the answer lives.
    ///
    /// # Errors
    /// As [`check_free`](Self::check_free); if another process works here, if the folder holds another specification's run,
    /// or if it cannot be written.
    pub fn prepare(&self, run: &Begun<'_>, existing: Existing) -> Result<Locked> {
        self.check_free(existing)?;
        fs::create_dir_all(self.path()).map_err(file("make the folder", self.path()))?;
        let locked = self.lock_folder()?;
        delete(&self.failure())?;
        let begun = self.spec().exists();
        match existing {
            Existing::Resume if begun => {
                self.check_unchanged(run)?;
                return Ok(locked);
            }
            Existing::Resume if self.is_finished() || self.state().exists() => {
                let problem = "expected the specification that the run began with, found no file; put it back, or \
                               start again (`overwrite`)";
                return Err(Error::Broken {
                    path: self.spec(),
                    problem: problem.into(),
                });
            }
            Existing::Overwrite => self.clear()?,
            _ => {}
        }
        let text = toml::to_string(&SpecFile::of(run)).map_err(|e| Error::Spec(e.to_string()))?;
        write_whole(&self.spec(), text.as_bytes())?;
        Ok(locked)
    }

    /// The lock's file. It stays when a run is deleted, so that all who want the folder meet at one file.
    fn lock(&self) -> PathBuf {
        self.path().join(".lock")
    }

    fn lock_folder(&self) -> Result<Locked> {
        match lock::take(&self.lock())? {
            Some(locked) => Ok(locked),
            None => Err(Error::GoingOn {
                dir: self.path().to_owned(),
            }),
        }
    }

    /// Whether a process works in the folder.
    pub fn is_locked(&self) -> bool {
        let open = regular::open(self.lock(), regular::TEXT);
        open.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Deletes the files of a run and nothing else.
    fn clear(&self) -> Result<()> {
        self.files().iter().try_for_each(|path| delete(path))
    }
}
