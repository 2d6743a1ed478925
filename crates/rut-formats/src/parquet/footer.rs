//! The footer of a file (`FileMetaData` in `parquet.thrift` of the Parquet format), looked through before the `parquet` crate
//! reads it: that one believes what a list says of its length, however few bytes follow, and reads what should be one type as
//! another. Here every field is of its type, and every element takes a byte at least.

use std::fs::File;

use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use super::thrift::{self, Compact};

/// What a file ends with.
const MAGIC: &[u8] = b"PAR1";
/// Bytes of the magic and the footer's length.
const TAIL: u64 = 8;
/// The highest id of a field.
const LAST: i64 = i16::MAX as i64;

/// The type of a field, with those in it.
enum Kind {
    Truth,
    Byte,
    Short,
    Int,
    Long,
    Double,
    Bytes,
    List(&'static Kind),
    Struct(&'static [(i64, Kind)]),
}

use Kind::{Byte, Bytes, Double, Int, List, Long, Short, Struct, Truth};

const EMPTY: Kind = Struct(&[]);
const UNIT: Kind = Struct(&[(1, EMPTY), (2, EMPTY), (3, EMPTY)]);
const KEY_VALUE: Kind = Struct(&[(1, Bytes), (2, Bytes)]);
const LOGICAL: Kind = Struct(&[
    (1, EMPTY),
    (2, EMPTY),
    (3, EMPTY),
    (4, EMPTY),
    (5, Struct(&[(1, Int), (2, Int)])),
    (6, EMPTY),
    (7, Struct(&[(1, Truth), (2, UNIT)])),
    (8, Struct(&[(1, Truth), (2, UNIT)])),
    (10, Struct(&[(1, Byte), (2, Truth)])),
    (11, EMPTY),
    (12, EMPTY),
    (13, EMPTY),
    (14, EMPTY),
    (15, EMPTY),
    (16, Struct(&[(1, Byte)])),
    (17, Struct(&[(1, Bytes)])),
    (18, Struct(&[(1, Bytes), (2, Int)])),
]);
const SCHEMA: Kind = Struct(&[
    (1, Int),
    (2, Int),
    (3, Int),
    (4, Bytes),
    (5, Int),
    (6, Int),
    (7, Int),
    (8, Int),
    (9, Int),
    (10, LOGICAL),
]);
const STATISTICS: Kind = Struct(&[
    (1, Bytes),
    (2, Bytes),
    (3, Long),
    (4, Long),
    (5, Bytes),
    (6, Bytes),
    (7, Truth),
    (8, Truth),
    (9, Long),
]);
const BOX: Kind = Struct(&[
    (1, Double),
    (2, Double),
    (3, Double),
    (4, Double),
    (5, Double),
    (6, Double),
    (7, Double),
    (8, Double),
]);
const COLUMN: Kind = Struct(&[
    (1, Int),
    (2, List(&Int)),
    (3, List(&Bytes)),
    (4, Int),
    (5, Long),
    (6, Long),
    (7, Long),
    (8, List(&KEY_VALUE)),
    (9, Long),
    (10, Long),
    (11, Long),
    (12, STATISTICS),
    (13, List(&Struct(&[(1, Int), (2, Int), (3, Int)]))),
    (14, Long),
    (15, Int),
    (16, Struct(&[(1, Long), (2, List(&Long)), (3, List(&Long))])),
    (17, Struct(&[(1, BOX), (2, List(&Int))])),
]);
const CHUNK: Kind = Struct(&[
    (1, Bytes),
    (2, Long),
    (3, COLUMN),
    (4, Long),
    (5, Int),
    (6, Long),
    (7, Int),
]);
const ROW_GROUP: Kind = Struct(&[
    (1, List(&CHUNK)),
    (2, Long),
    (3, Long),
    (4, List(&Struct(&[(1, Int), (2, Truth), (3, Truth)]))),
    (5, Long),
    (6, Long),
    (7, Short),
]);
const FILE: Kind = Struct(&[
    (1, Int),
    (2, List(&SCHEMA)),
    (3, Long),
    (4, List(&ROW_GROUP)),
    (5, List(&KEY_VALUE)),
    (6, Bytes),
    (7, List(&Struct(&[(1, EMPTY), (2, EMPTY)]))),
]);

/// Looks through the footer of a file; what is not where a footer should be is left to the crate to name.
///
/// # Errors
/// If it cannot be read, or is none of the format.
pub(super) fn check(file: &File) -> Result<()> {
    let Some(at) = file.len().checked_sub(TAIL) else {
        return Ok(());
    };
    let tail = file.get_bytes(at, TAIL as usize)?;
    let (length, magic) = tail.split_at(4);
    let length = length.iter().rev();
    let length = length.fold(0_u64, |length, &byte| length << 8 | u64::from(byte));
    match at.checked_sub(length) {
        Some(start) if magic == MAGIC => {
            let bytes = file.get_bytes(start, usize::try_from(length)?)?;
            let read = FILE.read(&mut Compact { rest: &bytes });
            let text = "a footer that is damaged, or none of the format";
            read.ok_or_else(|| ParquetError::General(text.to_owned()))
        }
        _ => Ok(()),
    }
}

impl Kind {
    /// Whether this is how `wire` is called.
    fn is(&self, wire: u8) -> bool {
        match self {
            Truth => matches!(wire, thrift::TRUE | thrift::FALSE),
            Byte => wire == thrift::BYTE,
            Short => wire == thrift::I16,
            Int => wire == thrift::I32,
            Long => wire == thrift::I64,
            Double => wire == thrift::DOUBLE,
            Bytes => wire == thrift::BINARY,
            List(_) => wire == thrift::LIST,
            Struct(_) => wire == thrift::STRUCT,
        }
    }

    /// Reads a value of type `wire`, which is this kind's.
    fn read_as(&self, wire: u8, reader: &mut Compact<'_>) -> Option<()> {
        match self {
            _ if !self.is(wire) => None,
            List(element) => {
                let (wire, count) = reader.list()?;
                (0..count).try_for_each(|_| element.read_as(wire, reader))
            }
            Struct(_) => self.read(reader),
            _ => reader.skip(wire, thrift::MAX_DEPTH),
        }
    }

    /// Reads a struct, whose fields that are not known may be anything.
    fn read(&self, reader: &mut Compact<'_>) -> Option<()> {
        let Struct(known) = self else {
            return None;
        };
        let mut id = 0;
        while let Some(wire) = reader.field(&mut id)? {
            match known.iter().find(|(known, _)| *known == id) {
                _ if !(1..=LAST).contains(&id) => return None,
                Some((_, kind)) => kind.read_as(wire, reader)?,
                None => reader.skip(wire, thrift::MAX_DEPTH)?,
            }
        }
        Some(())
    }
}
