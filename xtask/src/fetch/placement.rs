//! Moving what was unpacked to where it belongs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use rut_formats::escape;

/// Moves what is in the folder `from` into the folder `to`: whole subfolders by one rename each where
/// nothing is there yet, file by file where something is. A file in the way is replaced. Nobody else may move anything into
/// `to` meanwhile: what is looked at first and moved then would be another thing.
///
/// # Errors
/// If a file stands where a folder should go, or the other way round, or something cannot be moved. What was moved until
/// then stays.
pub fn place(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("failed to create {}", to.display()))?;
    for (name, is_folder) in entries(from)? {
        let (source, target) = (from.join(&name), to.join(&name));
        match fs::symlink_metadata(&target) {
            Ok(there) if is_folder && there.is_dir() => {
                place(&source, &target)?;
                continue;
            }
            Ok(there) if is_folder || !there.is_file() => bail!(
                "{} is in the way: it is {} and a {} should be there; move it away",
                escape(&target).whole(),
                if there.is_dir() {
                    "a folder"
                } else {
                    "no folder"
                },
                if is_folder { "folder" } else { "file" },
            ),
            _ => {}
        }
        fs::rename(&source, &target)
            .with_context(|| format!("failed to move to {}", escape(&target).whole()))?;
    }
    Ok(())
}

/// Names and kinds of what is in a folder, by name.
fn entries(folder: &Path) -> Result<Vec<(String, bool)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)
        .with_context(|| format!("failed to read {}", escape(folder).whole()))?
    {
        let entry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .ok()
            .context("a file name is not UTF-8")?;
        found.push((name, entry.file_type()?.is_dir()));
    }
    found.sort();
    Ok(found)
}
