//! One column of one row group.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use bytes::buf::Reader;
use bytes::{Buf, Bytes};
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use super::pages;

/// Rows taken at a time: what a file says of the number of its values takes no memory.
const BATCH: usize = 1024;
/// What one byte can become: Snappy copies at most 64 bytes with three.
const SNAPPY_GROWTH: u64 = 22;

/// The values of a column, one per row.
pub(super) enum Values {
    Numbers(Vec<Option<i64>>),
    Texts(Vec<Option<Bytes>>),
}

/// Reads the `rows` values of the column that `chunk` describes.
pub(super) fn read(file: &File, chunk: &ColumnChunkMetaData, rows: usize) -> Result<Values> {
    let growth = match chunk.compression() {
        Compression::UNCOMPRESSED => 1,
        Compression::SNAPPY => SNAPPY_GROWTH,
        other => {
            let text = format!("compression {other}; write it again with SNAPPY or none");
            return Err(ParquetError::General(text));
        }
    };
    // The crate asserts that these are none; the file may say what it likes.
    let places = [chunk.data_page_offset(), chunk.compressed_size()];
    if places
        .into_iter()
        .chain(chunk.dictionary_page_offset())
        .any(|place| place < 0)
    {
        return Err(ParquetError::EOF(
            "a column before the beginning of the file".to_owned(),
        ));
    }
    let (start, length) = chunk.byte_range();
    let end = start.checked_add(length).filter(|end| *end <= file.len());
    end.ok_or_else(|| ParquetError::EOF("a column beyond the end of the file".to_owned()))?;
    let bytes = file.get_bytes(start, usize::try_from(length)?)?;
    pages::check(&bytes, growth).map_err(|found| ParquetError::General(found.to_owned()))?;
    let stretch = Arc::new(Stretch { start, bytes });
    let reader = Guarded(SerializedPageReader::new(stretch, chunk, rows, None)?);
    let complete = chunk.column_descr().max_def_level();
    match get_column_reader(chunk.column_descr_ptr(), Box::new(reader)) {
        ColumnReader::Int32ColumnReader(reader) => {
            let numbers = drain(reader, complete, rows)?.into_iter();
            Ok(Values::Numbers(
                numbers.map(|number| number.map(i64::from)).collect(),
            ))
        }
        ColumnReader::Int64ColumnReader(reader) => {
            Ok(Values::Numbers(drain(reader, complete, rows)?))
        }
        ColumnReader::ByteArrayColumnReader(reader) => {
            Ok(Values::Texts(copies(&drain(reader, complete, rows)?)))
        }
        _ => Err(ParquetError::General("a column of another type".to_owned())),
    }
}

/// Copies, so that a small value does not keep the page alive that it was on. Rows that share a
/// value of a dictionary share its copy: a short run of indices may stand for many rows.
fn copies(values: &[Option<ByteArray>]) -> Vec<Option<Bytes>> {
    // All pages are alive as long as `values` is, so that an address stands for one value.
    let mut copied = HashMap::new();
    let mut copy = |value: &ByteArray| -> Bytes {
        let data = value.data();
        let copy = copied.entry((data.as_ptr(), data.len()));
        copy.or_insert_with(|| Bytes::copy_from_slice(data)).clone()
    };
    values
        .iter()
        .map(|value| value.as_ref().map(&mut copy))
        .collect()
}

/// All values; nothing where a row's level is not `complete`.
fn drain<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    complete: i16,
    rows: usize,
) -> Result<Vec<Option<T::T>>> {
    let mut drained = Vec::new();
    loop {
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        let (records, ..) = reader.read_records(BATCH, Some(&mut levels), None, &mut values)?;
        if complete == 0 {
            drained.extend(values.into_iter().map(Some));
        } else {
            let mut values = values.into_iter();
            let value = |level: &i16| (*level == complete).then(|| values.next()).flatten();
            drained.extend(levels.iter().map(value));
        }
        match records {
            0 if drained.len() == rows => return Ok(drained),
            1.. if drained.len() <= rows => {}
            _ => {
                let text = format!("{} values in {rows} rows", drained.len());
                return Err(ParquetError::General(text));
            }
        }
    }
}

/// A stretch of a file in memory, at the offsets of the file.
struct Stretch {
    start: u64,
    bytes: Bytes,
}

impl Stretch {
    fn from(&self, start: u64) -> Result<Bytes> {
        let offset = start
            .checked_sub(self.start)
            .and_then(|offset| usize::try_from(offset).ok());
        match offset.filter(|offset| *offset <= self.bytes.len()) {
            Some(offset) => Ok(self.bytes.slice(offset..)),
            None => Err(ParquetError::EOF("a page outside its column".to_owned())),
        }
    }
}

impl Length for Stretch {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for Stretch {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let bytes = self.from(start)?;
        match length <= bytes.len() {
            true => Ok(bytes.slice(..length)),
            false => Err(ParquetError::EOF("a page beyond its column".to_owned())),
        }
    }
}

/// The pages of a column, without those for which decoders take memory before they look.
struct Guarded(SerializedPageReader<Stretch>);

impl PageReader for Guarded {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let Some(page) = self.0.get_next_page()? else {
            return Ok(None);
        };
        let plain = matches!(
            page.encoding(),
            Encoding::PLAIN | Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY
        );
        let possible =
            !page.is_dictionary_page() || page.num_values() as usize <= page.buffer().len();
        match plain && possible {
            true => Ok(Some(page)),
            false => {
                let text = format!(
                    "{} values in the encoding {}",
                    page.num_values(),
                    page.encoding()
                );
                Err(ParquetError::General(text))
            }
        }
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.0.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.0.skip_next_page()
    }
}

impl Iterator for Guarded {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Result<Page>> {
        self.get_next_page().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_share_the_copy_of_a_value_that_they_share() {
        let page = Bytes::from_static(b"onetwo");
        let [one, two] = [page.slice(..3), page.slice(3..)].map(ByteArray::from);
        let rows = [Some(one.clone()), None, Some(two), Some(one)];
        let copies = copies(&rows);
        let texts: Vec<Option<&[u8]>> = copies.iter().map(Option::as_deref).collect();
        assert_eq!(
            texts,
            [Some(b"one".as_slice()), None, Some(b"two"), Some(b"one")]
        );
        let place = |row: usize| copies[row].as_ref().map(|copy| copy.as_ptr());
        assert_eq!(place(0), place(3));
        assert_ne!(place(0), Some(page.as_ptr()));
    }
}
