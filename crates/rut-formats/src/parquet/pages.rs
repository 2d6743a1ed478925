//! The pages of a column, one after the other. Their headers are read here and not by the `parquet` crate, which takes as much
//! memory as they say: a page is decoded up to what its header says, that is bounded, and so are all pages of a column together.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;

use super::codec;
use super::header::{Header, Kind};

/// Bytes of the largest page.
const MAX_PAGE: usize = 256 << 20;
/// Bytes that all pages of a column may become together, beyond four times what is stored.
const MOST_BEYOND: usize = 256 << 20;

/// Where the values of a dictionary are in memory, once it was read: they stay there as long as the column is read.
pub(super) type Dictionary = Arc<OnceLock<Range<usize>>>;

/// The pages of a column that are not yet read.
pub(super) struct Pages {
    rest: Bytes,
    compression: Compression,
    /// Values that are not yet read.
    values: u64,
    /// The highest levels, of definition and of repetition.
    levels: [i16; 2],
    dictionary: Dictionary,
}

impl Pages {
    /// The pages in `bytes`, which are those of the column that `chunk` describes.
    ///
    /// # Errors
    /// If the headers do not fit the bytes, or say that they become more than is read.
    pub(super) fn new(bytes: Bytes, chunk: &ColumnChunkMetaData) -> Result<Pages> {
        let column = chunk.column_descr();
        let pages = Pages {
            rest: bytes,
            compression: chunk.compression(),
            levels: [column.max_def_level(), column.max_rep_level()],
            values: u64::try_from(chunk.num_values()).unwrap_or_default(),
            dictionary: Dictionary::default(),
        };
        pages.check()?;
        Ok(pages)
    }

    /// Looks through the headers before any page is decoded.
    fn check(&self) -> Result<()> {
        let most = self
            .rest
            .len()
            .saturating_mul(4)
            .saturating_add(MOST_BEYOND);
        let (mut ahead, mut total) = (self.at_start(), 0usize);
        while let Some((header, end, stored)) = ahead.ahead()? {
            if header.size > MAX_PAGE && self.compression != Compression::UNCOMPRESSED {
                let size = header.size;
                let text = format!("a page of {size} bytes, where at most {MAX_PAGE} are read");
                return Err(damaged(text));
            }
            let size = match self.compression {
                Compression::UNCOMPRESSED => stored.len(),
                _ => header.size,
            };
            total = total.saturating_add(size);
            ahead.pass_over(&header, end);
        }
        if total <= most {
            Ok(())
        } else {
            Err(damaged(format!(
                "pages of {total} bytes in one row group, where at most {most} are read; write it again with smaller ones"
            )))
        }
    }

    /// The same pages, to look through.
    fn at_start(&self) -> Pages {
        Pages {
            rest: self.rest.clone(),
            dictionary: Dictionary::default(),
            ..*self
        }
    }

    fn pass_over(&mut self, header: &Header, end: usize) {
        self.rest = self.rest.slice(end..);
        self.values = self.values.saturating_sub(header.kind.values().into());
    }

    /// Where the dictionary will be.
    pub(super) fn dictionary(&self) -> Dictionary {
        Arc::clone(&self.dictionary)
    }

    /// The next header, its length, and the stored bytes of its page; nothing at the end.
    fn ahead(&self) -> Result<Option<(Header, usize, Bytes)>> {
        if self.rest.is_empty() || self.values == 0 {
            return Ok(None);
        }
        let (header, length) =
            Header::read(&self.rest).ok_or_else(|| damaged("a page header that is cut short"))?;
        let end = length.checked_add(header.stored);
        let end = end.filter(|end| *end <= self.rest.len());
        let end = end.ok_or_else(|| damaged("a page that is cut short"))?;
        let stored = self.rest.slice(length..end);
        Ok(Some((header, end, stored)))
    }

    /// The bytes of a page, of which the first `plain` are stored as they are.
    fn decoded(&self, header: &Header, stored: &Bytes, plain: usize) -> Result<Bytes> {
        if self.compression == Compression::UNCOMPRESSED {
            return Ok(stored.clone());
        }
        let levels = stored.get(..plain).filter(|_| plain <= header.size);
        let levels = levels.ok_or_else(|| damaged("levels longer than their page"))?;
        let values = codec::decode(self.compression, &stored[plain..], header.size - plain);
        let values = values.map_err(damaged)?;
        match plain {
            0 => Ok(Bytes::from(values)),
            _ => Ok(Bytes::from([levels, &values].concat())),
        }
    }

