//! Parquet files to parts of a data set.
//!
//! Classes are named as the files say in the description that `datasets` writes, and else as in a
//! list. A part none of whose images has a label (`-1`, or nothing) is left out with a remark: many
//! test parts are published so. A single file, or training files alone, are split as a folder of class
//! folders is.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use super::{is_table, shards};
use crate::datasets::labelled::{classes, malformed, take_apart};
use crate::datasets::part::Part;
use crate::formats::parquet::{Label, Table, TableImages};
use crate::{ImageSet, Parts, Result};

/// Reads a file or the files of a folder.
pub(crate) fn read(path: &Path) -> Result<Parts> {
    let rows = if is_table(path) {
        Rows::of(vec![(path.to_path_buf(), Part::Train)])?
    } else {
        let shards = shards::find(path)?.into_iter();
        Rows::of(shards.map(|shard| (shard.path, shard.part)).collect())?
    };
    let whole = rows.parts.iter().all(|part| *part == Part::Train);
    let (class_names, labels) = rows.classes(path)?;
    let all = ImageSet::new(Arc::new(TableImages::new(rows.tables)), labels)?;
    let split = Some(rows.parts.as_slice()).filter(|_| !whole);
    let mut parts = take_apart(path, class_names, &all, split)?;
    parts.remarks.splice(0..0, rows.unlabelled);
    Ok(parts)
}

/// The labelled rows of all files.
struct Rows {
    tables: Vec<Table>,
    /// The label and the part of each row, one table after the other.
    labels: Vec<Label>,
    parts: Vec<Part>,
    /// A remark on each part that has no labels.
    unlabelled: Vec<String>,
}

impl Rows {
    fn of(files: Vec<(std::path::PathBuf, Part)>) -> Result<Rows> {
        let mut read = Vec::new();
        for (path, part) in files {
            let table = Table::open(&path)?;
            let labels = table.labels()?;
            read.push((table, part, labels));
        }
        let mut rows = Rows {
            tables: Vec::new(),
            labels: Vec::new(),
            parts: Vec::new(),
            unlabelled: Vec::new(),
        };
        let labelled: Vec<Part> = read
            .iter()
            .filter(|(_, _, labels)| labels.iter().any(is_label))
            .map(|read| read.1)
            .collect();
        let empty = read.iter().filter(|(_, part, _)| !labelled.contains(part));
        rows.unlabelled = remarks(empty.map(|(table, part, labels)| (table, *part, labels.len())));
        for (table, part, labels) in read
            .into_iter()
            .filter(|(_, part, _)| labelled.contains(part))
        {
            rows.add(table, part, labels)?;
        }
        Ok(rows)
    }

    fn add(&mut self, table: Table, part: Part, labels: Vec<Option<Label>>) -> Result<()> {
        for (row, label) in labels.into_iter().enumerate() {
            let label = Some(label).filter(is_label).flatten();
            self.labels.push(label.ok_or_else(|| {
                malformed(
                    &table.path,
                    &format!("row {row}"),
                    "a label, as other rows have one",
                    "none",
                )
            })?);
            self.parts.push(part);
        }
        self.tables.push(table);
        Ok(())
    }

    /// The names of the classes, and the class of each row.
    fn classes(&self, path: &Path) -> Result<(Vec<String>, Vec<u32>)> {
        let Some(first) = self.tables.first().filter(|_| !self.labels.is_empty()) else {
            return Err(malformed(path, "its rows", "images with labels", "none"));
        };
        if let Some(other) = self
            .tables
            .iter()
            .find(|table| table.class_names != first.class_names)
        {
            let expected = format!("the classes of {}", first.path.display());
            return Err(other.malformed(&expected, "others"));
        }
        match &first.class_names {
            Some(names) => Ok((names.clone(), self.named(first, names)?)),
            None => {
                let texts: Vec<Cow<'_, str>> = self.labels.iter().map(text).collect();
                Ok(classes(texts.iter().map(AsRef::as_ref)))
            }
        }
    }

    /// The labels where classes have names: they are numbers below the number of names.
    fn named(&self, table: &Table, names: &[String]) -> Result<Vec<u32>> {
        let label = |label: &Label| match label {
            Label::Number(number) => {
                let index = usize::try_from(*number)
                    .ok()
                    .filter(|index| *index < names.len());
                index.and_then(|index| u32::try_from(index).ok())
            }
            Label::Text(_) => None,
        };
        let labels = self.labels.iter().map(|found| {
            label(found).ok_or_else(|| {
                let expected = format!("labels below {}, the number of named classes", names.len());
                table.malformed(&expected, &text(found))
            })
        });
        labels.collect()
    }
}

/// A remark on each part of these tables, none of whose rows has a label.
fn remarks<'a>(tables: impl Iterator<Item = (&'a Table, Part, usize)>) -> Vec<String> {
    let mut parts: Vec<(Part, &Table, usize)> = Vec::new();
    for (table, part, rows) in tables {
        match parts.iter_mut().find(|(known, ..)| *known == part) {
            Some((_, _, count)) => *count += rows,
            None => parts.push((part, table, rows)),
        }
    }
    let remark = |(part, table, rows): (Part, &Table, usize)| {
        let part = part.name();
        let path = table.path.display();
        format!(
            "the {part} part ({rows} images, {path}) is unlabelled and left out: its labels are -1 or missing"
        )
    };
    parts.into_iter().map(remark).collect()
}

/// Whether a row has a label; published test parts have -1 in its place.
fn is_label(label: &Option<Label>) -> bool {
    !matches!(label, None | Some(Label::Number(..0)))
}

fn text(label: &Label) -> Cow<'_, str> {
    match label {
        Label::Number(number) => number.to_string().into(),
        Label::Text(text) => String::from_utf8_lossy(text),
    }
}
