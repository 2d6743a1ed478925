//! Structs of Thrift's compact protocol, as far as headers of pages need it. Nothing takes memory by what the bytes say.

/// Types of the compact protocol.
pub(super) const TRUE: u8 = 1;
pub(super) const FALSE: u8 = 2;
pub(super) const BYTE: u8 = 3;
pub(super) const I16: u8 = 4;
pub(super) const I32: u8 = 5;
pub(super) const I64: u8 = 6;
pub(super) const DOUBLE: u8 = 7;
pub(super) const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
pub(super) const STRUCT: u8 = 12;
/// Structs and lists in each other; headers have two.
pub(super) const MAX_DEPTH: u32 = 8;
/// Fields with a higher id are skipped; headers have eight.
const MOST_FIELDS: usize = 10;

/// The numbers and truths of a struct, by the ids of their fields.
#[derive(Clone, Copy, Default)]
pub(super) struct Fields([Option<i64>; MOST_FIELDS]);

impl Fields {
    /// The field `id`, if it is there and a number from 0.
    pub(super) fn get(&self, id: usize) -> Option<u32> {
        let value = self.0.get(id).copied().flatten()?;
        u32::try_from(value).ok()
    }
}

/// Bytes not yet read.
pub(super) struct Compact<'a> {
    pub(super) rest: &'a [u8],
}

impl Compact<'_> {
    /// Reads a struct; of the structs in it, `inner` gets those that are fields of it, with their ids.
    pub(super) fn fields(
        &mut self,
        inner: &mut dyn FnMut(i64, &mut Self) -> Option<bool>,
    ) -> Option<Fields> {
        let (mut fields, mut id) = (Fields::default(), 0);
        while let Some(kind) = self.field(&mut id)? {
            let place = usize::try_from(id).ok();
            let value = match kind {
                TRUE => Some(1),
                FALSE => Some(0),
                I16 | I32 | I64 => Some(self.number()?),
                STRUCT if inner(id, self)? => None,
                _ => {
                    self.skip(kind, MAX_DEPTH)?;
                    None
                }
            };
            if let Some(field) = place.and_then(|place| fields.0.get_mut(place)) {
                *field = value;
            }
        }
        Some(fields)
    }

    /// The head of a list: the type of its elements, and how many there should be.
    pub(super) fn list(&mut self) -> Option<(u8, u64)> {
        let byte = self.byte()?;
        let count = match byte >> 4 {
            15 => self.varint()?,
            count => count.into(),
        };
        Some((byte & 15, count))
    }

    /// The type of the next field, whose id replaces the one before; no type at the end.
    pub(super) fn field(&mut self, id: &mut i64) -> Option<Option<u8>> {
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

    /// Passes over a value.
    pub(super) fn skip(&mut self, kind: u8, depth: u32) -> Option<()> {
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
                let (kind, count) = self.list()?;
                (0..count).try_for_each(|_| self.skip_element(kind, depth))
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

    /// An element of a list or map. Those of truths are in no header and no footer, and readers do not agree how long one is.
    fn skip_element(&mut self, kind: u8, depth: u32) -> Option<()> {
        match kind {
            TRUE | FALSE => None,
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
