//! Headers of pages (`PageHeader` in `parquet.thrift` of the Parquet format): what they say, before anything is made of it.

use super::thrift::{Compact, Fields};

/// What stands before a page.
pub(super) struct Header {
    /// Bytes of the page, once it is decoded.
    pub(super) size: usize,
    /// Bytes of it that are stored.
    pub(super) stored: usize,
    /// What the page holds.
    pub(super) kind: Kind,
}

/// What a page holds. Encodings are the numbers of the format.
pub(super) enum Kind {
    /// Levels and values, all of them encoded.
    Data {
        values: u32,
        encoding: u32,
        definition: u32,
        repetition: u32,
    },
    /// Values that data pages refer to.
    Dictionary { values: u32, encoding: u32 },
    /// Levels as they are, and encoded values.
    DataV2 {
        values: u32,
        nulls: u32,
        rows: u32,
        encoding: u32,
        definition: u32,
        repetition: u32,
        encoded: bool,
    },
    /// Nothing that is needed here.
    Other,
}

impl Header {
    /// The header at the beginning of `bytes`, and its length; nothing where it is cut short or senseless.
    pub(super) fn read(bytes: &[u8]) -> Option<(Header, usize)> {
        let mut reader = Compact { rest: bytes };
        let mut parts: [Option<Fields>; 3] = [None; 3];
        let page = reader.fields(&mut |id, reader| {
            let place = match id {
                5 => 0,
                7 => 1,
                8 => 2,
                _ => return Some(false),
            };
            let fields = reader.fields(&mut |_, _| Some(false))?;
            parts[place] = Some(fields);
            Some(true)
        })?;
        let [data, dictionary, data_v2] = parts;
        let kind = match page.get(1)? {
            0 => Kind::data(&data?)?,
            2 => Kind::dictionary(&dictionary?)?,
            3 => Kind::data_v2(&data_v2?)?,
            _ => Kind::Other,
        };
        let header = Header {
            size: usize::try_from(page.get(2)?).ok()?,
            stored: usize::try_from(page.get(3)?).ok()?,
            kind,
        };
        Some((header, bytes.len() - reader.rest.len()))
    }
}

impl Kind {
    /// Values with their levels that the page holds; those of a dictionary are none.
    pub(super) fn values(&self) -> u32 {
        match *self {
            Kind::Data { values, .. } | Kind::DataV2 { values, .. } => values,
            Kind::Dictionary { .. } | Kind::Other => 0,
        }
    }

    fn data(fields: &Fields) -> Option<Kind> {
        Some(Kind::Data {
            values: fields.get(1)?,
            encoding: fields.get(2)?,
            definition: fields.get(3)?,
            repetition: fields.get(4)?,
        })
    }

    fn dictionary(fields: &Fields) -> Option<Kind> {
        Some(Kind::Dictionary {
            values: fields.get(1)?,
            encoding: fields.get(2)?,
        })
    }

    fn data_v2(fields: &Fields) -> Option<Kind> {
        Some(Kind::DataV2 {
            values: fields.get(1)?,
            nulls: fields.get(2)?,
            rows: fields.get(3)?,
            encoding: fields.get(4)?,
            definition: fields.get(5)?,
            repetition: fields.get(6)?,
            encoded: fields.get(7) != Some(0),
        })
    }
}
