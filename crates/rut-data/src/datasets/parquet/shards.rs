//! Which files of a folder belong to which part of the data set: their names say it.

use std::path::{Path, PathBuf};

use super::tables_in;
use crate::datasets::labelled::Part;
use crate::{Error, Result};

/// A file, and the part that its name says.
pub(super) struct Shard {
    pub(super) path: PathBuf,
    pub(super) part: Part,
    /// Of how many files of its part it is one, if it says so.
    of: Option<usize>,
}

/// The files of a folder.
///
/// # Errors
/// [`Error::BadFolder`] for names that say no part, and where a file of several is missing.
pub(super) fn find(root: &Path) -> Result<Vec<Shard>> {
    let shards: Result<Vec<Shard>> = tables_in(root)
        .into_iter()
        .map(|path| named(root, path))
        .collect();
    let shards = shards?;
    for shard in &shards {
        let there = shards
            .iter()
            .filter(|other| other.part == shard.part)
            .count();
        if let Some(of) = shard.of.filter(|of| *of != there) {
            let expected = format!("{of} files like {}", shard.path.display());
            return Err(bad(
                root,
                &expected,
                &format!("{there}; fetch the others or remove what is too much"),
            ));
        }
    }
    Ok(shards)
}

/// Reads `PART-NUMBER-of-NUMBER`, with or without more behind it, or `PART`.
fn named(root: &Path, path: PathBuf) -> Result<Shard> {
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let words: Vec<&str> = stem.split('-').collect();
    let of = match words.as_slice() {
        [_, _, "of", count, ..] => count.parse().ok(),
        _ => None,
    };
    match Part::named(words.first().copied().unwrap_or_default()) {
        Some(part) => Ok(Shard { path, part, of }),
        None => {
            let expected = format!("Parquet files whose names begin with {}", Part::WORDS);
            Err(bad(
                root,
                &expected,
                &format!("{}; move it away", path.display()),
            ))
        }
    }
}

fn bad(root: &Path, expected: &str, found: &str) -> Error {
    Error::BadFolder {
        path: root.to_path_buf(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}
