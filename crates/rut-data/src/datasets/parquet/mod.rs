//! A user's own images in Parquet files, as the Hugging Face hub keeps them: one file, or a folder of
//! files `train-00000-of-00002.parquet`, `test-…`, `validation-…`, or of folders `train`, `test` … of
//! files. Either may stand in a folder `data`, or in one of the configuration: `plain_text`, `default`.

#[cfg(feature = "parquet")]
mod shards;
#[cfg(feature = "parquet")]
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use crate::datasets::part::Part;

#[cfg(feature = "parquet")]
pub(crate) use tables::read;

/// Where the files may be below the folder that is named.
const FOLDERS: &[&str] = &["", "data"];

/// Whether a path is a Parquet file, or a folder with some.
pub(crate) fn is(path: &Path) -> bool {
    is_table(path) || !layouts(path).is_empty()
}

fn is_table(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case("parquet")) && path.is_file()
}

/// A folder with the files of a data set.
#[derive(Debug, PartialEq, Eq)]
struct Layout {
    /// The folder.
    root: PathBuf,
    /// The files in it, or else those in its folders of parts; sorted.
    tables: Vec<PathBuf>,
}

/// Where the files of a data set are below `root`: there or in its folder `data`, or else in folders
/// of configurations, of which there may be several.
fn layouts(root: &Path) -> Vec<Layout> {
    let bases = || FOLDERS.iter().map(|folder| root.join(folder));
    let direct = bases().map(|base| tables_in(&base, own_files));
    let found: Option<Layout> = direct.flatten().next();
    let found = found.or_else(|| bases().find_map(|base| tables_in(&base, part_files)));
    if let Some(layout) = found {
        return vec![layout];
    }
    let configurations = bases().flat_map(|base| folders(&base));
    let layout =
        |folder: PathBuf| tables_in(&folder, own_files).or_else(|| tables_in(&folder, part_files));
    configurations.filter_map(layout).collect()
}

fn tables_in(folder: &Path, files: fn(&Path) -> Vec<PathBuf>) -> Option<Layout> {
    let tables = files(folder);
    let root = folder.to_path_buf();
    (!tables.is_empty()).then_some(Layout { root, tables })
}

/// The Parquet files of a folder.
fn own_files(folder: &Path) -> Vec<PathBuf> {
    let mut tables = entries(folder);
    tables.retain(|path| is_table(path));
    tables
}

/// The Parquet files of the folders of parts in a folder.
fn part_files(folder: &Path) -> Vec<PathBuf> {
    let is_part = |path: &PathBuf| name_of(path).is_some_and(|name| Part::in_name(name).is_some());
    let parts = folders(folder).into_iter().filter(is_part);
    parts.flat_map(|part| own_files(&part)).collect()
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut folders = entries(folder);
    folders
        .retain(|path| path.is_dir() && name_of(path).is_some_and(|name| !name.starts_with('.')));
    folders
}

/// What is in a folder, sorted; nothing of what is none.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort_unstable();
    paths
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name().and_then(|name| name.to_str())
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
