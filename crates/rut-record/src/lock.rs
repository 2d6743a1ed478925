//! The lock that keeps a second process out of a folder, and whether the folder's file system has any.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use rut_formats::regular;

use crate::error::{Result, file};

/// How often a lock is tried, and the time between. A process that only looks holds it for an instant.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);

/// A folder that no other process works in, as long as this lives.
#[derive(Debug)]
pub struct Locked {
    _file: File,
    /// Why no other process is kept out: the system's error for locks there.
    pub trouble: Option<String>,
}

impl Locked {
    /// The warning for a file system without working locks.
    pub fn warning(&self, folder: &Path) -> Option<String> {
        self.trouble.as_ref().map(|reason| {
            format!(
                "warning: locks do not work in {} ({reason}): nothing keeps a second process out, so start none there",
                folder.display()
            )
        })
    }
}

/// Takes the lock of the file at `path`, which is made where it is not there; `None` if another process has it. Where locks
/// do not work, it is taken, with the [`trouble`](Locked::trouble).
///
/// # Errors
/// If the file cannot be opened.
pub(crate) fn take(path: &Path) -> Result<Option<Locked>> {
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(false);
    let open = regular::open_with(options, path).map_err(file("open", path))?;
    for _ in 0..ATTEMPTS {
        let second = || regular::open(path, regular::TEXT).map(|file| file.try_lock_shared());
        match judge(open.try_lock(), second) {
            // Perhaps another process only looks whether the run is going on.
            Found::Taken => std::thread::sleep(PAUSE),
            Found::Ours(trouble) => {
                let _file = open;
                return Ok(Some(Locked { _file, trouble }));
            }
        }
    }
    Ok(None)
}

/// The warning for a study whose runs are to be kept in `folder`, if locks do not work there.
///
/// # Errors
/// If the folder cannot be written.
pub fn locks_warning(folder: &Path) -> Result<Option<String>> {
    let path = folder.join(format!(".lock-{}", std::process::id()));
    let locked = take(&path);
    let _ = std::fs::remove_file(&path);
    Ok(locked?.and_then(|locked| locked.warning(folder)))
}

/// What an attempt to lock came to.
#[derive(Debug, PartialEq)]
enum Found {
    Taken,
    Ours(Option<String>),
}

/// `first` is what the system said of a lock; `second` tries another one of the same file, which must be refused.
fn judge(
    first: Result<(), TryLockError>,
    second: impl FnOnce() -> std::io::Result<Result<(), TryLockError>>,
) -> Found {
    match first {
        Err(TryLockError::WouldBlock) => Found::Taken,
        Err(TryLockError::Error(error)) => Found::Ours(Some(error.to_string())),
        Ok(()) => match second() {
            Ok(Ok(())) => Found::Ours(Some("a locked file can be locked again".into())),
            _ => Found::Ours(None),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_keeps_the_second_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".lock");
        let first = take(&path).unwrap().unwrap();
        assert_eq!(first.trouble, None, "the test's file system has no locks");
        assert!(take(&path).unwrap().is_none());
        drop(first);
        assert!(take(&path).unwrap().is_some());
        assert_eq!(locks_warning(dir.path()).unwrap(), None);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_system_without_locks_is_told() {
        let refused = || std::io::Error::from(std::io::ErrorKind::Unsupported);
        let Found::Ours(Some(reason)) = judge(Err(TryLockError::Error(refused())), || {
            unreachable!("nothing is tried where locks are refused")
        }) else {
            panic!("a refused lock is no trouble");
        };
        let locked = Locked {
            _file: tempfile::tempfile().unwrap(),
            trouble: Some(reason),
        };
        let warning = locked.warning(Path::new("results")).unwrap();
        assert!(
            warning.contains("results") && warning.contains("unsupported"),
            "{warning}"
        );
        // Locks that are granted to everybody are none.
        let granted = judge(Ok(()), || Ok(Ok(())));
        assert!(matches!(granted, Found::Ours(Some(_))), "{granted:?}");
        let works = judge(Ok(()), || Ok(Err(TryLockError::WouldBlock)));
        assert_eq!(works, Found::Ours(None));
        let taken = judge(Err(TryLockError::WouldBlock), || Ok(Ok(())));
        assert_eq!(taken, Found::Taken);
    }
}
