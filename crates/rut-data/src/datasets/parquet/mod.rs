//! A user's own images in Parquet files, as the Hugging Face hub keeps them: one file, or a folder
//! (or its folder `data`) of files `train-00000-of-00002.parquet`, `test-…`, `validation-…`.

#[cfg(feature = "parquet")]
mod shards;
#[cfg(feature = "parquet")]
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

#[cfg(feature = "parquet")]
pub(crate) use tables::read;

/// Where the files may be below the folder that is named.
const FOLDERS: &[&str] = &["", "data"];

/// Whether a path is a Parquet file, or a folder with some.
pub(crate) fn is(path: &Path) -> bool {
    is_table(path) || !tables_in(path).is_empty()
}

fn is_table(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    path.is_file() && ending.is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"))
}

/// The Parquet files of a folder or, if there are none, of the folder `data` in it; sorted.
fn tables_in(root: &Path) -> Vec<PathBuf> {
    let files = |folder: &&str| {
        let entries = fs::read_dir(root.join(folder))
            .into_iter()
            .flatten()
            .flatten();
        let paths = entries.map(|entry| entry.path());
        let mut tables: Vec<PathBuf> = paths.filter(|path| is_table(path)).collect();
        tables.sort_unstable();
        tables
    };
    let found = FOLDERS.iter().map(files).find(|tables| !tables.is_empty());
    found.unwrap_or_default()
}

/// Says that this build reads no Parquet files.
#[cfg(not(feature = "parquet"))]
pub(crate) fn read(path: &Path) -> crate::Result<crate::Parts> {
    Err(crate::Error::MissingFeature {
        path: path.to_path_buf(),
        what: "Parquet files",
        feature: "parquet",
        instead: "",
    })
}
