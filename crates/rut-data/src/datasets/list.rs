//! A user's own images, named in a CSV file: one row per image with its path, its class and, if
//! the list says so, the part that it belongs to.
//!
//! Paths are relative to the list's folder, or absolute. Classes are the different labels, sorted
//! by name, or as numbers where all of them are whole numbers. Without a column `split` the list
//! is split as a folder of class folders is.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::datasets::labelled::{Part, classes, malformed, take_apart};
use crate::formats::files::Files;
use crate::formats::image_list::{self, Row};
use crate::{ImageSet, Parts, Result};

/// How many missing files a message names.
const NAMED: usize = 3;

/// Whether a path is a list.
pub(crate) fn is(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    path.is_file() && ending.is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
}

/// Reads a list. The images themselves are read later, but are all there.
pub(crate) fn read(path: &Path) -> Result<Parts> {
    let rows = image_list::read(path)?;
    let parts = parts_of(path, &rows)?;
    let (class_names, labels) = classes(rows.iter().map(|row| row.label.as_str()));
    let root = match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let paths: Vec<PathBuf> = rows.iter().map(|row| root.join(&row.path)).collect();
    refuse_twice(path, &rows, &paths)?;
    refuse_missing(path, &rows, &paths)?;
    let all = ImageSet::new(Arc::new(Files { root, paths }), labels)?;
    take_apart(path, class_names, &all, parts.as_deref())
}

/// The part of each row, or nothing where the list has no column for it.
fn parts_of(path: &Path, rows: &[Row]) -> Result<Option<Vec<Part>>> {
    let part = |row: &Row| {
        let word = row.split.as_deref()?;
        Some(Part::named(word).ok_or_else(|| {
            let place = format!("line {}, column 'split'", row.line);
            malformed(path, &place, (Part::WORDS, &format!("'{word}'")))
        }))
    };
    rows.iter()
        .map(part)
        .collect::<Option<Result<Vec<Part>>>>()
        .transpose()
}

fn refuse_twice(path: &Path, rows: &[Row], paths: &[PathBuf]) -> Result<()> {
    let mut lines: HashMap<&Path, u64> = HashMap::with_capacity(rows.len());
    for (row, file) in rows.iter().zip(paths) {
        if let Some(first) = lines.insert(file, row.line) {
            let place = format!("line {}, column 'path'", row.line);
            let found = format!("'{}' again, after line {first}; remove one", row.path);
            return Err(malformed(path, &place, ("an image that is new", &found)));
        }
    }
    Ok(())
}

fn refuse_missing(path: &Path, rows: &[Row], paths: &[PathBuf]) -> Result<()> {
    let files = rows.iter().zip(paths);
    let missing: Vec<&Row> = files
        .filter(|(_, file)| !file.is_file())
        .map(|(row, _)| row)
        .collect();
    let Some(first) = missing.first() else {
        return Ok(());
    };
    let names: Vec<String> = missing
        .iter()
        .take(NAMED)
        .map(|row| format!("'{}'", row.path))
        .collect();
    let more = match missing.len() - names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let place = format!("line {}, column 'path'", first.line);
    let expected = "files, by paths that are absolute or relative to the list's folder";
    let found = format!("none at {}{more}", names.join(", "));
    Err(malformed(path, &place, (expected, &found)))
}
