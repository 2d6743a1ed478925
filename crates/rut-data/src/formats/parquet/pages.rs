//! What the pages of a column say of their sizes, looked through before they are decoded: the
//! decoder takes as much memory as a page header says, up to two gigabytes.
//!
//! Page headers are structs of Thrift's compact protocol; field 2 is the size of the page, field 3
//! the bytes of it that are stored (`parquet.thrift` of the Parquet format).

/// Types of the compact protocol.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;
/// Structs and lists in each other; headers have two.
const MAX_DEPTH: u32 = 8;
/// What a page may be larger than its bytes can become.
const SLACK: u64 = 64;

/// Checks that no page is larger than its stored bytes can become when each grows to at most
/// `growth` bytes.
pub(super) fn check(column: &[u8], growth: u64) -> Result<(), &'static str> {
    let mut reader = Compact { rest: column };
    while !reader.rest.is_empty() {
        let (size, stored) = reader.header().ok_or("a page header that is cut short")?;
        reader.take(stored).ok_or("a page that is cut short")?;
        if size > (stored as u64).saturating_mul(growth).saturating_add(SLACK) {
            return Err("a page that is larger than its bytes can become");
        }
    }
    Ok(())
}

/// Bytes not yet read.
struct Compact<'a> {
    rest: &'a [u8],
}

impl Compact<'_> {
    /// The size of a page and its stored bytes.
    fn header(&mut self) -> Option<(u64, usize)> {
        let (mut size, mut stored, mut id) = (None, None, 0i64);
        while let Some(kind) = self.field(&mut id)? {
            match (id, kind) {
                (2, I32) => size = u64::try_from(self.number()?).ok(),
                (3, I32) => stored = usize::try_from(self.number()?).ok(),
                _ => self.skip(kind, MAX_DEPTH)?,
            }
        }
        Some((size?, stored?))
    }

    /// The type of the next field, whose id replaces the one before; no type at the end.
    fn field(&mut self, id: &mut i64) -> Option<Option<u8>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        *id = match byte >> 4 {
            0 => self.number()?,
            more => id.checked_add(more.into())?,
        };
        Some(Some(byte & 15))
    }

    fn skip(&mut self, kind: u8, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            TRUE | FALSE => Some(()),
            BYTE => self.take(1),
            I16 | I32 | I64 => self.varint().map(|_| ()),
            DOUBLE => self.take(8),
            BINARY => {
                let length = self.varint()?;
                self.take(usize::try_from(length).ok()?)
            }
            LIST | SET => {
                let byte = self.byte()?;
                let count = match byte >> 4 {
                    15 => self.varint()?,
                    count => count.into(),
                };
                (0..count).try_for_each(|_| self.skip_element(byte & 15, depth))
            }
            MAP => {
                let count = self.varint()?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                (0..count).try_for_each(|_| {
                    self.skip_element(kinds >> 4, depth)?;
                    self.skip_element(kinds & 15, depth)
                })
            }
            STRUCT => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, depth)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    /// An element of a list: there, truth takes a byte.
    fn skip_element(&mut self, kind: u8, depth: u32) -> Option<()> {
        match kind {
            TRUE | FALSE => self.take(1),
            _ => self.skip(kind, depth),
        }
    }

    /// A signed number: zigzag of a variable-length one.
    fn number(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn take(&mut self, count: usize) -> Option<()> {
        self.rest = self.rest.get(count..)?;
        Some(())
    }
}