    fn page(&self, header: &Header, stored: &Bytes) -> Result<Option<Page>> {
        let page = match header.kind {
            Kind::Data {
                values,
                encoding,
                definition,
                repetition,
            } => Page::DataPage {
                buf: self.decoded(header, stored, 0)?,
                num_values: values,
                encoding: of_values(encoding)?,
                def_level_encoding: of_levels(definition, self.levels[0])?,
                rep_level_encoding: of_levels(repetition, self.levels[1])?,
                statistics: None,
            },
            Kind::Dictionary { values, encoding } => {
                let buf = self.decoded(header, stored, 0)?;
                // The decoder takes memory for so many.
                if values as usize > buf.len() {
                    return Err(damaged("a dictionary of more values than bytes"));
                }
                let start = buf.as_ptr().addr();
                // A second dictionary is refused by the decoder.
                let _ = self.dictionary.set(start..start + buf.len());
                Page::DictionaryPage {
                    buf,
                    num_values: values,
                    encoding: of_values(encoding)?,
                    is_sorted: false,
                }
            }
            Kind::DataV2 {
                values,
                nulls,
                rows,
                encoding,
                definition,
                repetition,
                encoded,
            } => {
                let plain = (definition as usize).saturating_add(repetition as usize);
                let buf = if encoded {
                    self.decoded(header, stored, plain)?
                } else {
                    stored.clone()
                };
                Page::DataPageV2 {
                    buf,
                    num_values: values,
                    encoding: of_values(encoding)?,
                    num_nulls: nulls,
                    num_rows: rows,
                    def_levels_byte_len: definition,
                    rep_levels_byte_len: repetition,
                    is_compressed: false,
                    statistics: None,
                }
            }
            Kind::Other => return Ok(None),
        };
        Ok(Some(page))
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        while let Some((header, end, stored)) = self.ahead()? {
            self.pass_over(&header, end);
            if let Some(page) = self.page(&header, &stored)? {
                return Ok(Some(page));
            }
        }
        Ok(None)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        let metadata = |(header, ..): (Header, usize, Bytes)| PageMetadata {
            num_rows: None,
            num_levels: Some(header.kind.values() as usize),
            is_dict: matches!(header.kind, Kind::Dictionary { .. }),
        };
        Ok(self.ahead()?.map(metadata))
    }

    fn skip_next_page(&mut self) -> Result<()> {
        if let Some((header, end, _)) = self.ahead()? {
            self.pass_over(&header, end);
        }
        Ok(())
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Result<Page>> {
        self.get_next_page().transpose()
    }
}

fn damaged(text: impl Into<String>) -> ParquetError {
    ParquetError::General(text.into())
}

/// The encoding of values that has this number. The others allocate before they check, and no supported file needs them.
fn of_values(number: u32) -> Result<Encoding> {
    match number {
        0 => Ok(Encoding::PLAIN),
        2 => Ok(Encoding::PLAIN_DICTIONARY),
        8 => Ok(Encoding::RLE_DICTIONARY),
        other => Err(unknown(other)),
    }
}

/// The encoding of levels up to `highest` that has this number; none are stored where that is 0, whatever is said of them.
fn of_levels(number: u32, highest: i16) -> Result<Encoding> {
    match number {
        3 => Ok(Encoding::RLE),
        _ if highest == 0 => Ok(Encoding::RLE),
        other => Err(unknown(other)),
    }
}

fn unknown(number: u32) -> ParquetError {
    let names = [
        (4, "BIT_PACKED"),
        (5, "DELTA_BINARY_PACKED"),
        (6, "DELTA_LENGTH_BYTE_ARRAY"),
        (7, "DELTA_BYTE_ARRAY"),
        (9, "BYTE_STREAM_SPLIT"),
    ];
    let known = names.iter().find(|(known, _)| *known == number);
    let name = known.map_or_else(
        || format!("number {number}"),
        |(_, name)| (*name).to_owned(),
    );
    ParquetError::NYI(format!("the encoding {name}"))
}
