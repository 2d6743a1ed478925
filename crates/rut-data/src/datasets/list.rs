//! A user's own images, named in a CSV file: one row per image with its path, its class and, if
//! the list says so, the part that it belongs to.
//!
//! Paths are relative to the list's folder, or absolute. Classes are the different labels, sorted
//! by name, or as numbers where all of them are whole numbers. Without a column `split` the list
//! is split as a folder of class folders is.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use rut_formats::Texts;

use crate::datasets::labelled::{classes, malformed, take_apart};
use crate::datasets::part::Part;
use crate::formats::files::Files;
use crate::formats::image_list::{self, Row};
use crate::{Parts, Result};

/// How many missing files a message names.
const NAMED: usize = 3;

/// Whether a path is a list.
pub(crate) fn is(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    path.is_file() && ending.is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
}

/// Reads a list. The images themselves are read later, but are all there.
pub(crate) fn read(path: &Path) -> Result<Parts> {
    let root = match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut list = List::new(path, &root);
    image_list::read(path, |row| list.add(row))?;
    list.refuse_missing()?;
    let List {
        paths,
        labels,
        parts,
        ..
    } = list;
    let (class_names, labels) = classes(labels.iter());
    let all = Files::below(&root, root.clone(), paths, labels)?;
    let parts = (!parts.is_empty()).then_some(parts);
    take_apart(path, class_names, &all, parts.as_deref())
}

/// What was read of a list, as small as can be: lists may have millions of rows.
struct List<'a> {
    path: &'a Path,
    root: &'a Path,
    paths: Texts,
    labels: Texts,
    /// The part of each row, or nothing where the list has no column for it.
    parts: Vec<Part>,
    /// The word for each part, in lowercase.
    words: Vec<(Part, String)>,
    /// What the words for parts say besides, all the same: of `seg_train` and `seg_test`, `seg`.
    beside: Option<String>,
    /// The line of each image, by the hash of its path.
    lines: HashMap<u64, u32>,
    hashes: RandomState,
    /// The first line whose image is not there, and how many are not.
    missing: Option<(u64, usize)>,
    /// Some of their names.
    names: Vec<String>,
}

impl<'a> List<'a> {
    fn new(path: &'a Path, root: &'a Path) -> List<'a> {
        List {
            path,
            root,
            paths: Texts::default(),
            labels: Texts::default(),
            parts: Vec::new(),
            words: Vec::new(),
            beside: None,
            lines: HashMap::new(),
            hashes: RandomState::new(),
            missing: None,
            names: Vec::new(),
        }
    }

    fn add(&mut self, row: Row<'_>) -> Result<()> {
        if let Some(word) = row.split {
            let beside = &mut self.beside;
            let said = Part::in_name(word)
                .filter(|(_, rest)| rest == beside.get_or_insert_with(|| rest.clone()));
            let (part, _) = said.ok_or_else(|| {
                let place = format!("line {}, column 'split'", row.line);
                malformed(self.path, &place, Part::WORDS, &format!("'{word}'"))
            })?;
            self.refuse_other_word(&row, part, word)?;
            self.parts.push(part);
        }
        let file = self.root.join(row.path);
        self.refuse_twice(&row, &file)?;
        if !file.is_file() {
            let (_, count) = self.missing.get_or_insert((row.line, 0));
            *count += 1;
            if self.names.len() < NAMED {
                self.names.push(format!("'{}'", row.path));
            }
        }
        self.paths.push(row.path);
        self.labels.push(row.label);
        Ok(())
    }

    /// Refuses two words for one part, of which nothing says whether they mean the same images.
    fn refuse_other_word(&mut self, row: &Row<'_>, part: Part, word: &str) -> Result<()> {
        let known = self.words.iter().find(|(known, _)| *known == part);
        let Some((_, first)) = known else {
            self.words.push((part, word.to_lowercase()));
            return Ok(());
        };
        let may_both = |word: &str| ["val", "validation"].contains(&word);
        let word = word.to_lowercase();
        if word == *first || may_both(&word) && may_both(first) {
            return Ok(());
        }
        let place = format!("line {}, column 'split'", row.line);
        let expected = format!("one word for each part, as before '{first}'");
        let found = format!("'{word}', which may mean the same part; rename one of them");
        Err(malformed(self.path, &place, &expected, &found))
    }

    fn refuse_twice(&mut self, row: &Row<'_>, file: &Path) -> Result<()> {
        let line = u32::try_from(row.line).unwrap_or(u32::MAX);
        let Some(first) = self.lines.insert(self.hashes.hash_one(file), line) else {
            return Ok(());
        };
        // Two paths may have one hash, though hardly ever.
        if !self.paths.iter().any(|path| self.root.join(path) == file) {
            return Ok(());
        }
        let place = format!("line {}, column 'path'", row.line);
        let found = format!("'{}' again, after line {first}; remove one", row.path);
        Err(malformed(self.path, &place, "an image that is new", &found))
    }

    fn refuse_missing(&self) -> Result<()> {
        let Some((first, count)) = self.missing else {
            return Ok(());
        };
        let more = match count - self.names.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let place = format!("line {first}, column 'path'");
        let expected = "files, by paths that are absolute or relative to the list's folder";
        let found = format!("none at {}{more}", self.names.join(", "));
        Err(malformed(self.path, &place, expected, &found))
    }
}
