//! Parquet files (<https://parquet.apache.org/docs/file-format/>): the schema, and columns of numbers, texts and bytes,
//! one row group at a time.
//!
//! The `parquet` crate reads them, inside a fence: pages are decoded here, within bounds, encodings that no table of
//! images needs are refused, and a panic of the crate on a damaged file is caught and becomes an error.

mod codec;
mod column;
mod footer;
mod header;
mod pages;
mod thrift;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::schema::types::ColumnDescriptor;

use crate::Fault;

pub use codec::ENCODINGS;
pub use column::Values;

/// Where in a file its pages are, for errors.
const PAGES: &str = "its pages";

/// What stands at the end of a file: what its columns are, and where.
#[derive(Clone, Debug)]
pub struct Footer {
    metadata: ParquetMetaData,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers of 32 or 64 bits.
    Numbers,
    /// Bytes that are said to be UTF-8.
    Texts,
    /// Bytes of any kind.
    Bytes,
    /// Anything else, or several values in a row.
    Other,
}

/// A column of a schema.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// Its name, after those of the structs that it is in.
    pub path: &'a [String],
    /// What it holds.
    pub kind: Kind,
}

impl Footer {
    /// Reads the end of `file`.
    ///
    /// # Errors
    /// If it is no Parquet file, or a damaged one.
    pub fn read(file: &File) -> Result<Footer, Fault> {
        let read = || {
            footer::check(file)?;
            ParquetMetaDataReader::new().parse_and_finish(file)
        };
        let metadata = fenced(read)?;
        Ok(Footer { metadata })
    }

    /// The columns, in their order; structs are taken apart.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = Column<'_>> {
        let columns = self.metadata.file_metadata().schema_descr().columns();
        columns.iter().map(|column| Column {
            path: column.path().parts(),
            kind: kind(column),
        })
    }

    /// The text that the file's writer put under `key`.
    pub fn text(&self, key: &str) -> Option<&str> {
        let pairs = self.metadata.file_metadata().key_value_metadata()?;
        let pair = pairs.iter().find(|pair| pair.key == key)?;
        pair.value.as_deref()
    }

    /// The rows of each row group; a number below zero counts as none.
    pub fn group_sizes(&self) -> impl ExactSizeIterator<Item = usize> {
        let groups = self.metadata.row_groups().iter();
        groups.map(|group| usize::try_from(group.num_rows()).unwrap_or_default())
    }

    /// The rows of all row groups; nothing if the file says a number below zero or beyond counting.
    pub fn rows(&self) -> Option<u64> {
        let groups = self.metadata.row_groups().iter();
        let mut counts = groups.map(|group| u64::try_from(group.num_rows()).ok());
        let total = counts.try_fold(0u64, |total, count| total.checked_add(count?))?;
        Some(total).filter(|total| i64::try_from(*total).is_ok())
    }

    /// The bytes that these columns take of the file, over all row groups; a size below 0 is an error when the column is read.
    pub fn stored(&self, columns: &[usize]) -> u64 {
        let groups = self.metadata.row_groups().iter();
        let lengths = groups.flat_map(|group| {
            let length = |column: &usize| group.column(*column).compressed_size();
            columns.iter().map(length)
        });
        lengths.fold(0, |total: u64, length| {
            total.saturating_add(u64::try_from(length).unwrap_or_default())
        })
    }

    /// The first encoding of pages of these columns that this build does not read: `ZSTD`, `BROTLI`.
    pub fn unread_encoding(&self, columns: &[usize]) -> Option<String> {
        let groups = self.metadata.row_groups().iter();
        let mut encodings = groups.flat_map(|group| {
            let encoding = |column: &usize| group.column(*column).compression();
            columns.iter().map(encoding)
        });
        let unread = encodings.find(|encoding| !codec::is_read(*encoding))?;
        let name = unread.to_string();
        Some(name.split('(').next().unwrap_or_default().to_owned())
    }

    /// The values of column number `column` in row group number `group` of `file`, which this is the footer of.
    ///
    /// # Errors
    /// If there are no such values, their encoding is not supported, or they are damaged.
    pub fn values(&self, file: &File, group: usize, column: usize) -> Result<Values, Fault> {
        fenced(|| {
            let group = self.metadata.row_group(group);
            let rows = usize::try_from(group.num_rows())?;
            column::read(file, group.column(column), rows)
        })
    }
}

fn kind(column: &ColumnDescriptor) -> Kind {
    let text = column.converted_type() == ConvertedType::UTF8
        || column.logical_type_ref() == Some(&LogicalType::String);
    match column.physical_type() {
        _ if column.max_rep_level() != 0 => Kind::Other,
        Type::INT32 | Type::INT64 => Kind::Numbers,
        Type::BYTE_ARRAY if text => Kind::Texts,
        Type::BYTE_ARRAY => Kind::Bytes,
        _ => Kind::Other,
    }
}

/// What `read` gives. The crate panics on some damaged files; that is an error here.
fn fenced<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, Fault> {
    let damaged = |found: String| {
        let expected = "a Parquet file (is it damaged? fetch or write it again)";
        Fault::new(PAGES, expected, found)
    };
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Err(ParquetError::NYI(found))) => {
            let expected = "pages of plain values or of a dictionary";
            Err(Fault::new(
                PAGES,
                expected,
                format!("{found}; write the file again"),
            ))
        }
        Ok(result) => result.map_err(|error| damaged(error.to_string())),
        Err(_) => Err(damaged("what no reader understands".to_owned())),
    }
}
