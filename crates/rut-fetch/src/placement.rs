//! Moving what was unpacked to where it belongs.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use crate::error::{Error, Result, file};

/// Moves what is in the folder `from` into the folder `to`: whole subfolders by one rename each where
/// nothing is there yet, file by file where something is. A file in the way is replaced. No other process may move anything into
/// `to` meanwhile: what is looked at first and moved then would be another thing.
///
/// # Errors
/// [`Error::InTheWay`], if a file stands where a folder should go, or the other way round; [`Error::File`], if something
/// cannot be moved. What was moved until then stays.
pub fn place(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(file("create", to))?;
    for (name, is_folder) in entries(from)? {
        let (source, target) = (from.join(&name), to.join(&name));
        match fs::symlink_metadata(&target) {
            Ok(there) if is_folder && there.is_dir() => {
                place(&source, &target)?;
                continue;
            }
            Ok(there) if is_folder || !there.is_file() => {
                return Err(Error::InTheWay {
                    expected: if is_folder { "folder" } else { "file" },
                    found: if there.is_dir() {
                        "a folder"
                    } else {
                        "what is no folder"
                    },
                    path: target,
                });
            }
            _ => {}
        }
        fs::rename(&source, &target).map_err(file("move something to", &target))?;
    }
    Ok(())
}

/// Names and kinds of what is in a folder, by name.
fn entries(folder: &Path) -> Result<Vec<(OsString, bool)>> {
    let read = || {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            found.push((entry.file_name(), entry.file_type()?.is_dir()));
        }
        found.sort();
        Ok(found)
    };
    read().map_err(file("read", folder))
}
