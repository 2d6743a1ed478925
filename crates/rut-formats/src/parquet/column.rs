//! One column of one row group.

use std::collections::HashMap;
use std::fs::File;

use bytes::Bytes;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};

use super::pages::{Dictionary, Pages};

/// Rows taken at a time: what a file says of the number of its values takes no memory.
const BATCH: usize = 1024;

/// The values of a column, one per row; nothing where a row has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// Whole numbers.
    Numbers(Vec<Option<i64>>),
    /// Texts or bytes; rows for which the file has a value once share it.
    Texts(Vec<Option<Bytes>>),
}

/// Reads the `rows` values of the column that `chunk` describes.
pub(super) fn read(file: &File, chunk: &ColumnChunkMetaData, rows: usize) -> Result<Values> {
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
    let pages = Pages::new(bytes, chunk)?;
    let mut copies = Copies::of(pages.dictionary());
    let complete = chunk.column_descr().max_def_level();
    match get_column_reader(chunk.column_descr_ptr(), Box::new(pages)) {
        ColumnReader::Int32ColumnReader(reader) => {
            let numbers = drain(reader, complete, rows, |number| number.into())?;
            Ok(Values::Numbers(numbers))
        }
        ColumnReader::Int64ColumnReader(reader) => {
            let numbers = drain(reader, complete, rows, |number| number)?;
            Ok(Values::Numbers(numbers))
        }
        ColumnReader::ByteArrayColumnReader(reader) => {
            let texts = drain(reader, complete, rows, |value| copies.of_value(&value))?;
            Ok(Values::Texts(texts))
        }
        _ => Err(ParquetError::General("a column of another type".to_owned())),
    }
}

/// Copies of values, so that no page stays in memory when it was read. Rows that share a value of the dictionary share its
/// copy: a short run of indices may stand for many rows.
struct Copies {
    dictionary: Dictionary,
    /// By the place of the value.
    copied: HashMap<(usize, usize), Bytes>,
}

impl Copies {
    fn of(dictionary: Dictionary) -> Copies {
        Copies {
            dictionary,
            copied: HashMap::new(),
        }
    }

    fn of_value(&mut self, value: &ByteArray) -> Bytes {
        let data = value.data();
        let start = data.as_ptr().addr();
        match self.dictionary.get() {
            // The dictionary stays where it is, so that a place in it stands for one value.
            Some(dictionary) if dictionary.contains(&start) => {
                let copy = self.copied.entry((start, data.len()));
                copy.or_insert_with(|| Bytes::copy_from_slice(data)).clone()
            }
            _ => Bytes::copy_from_slice(data),
        }
    }
}

/// All values as `keep` keeps them; nothing where a row's level is not `complete`.
fn drain<T: DataType, V>(
    mut reader: ColumnReaderImpl<T>,
    complete: i16,
    rows: usize,
    mut keep: impl FnMut(T::T) -> V,
) -> Result<Vec<Option<V>>> {
    let mut drained = Vec::new();
    loop {
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        let (records, ..) = reader.read_records(BATCH, Some(&mut levels), None, &mut values)?;
        let mut values = values.into_iter().map(&mut keep);
        if complete == 0 {
            drained.extend(values.map(Some));
        } else {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_share_the_copy_of_a_value_of_the_dictionary() {
        let page = Bytes::from_static(b"onetwo");
        let dictionary = Dictionary::default();
        let start = page.as_ptr().addr();
        dictionary.set(start..start + 3).expect("empty");
        let mut copies = Copies::of(dictionary);
        let [one, two] = [page.slice(..3), page.slice(3..)].map(ByteArray::from);
        let texts = [&one, &two, &one, &two].map(|value| copies.of_value(value));
        assert_eq!(texts, [b"one".as_slice(), b"two", b"one", b"two"]);
        let places = texts.map(|text| text.as_ptr());
        assert!(places[0] == places[2] && places[1] != places[3]);
        assert_ne!(places[0], page.as_ptr());
    }
}
