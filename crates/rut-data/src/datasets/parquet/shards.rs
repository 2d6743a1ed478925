//! Which files of a folder belong to which part of the data set: their names say it, or the folders in
//! which they are.

use std::path::{Path, PathBuf};

use super::{Layout, layouts, name_of};
use crate::datasets::part::Part;
use crate::{Error, Result};

/// A file, and the part that it is of.
pub(super) struct Shard {
    pub(super) path: PathBuf,
    pub(super) part: Part,
    /// What its name says besides: of one data set, all say the same.
    rest: String,
    /// Of how many files of its part it is one, if it says so.
    of: Option<usize>,
}

/// The files of a folder.
///
/// # Errors
/// [`Error::BadFolder`] where there are several configurations, for names that say no part, and where
/// a file of several is missing.
pub(super) fn find(root: &Path) -> Result<Vec<Shard>> {
    let layout = only_one(root, layouts(root))?;
    let root = layout.root.as_path();
    let shards: Result<Vec<Shard>> = layout
        .tables
        .into_iter()
        .map(|path| named(root, path))
        .collect();
    let shards = shards?;
    for shard in &shards {
        let others = || shards.iter().filter(|other| other.part == shard.part);
        if let Some(other) = shards.iter().find(|other| other.rest != shard.rest) {
            let found = format!("{} and {}", shard.path.display(), other.path.display());
            return Err(bad(
                root,
                "the files of one data set",
                &format!("{found}; move one away"),
            ));
        }
        let there = others().count();
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

/// The only configuration.
fn only_one(root: &Path, mut layouts: Vec<Layout>) -> Result<Layout> {
    match (layouts.pop(), layouts.as_slice()) {
        (Some(layout), []) => Ok(layout),
        (last, others) => {
            let roots = others.iter().chain(&last).map(|layout| &layout.root);
            let roots: Vec<String> = roots.map(|root| format!("'{}'", root.display())).collect();
            let found = format!("{}: {}; name one", roots.len(), roots.join(", "));
            Err(bad(root, "one configuration of the data set", &found))
        }
    }
}

/// Reads `PART-NUMBER-of-NUMBER`, with or without more behind it, or `PART`; in a folder below `root`,
/// that says the part.
fn named(root: &Path, path: PathBuf) -> Result<Shard> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let words: Vec<&str> = stem.split('-').collect();
    let number = |word: &str| word.parse::<usize>().ok();
    let count = words.windows(3).enumerate().find_map(|(at, words)| {
        let of = (words[1] == "of").then(|| number(words[2]))?;
        number(words[0])?;
        Some((at, of))
    });
    let own = match count {
        Some((at, _)) => words[..at].join("-"),
        None => stem.to_string(),
    };
    let folder = path.parent().filter(|folder| *folder != root);
    let name = folder.and_then(name_of).unwrap_or(&own);
    match Part::in_name(name) {
        Some((part, rest)) => Ok(Shard {
            part,
            rest,
            of: count.and_then(|(_, of)| of),
            path,
        }),
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
