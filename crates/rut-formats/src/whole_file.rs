//! Writes a file completely or not at all.

use std::fs::{self, File};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a temporary name ends in.
const ENDING: &str = ".tmp";

/// A temporary file that is older was left behind by a process that is gone.
const LEFT_BEHIND: Duration = Duration::from_secs(3600);

/// Writes `bytes` under a temporary name beside `path`, syncs, renames, and syncs the folder. No two writers share a
/// temporary name; who is last has written the file.
///
/// # Errors
/// If any of the steps fails; what was at `path` before stays, and the temporary file goes.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = write_beside(path, bytes)?;
    if let Err(error) = fs::rename(&temporary, path) {
        // The reason of the failure matters, not that of a failing clean-up.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    finish(path)
}

/// As [`write_whole`], where nothing is at `path` yet; whether that was so. Of several writers one is the first.
///
/// # Errors
/// As [`write_whole`].
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<bool> {
    let temporary = write_beside(path, bytes)?;
    let linked = match fs::hard_link(&temporary, path) {
        Ok(()) => Ok(true),
        Err(_) if path.exists() => Ok(false),
        // A file system without links: the first is distinguished from others as well as possible.
        Err(_) => fs::rename(&temporary, path).map(|()| true),
    };
    let _ = fs::remove_file(&temporary);
    let new = linked?;
    finish(path)?;
    Ok(new)
}

/// Writes files that belong together: all of them are on the disk under temporary names before the first gets its own, so that
/// a full disk leaves what was there before.
///
/// # Errors
/// As [`write_whole`], with the index of the file.
pub fn write_together(files: &[(&Path, &[u8])]) -> std::result::Result<(), (usize, Error)> {
    let mut temporary = Vec::new();
    let written = files
        .iter()
        .enumerate()
        .try_for_each(|(index, (path, bytes))| {
            temporary.push(write_beside(path, bytes).map_err(|error| (index, error))?);
            Ok(())
        });
    let renamed = written.and_then(|()| {
        let pairs = temporary.iter().zip(files).enumerate();
        pairs
            .into_iter()
            .try_for_each(|(index, (temporary, (path, _)))| {
                let renamed = fs::rename(temporary, path).and_then(|()| finish(path));
                renamed.map_err(|error| (index, error))
            })
    });
    if renamed.is_err() {
        for path in temporary {
            // Those that have their own name by now are not there any more.
            let _ = fs::remove_file(path);
        }
    }
    renamed
}

/// Whether a file in a folder is a temporary one.
pub fn is_temporary(path: &Path) -> bool {
    path.as_os_str()
        .as_encoded_bytes()
        .ends_with(ENDING.as_bytes())
}

/// Deletes temporary files in `folder` of files that `belong`, by the beginning of their names, if no process writes them any
/// more.
pub fn delete_left_behind(folder: &Path, belong: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let own = name
            .to_str()
            .is_some_and(|name| name.ends_with(ENDING) && belong(name));
        let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        if own && age().is_some_and(|age| age > LEFT_BEHIND) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes a file of a unique name next to `path`, and syncs it.
fn write_beside(path: &Path, bytes: &[u8]) -> Result<PathBuf> {
    let (temporary, mut file) = create_beside(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    match written {
        Ok(()) => Ok(temporary),
        Err(error) => {
            let _ = fs::remove_file(&temporary);
            Err(error)
        }
    }
}

fn create_beside(path: &Path) -> Result<(PathBuf, File)> {
    let process = std::process::id();
    let mut attempt = 0u32;
    loop {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{process}-{attempt}{ENDING}"));
        let temporary = path.with_file_name(name);
        match File::options()
            .write(true)
            .create_new(true)
            .open(&temporary)
        {
            Ok(file) => return Ok((temporary, file)),
            // Another thread's, or left behind by another process of this number.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < u32::MAX => {
                attempt += 1
            }
            Err(error) => return Err(error),
        }
    }
}

fn finish(path: &Path) -> Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    if let Some(own) = path.file_name().and_then(|name| name.to_str()) {
        delete_left_behind(folder, |name| {
            name.strip_prefix(own)
                .is_some_and(|rest| rest.starts_with('.'))
        });
    }
    sync_folder(folder)
}

/// A renamed file survives a power loss only once its folder is on the disk too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)?.sync_all()
}

/// Folders cannot be synced here.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_what_was_there_and_nothing_else() {
        let dir = std::env::temp_dir().join(format!("rut-whole-file-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("a");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        // A folder cannot be replaced by a file.
        let folder = dir.join("b");
        std::fs::create_dir(&folder).unwrap();
        assert!(write_whole(&folder, b"three").is_err());
        let mut names: Vec<_> = std::fs::read_dir(&dir)
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["a", "b"]);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn of_files_that_belong_together_none_is_written_without_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| dir.path().join(name));
        let missing = dir.path().join("missing/three");
        write_together(&[(&one, b"1"), (&two, b"2")]).unwrap();
        let failed = write_together(&[(&one, b"new"), (&missing, b"3")]).unwrap_err();
        assert_eq!((failed.0, failed.1.kind()), (1, ErrorKind::NotFound));
        assert_eq!(fs::read(&one).unwrap(), b"1");
        assert_eq!(fs::read(&two).unwrap(), b"2");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn many_writers_of_one_file_do_not_meet() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plan");
        let new = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for writer in 0..8u8 {
                let (path, new) = (&path, &new);
                scope.spawn(move || {
                    let first = write_new(path, &[writer; 1000]).unwrap();
                    new.fetch_add(usize::from(first), std::sync::atomic::Ordering::Relaxed);
                    for _ in 0..50 {
                        write_whole(path, &[writer; 1000]).unwrap();
                    }
                });
            }
        });
        assert_eq!(new.into_inner(), 1);
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.len() == 1000 && bytes.iter().all(|byte| *byte == bytes[0]));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_process_left_behind_goes_and_what_is_being_written_stays() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, age: u64| {
            let path = dir.path().join(name);
            let time = std::time::SystemTime::now() - Duration::from_secs(age);
            File::create(&path).unwrap().set_modified(time).unwrap();
        };
        make("a.1-0.tmp", 7200);
        make("a.tmp", 7200);
        make("a.2-0.tmp", 60);
        make("ab.1-0.tmp", 7200);
        write_whole(&dir.path().join("a"), b"one").unwrap();
        let mut names: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["a", "a.2-0.tmp", "ab.1-0.tmp"]);
    }
}
