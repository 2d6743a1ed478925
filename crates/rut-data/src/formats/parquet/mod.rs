//! Tables of images in Parquet files, as the `datasets` library of Hugging Face writes them: a
//! column of structs whose `bytes` are an image file, or of the bytes themselves, and a column of
//! labels.

mod row_groups;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use rut_formats::parquet::{Column, ENCODINGS, Footer, Kind, Values};
use rut_formats::{Fault, did_you_mean, list, regular};
use serde_json::Value;

use super::fault::InFile as _;
use crate::{Error, Result};

pub(crate) use row_groups::TableImages;

/// Names of the column of images, in order of preference; in structs, the images are their [`BYTES`].
const IMAGES: &[&str] = &["image", "img"];
const BYTES: &str = "bytes";
/// Names of the column of labels, in order of preference.
const LABELS: &[&str] = &["label", "labels", "fine_label"];
/// Bytes of the longest text that is taken for a label.
const LONGEST_LABEL: usize = 1024;
/// Bytes that a row with an image takes of a file at least.
const LEAST_BYTES: u64 = 32;
/// Rows that any table may have, whatever it takes.
const SMALL_TABLE: u64 = 1 << 17;
/// What a damaged file should be.
const SOUND: &str = "a Parquet file (is it damaged? fetch or write it again)";
/// Where `datasets` describes the columns.
const DESCRIPTION: &str = "huggingface";

/// A label as a table holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    Number(i64),
    /// UTF-8, shared by all rows for which the file has it once.
    Text(Bytes),
}

/// One file of images and labels.
pub(crate) struct Table {
    pub(crate) path: PathBuf,
    /// Bytes of the file.
    length: u64,
    footer: Footer,
    /// Places of the columns.
    images: usize,
    labels: usize,
    /// The names of the classes, where the file says them.
    pub(crate) class_names: Option<Vec<String>>,
}

impl Table {
    /// Opens a file and finds its columns.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a file without them, and for damage; [`Error::Io`].
    pub(crate) fn open(path: &Path) -> Result<Table> {
        let file = regular::open(path, regular::ARCHIVE).map_err(Error::io(path))?;
        let footer = Footer::read(&file).map_err(|fault| fault.at(path))?;
        let (images, labels) = find_columns(path, &footer)?;
        let table = Table {
            path: path.to_path_buf(),
            length: file.metadata().map_err(Error::io(path))?.len(),
            class_names: class_names(&footer, labels),
            footer,
            images,
            labels,
        };
        table.check_rows()?;
        table.check_lengths()?;
        table.check_encodings()?;
        Ok(table)
    }

    /// Columns of an unsupported encoding are refused before anything is read.
    fn check_encodings(&self) -> Result<()> {
        let unread = self.footer.unread_encoding(&[self.images, self.labels]);
        match unread.as_deref() {
            None => Ok(()),
            Some("ZSTD") => Err(Error::MissingFeature {
                path: self.path.clone(),
                what: "pages of ZSTD",
                feature: "zstd",
                instead: ", or write the file again with SNAPPY",
            }),
            Some(other) => Err(self.pages(ENCODINGS, format!("{other}; write the file again"))),
        }
    }

    /// No table has more rows than its bytes can hold images, but for a few that share one.
    fn check_rows(&self) -> Result<()> {
        let most = self.length / LEAST_BYTES + SMALL_TABLE;
        match self.footer.rows() {
            Some(rows) if rows <= most => Ok(()),
            _ => {
                let found = "more rows than images fit into the file";
                Err(self.pages(SOUND, found.to_owned()))
            }
        }
    }

    /// The columns lie side by side: were they over each other, a small file could be read again and again without end.
    fn check_lengths(&self) -> Result<()> {
        if self.footer.stored(&[self.images, self.labels]) <= self.length {
            Ok(())
        } else {
            let found = "columns of more bytes than the file has";
            Err(self.pages(SOUND, found.to_owned()))
        }
    }

    /// The rows of each row group.
    pub(crate) fn group_sizes(&self) -> impl Iterator<Item = usize> {
        self.footer.group_sizes()
    }

