//! Tables of images in Parquet files, as the `datasets` library of Hugging Face writes them: a
//! column of structs whose `bytes` are an image file, or of the bytes themselves, and a column of
//! labels.
//!
//! The `parquet` crate reads them, inside a fence: pages are decoded here, within bounds ([`pages`]),
//! encodings that nobody needs here are refused, and a panic of the crate on a damaged file is caught
//! and becomes an error.

mod codec;
mod column;
mod header;
mod pages;
mod row_groups;
mod thrift;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use parquet::basic::{Compression, ConvertedType, LogicalType, Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::Length;
use parquet::schema::types::ColumnDescriptor;
use rut_formats::{did_you_mean, regular};
use serde_json::Value;

use crate::{Error, Result};

use column::Values;
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
    metadata: ParquetMetaData,
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
        let read = || ParquetMetaDataReader::new().parse_and_finish(&file);
        let metadata = fenced(path, read)?;
        let (images, labels) = find_columns(path, &metadata)?;
        let table = Table {
            path: path.to_path_buf(),
            length: file.len(),
            class_names: class_names(metadata.file_metadata(), labels),
            metadata,
            images,
            labels,
        };
        table.check_rows()?;
        table.check_compression()?;
        Ok(table)
    }

    /// Columns that are encoded as nobody reads here are told before anything is read.
    fn check_compression(&self) -> Result<()> {
        let columns = [self.images, self.labels];
        let groups = self.metadata.row_groups().iter();
        let mut encodings =
            groups.flat_map(|group| columns.map(|column| group.column(column).compression()));
        match encodings.find(|encoding| !codec::is_read(*encoding)) {
            None => Ok(()),
            Some(Compression::ZSTD(_)) => Err(Error::MissingFeature {
                path: self.path.clone(),
                what: "pages of ZSTD",
                feature: "zstd",
                instead: ", or write the file again with SNAPPY",
            }),
            Some(other) => {
                let other = other.to_string();
                let name = other.split('(').next().unwrap_or_default();
                Err(unsupported(&self.path, codec::KNOWN, name))
            }
        }
    }

    /// No table has more rows than its bytes can hold images, but for a few that share one.
    fn check_rows(&self) -> Result<()> {
        let counts = || {
            self.metadata
                .row_groups()
                .iter()
                .map(|group| group.num_rows())
        };
        let total = counts().try_fold(0i64, i64::checked_add);
        let possible = counts().all(|count| count >= 0);
        let total = total.and_then(|total| u64::try_from(total).ok());
        let most = self.length / LEAST_BYTES + SMALL_TABLE;
        match total.filter(|total| possible && *total <= most) {
            Some(_) => Ok(()),
            None => {
                let found = "more rows than images fit into the file".to_owned();
                Err(damaged(&self.path, found))
            }
        }
    }

    /// The rows of each row group.
    pub(crate) fn group_sizes(&self) -> impl Iterator<Item = usize> {
        let groups = self.metadata.row_groups().iter();
        groups.map(|group| usize::try_from(group.num_rows()).unwrap_or_default())
    }

    /// All labels; nothing where a row has none.
    pub(crate) fn labels(&self) -> Result<Vec<Option<Label>>> {
        let mut labels = Vec::new();
        for group in 0..self.metadata.num_row_groups() {
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
        // Opened anew each time: copies of one handle share a position, and threads would meet there.
        let file = regular::open(&self.path, regular::ARCHIVE).map_err(Error::io(&self.path))?;
        let read = || {
            let group = self.metadata.row_group(group);
            let rows = usize::try_from(group.num_rows())?;
            column::read(&file, group.column(column), rows)
        };
        fenced(&self.path, read)
    }

    /// What was expected of the columns, and found.
    pub(crate) fn malformed(&self, expected: &str, found: &str) -> Error {
        Error::Malformed {
            path: self.path.clone(),
            place: "its columns".to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }
}

/// The places of the columns of images and labels.
fn find_columns(path: &Path, metadata: &ParquetMetaData) -> Result<(usize, usize)> {
    let columns = metadata.file_metadata().schema_descr().columns();
    let place = |wanted: &dyn Fn(&ColumnDescriptor) -> bool| {
        columns.iter().position(|column| wanted(column))
    };
    let image = IMAGES
        .iter()
        .find_map(|name| place(&|column| is_image(column, name)));
    let label = LABELS
        .iter()
        .find_map(|name| place(&|column| is_label(column, name)));
    let lacks = |expected: &str, name: &str| {
        let tops = columns
            .iter()
            .filter_map(|column| column.path().parts().first());
        let mut tops: Vec<&str> = tops.map(String::as_str).collect();
        tops.dedup();
        let hints = tops.iter().map(|found| did_you_mean(found, [name]));
        let hint = hints
            .into_iter()
            .find(|hint| !hint.is_empty())
            .unwrap_or_default();
        Error::Malformed {
            path: path.to_path_buf(),
            place: "its columns".to_owned(),
            expected: expected.to_owned(),
            found: format!("'{}'{hint}", tops.join("', '")),
        }
    };
    let images =
        "a column 'image' or 'img' of structs with the images' bytes, or of the bytes themselves";
    let labels = "a column 'label', 'labels' or 'fine_label' of whole numbers or texts";
    Ok((
        image.ok_or_else(|| lacks(images, "image"))?,
        label.ok_or_else(|| lacks(labels, "label"))?,
    ))
}

fn is_image(column: &ColumnDescriptor, name: &str) -> bool {
    let text = column.converted_type() == ConvertedType::UTF8
        || column.logical_type_ref() == Some(&LogicalType::String);
    let parts = column.path().parts();
    (parts == [name, BYTES] || parts == [name] && !text)
        && column.physical_type() == Type::BYTE_ARRAY
        && column.max_rep_level() == 0
}

fn is_label(column: &ColumnDescriptor, name: &str) -> bool {
    let kinds = [Type::INT32, Type::INT64, Type::BYTE_ARRAY];
    column.path().parts() == [name]
        && kinds.contains(&column.physical_type())
        && column.max_rep_level() == 0
}

/// The names in the description of the column of labels.
fn class_names(file: &FileMetaData, labels: usize) -> Option<Vec<String>> {
    let pairs = file.key_value_metadata()?;
    let text = pairs
        .iter()
        .find(|pair| pair.key == DESCRIPTION)?
        .value
        .as_ref()?;
    let description: Value = serde_json::from_str(text).ok()?;
    let name = file.schema_descr().column(labels).name().to_owned();
    let names = description
        .get("info")?
        .get("features")?
        .get(&name)?
        .get("names")?;
    let names = names.as_array()?.iter();
    names.map(|name| name.as_str().map(str::to_owned)).collect()
}

/// What `read` gives. The crate panics on some damaged files; that is an error here.
fn fenced<T>(path: &Path, read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Err(ParquetError::NYI(found))) => Err(unsupported(
            path,
            "pages of plain values or of a dictionary",
            &found,
        )),
        Ok(result) => result.map_err(|error| damaged(path, error.to_string())),
        Err(_) => Err(damaged(path, "what no reader understands".to_owned())),
    }
}

fn damaged(path: &Path, found: String) -> Error {
    Error::Malformed {
        path: path.to_path_buf(),
        place: "its pages".to_owned(),
        expected: "a Parquet file (is it damaged? fetch or write it again)".to_owned(),
        found,
    }
}

/// What is as it should be, but not read here.
fn unsupported(path: &Path, expected: &str, found: &str) -> Error {
    Error::Malformed {
        path: path.to_path_buf(),
        place: "its pages".to_owned(),
        expected: expected.to_owned(),
        found: format!("{found}; write the file again"),
    }
}
