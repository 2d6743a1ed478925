//! Files that are there whole or not at all. What is in them is the callers' business.

use std::fs::{self, File};
use std::io::{Result, Write};
use std::path::Path;

/// Writes `bytes` under a temporary name beside `path`, syncs, renames, and syncs the folder.
///
/// # Errors
/// If any of the steps fails; what was at `path` before stays, and the temporary file goes.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    if let Err(error) = write() {
        // The reason of the failure matters, not that of a failing clean-up.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    match path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        Some(folder) => sync_folder(folder),
        None => sync_folder(Path::new(".")),
    }
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
    use super::write_whole;

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
}