    /// All labels; nothing where a row has none.
    pub(crate) fn labels(&self) -> Result<Vec<Option<Label>>> {
        let mut labels = Vec::new();
        for group in 0..self.group_sizes().count() {
            match self.read(group, self.labels)? {
                Values::Numbers(numbers) => {
                    labels.extend(numbers.into_iter().map(|number| number.map(Label::Number)));
                }
                Values::Texts(texts) => {
                    let texts = texts
                        .into_iter()
                        .map(|text| text.map(|text| self.text(text)).transpose());
                    labels.extend(texts.collect::<Result<Vec<_>>>()?);
                }
            }
        }
        Ok(labels)
    }

    fn text(&self, bytes: Bytes) -> Result<Label> {
        if bytes.len() > LONGEST_LABEL {
            let expected = format!("labels of at most {LONGEST_LABEL} bytes");
            return Err(self.malformed(&expected, &format!("one of {}", bytes.len())));
        }
        match std::str::from_utf8(&bytes) {
            Ok(_) => Ok(Label::Text(bytes)),
            Err(_) => Err(self.malformed("labels in UTF-8", "other bytes")),
        }
    }

    /// The image files of one row group; nothing where a row has none.
    fn images(&self, group: usize) -> Result<Vec<Option<Bytes>>> {
        match self.read(group, self.images)? {
            Values::Texts(images) => Ok(images),
            Values::Numbers(_) => Err(self.malformed("images", "numbers")),
        }
    }

    fn read(&self, group: usize, column: usize) -> Result<Values> {
        // Opened again each time: copies of one handle share a position, and threads would meet there.
        let file = regular::open(&self.path, regular::ARCHIVE).map_err(Error::io(&self.path))?;
        let values = self.footer.values(&file, group, column);
        values.map_err(|fault| fault.at(&self.path))
    }

    /// What was expected of the pages, and found.
    fn pages(&self, expected: &str, found: String) -> Error {
        Fault::new("its pages", expected, found).at(&self.path)
    }

    /// What was expected of the columns, and found.
    pub(crate) fn malformed(&self, expected: &str, found: &str) -> Error {
        Fault::new("its columns", expected, found).at(&self.path)
    }
}

/// The places of the columns of images and labels.
fn find_columns(path: &Path, footer: &Footer) -> Result<(usize, usize)> {
    let place = |is: fn(&Column<'_>, &str) -> bool, names: &[&str]| {
        let of = |name: &&str| footer.columns().position(|column| is(&column, name));
        names.iter().find_map(of)
    };
    let lacks = |expected: &str, name: &str| {
        let mut tops: Vec<&str> = footer
            .columns()
            .filter_map(|column| column.path.first().map(String::as_str))
            .collect();
        tops.dedup();
        let mut hints = tops.iter().map(|found| did_you_mean(found, [name]));
        let hint = if tops.contains(&name) {
            format!("; '{name}' is of another type")
        } else {
            hints.find(|hint| !hint.is_empty()).unwrap_or_default()
        };
        let found = format!("{}{hint}", list(tops.iter().map(|top| format!("'{top}'"))));
        Fault::new("its columns", expected, found).at(path)
    };
    let images =
        "a column 'image' or 'img' of structs with the images' bytes, or of the bytes themselves";
    let labels = "a column 'label', 'labels' or 'fine_label' of whole numbers or texts";
    Ok((
        place(is_image, IMAGES).ok_or_else(|| lacks(images, "image"))?,
        place(is_label, LABELS).ok_or_else(|| lacks(labels, "label"))?,
    ))
}

fn is_image(column: &Column<'_>, name: &str) -> bool {
    match column.kind {
        Kind::Bytes => column.path == [name, BYTES] || column.path == [name],
        Kind::Texts => column.path == [name, BYTES],
        Kind::Numbers | Kind::Other => false,
    }
}

fn is_label(column: &Column<'_>, name: &str) -> bool {
    column.path == [name] && column.kind != Kind::Other
}

/// The names in the description of the column of labels.
fn class_names(footer: &Footer, labels: usize) -> Option<Vec<String>> {
    let description: Value = serde_json::from_str(footer.text(DESCRIPTION)?).ok()?;
    let column = footer.columns().nth(labels)?;
    let names = description
        .get("info")?
        .get("features")?
        .get(column.path.last()?)?
        .get("names")?;
    let names = names.as_array()?.iter();
    names.map(|name| name.as_str().map(str::to_owned)).collect()
}
