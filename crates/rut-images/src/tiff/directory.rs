//! The first directory of a TIFF or BigTIFF file (TIFF 6.0, section 2): fields by their numbers. Nothing is copied or
//! believed: what a field names lies in the file or is not there.

/// In which order the bytes of a number stand.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    /// The number that these bytes are, at most eight.
    pub(super) fn number(self, bytes: &[u8]) -> u64 {
        let add = |number: u64, &byte: &u8| number << 8 | u64::from(byte);
        match self {
            Order::Big => bytes.iter().fold(0, add),
            Order::Little => bytes.iter().rev().fold(0, add),
        }
    }
}

/// A directory.
pub(super) struct Directory<'a> {
    file: &'a [u8],
    pub(super) order: Order,
    /// Bytes of an offset: 4, or 8 in BigTIFF.
    offset: usize,
    /// The entries, one after the other.
    entries: &'a [u8],
}

impl<'a> Directory<'a> {
    /// The first directory of a file; nothing if it is not there.
    pub(super) fn first(file: &'a [u8]) -> Option<Directory<'a>> {
        let order = match file.get(..2)? {
            b"II" => Order::Little,
            _ => Order::Big,
        };
        let number = |at: usize, length: usize| {
            let bytes = file.get(at..at.checked_add(length)?)?;
            usize::try_from(order.number(bytes)).ok()
        };
        let (offset, pointer, count) = match number(2, 2)? {
            42 => (4, 4, 2),
            _ => (8, 8, 8),
        };
        let at = number(pointer, offset)?;
        let length = number(at, count)?.checked_mul(4 + 2 * offset)?;
        let start = at.checked_add(count)?;
        Some(Directory {
            file,
            order,
            offset,
            entries: file.get(start..start.checked_add(length)?)?,
        })
    }

    /// Whether one of these fields is there, but not what it holds: it is of a type that counts nothing, or reaches beyond
    /// the file.
    pub(super) fn is_cut_short(&self, tags: &[u16]) -> bool {
        let cut = |&tag: &u16| self.entry(tag).is_some() && self.field(tag).is_none();
        tags.iter().any(cut)
    }

    fn entry(&self, tag: u16) -> Option<&'a [u8]> {
        let of_tag = |entry: &&[u8]| self.order.number(&entry[..2]) == u64::from(tag);
        self.entries.chunks_exact(4 + 2 * self.offset).find(of_tag)
    }

    /// The field of this number, if it is there.
    pub(super) fn field(&self, tag: u16) -> Option<Field<'a>> {
        let entry = self.entry(tag)?;
        let width = match self.order.number(&entry[2..4]) {
            1 | 7 => 1,
            3 => 2,
            4 | 13 => 4,
            16 => 8,
            _ => return None,
        };
        let (count, value) = entry[4..].split_at(self.offset);
        let length = usize::try_from(self.order.number(count))
            .ok()?
            .checked_mul(width)?;
        let bytes = if length <= self.offset {
            &value[..length]
        } else {
            let at = usize::try_from(self.order.number(value)).ok()?;
            self.file.get(at..at.checked_add(length)?)?
        };
        let order = self.order;
        Some(Field {
            order,
            width,
            bytes,
        })
    }

    /// The first number of a field, or what stands for it where it is not there.
    pub(super) fn number(&self, tag: u16, default: u64) -> u64 {
        self.field(tag)
            .and_then(|field| field.get(0))
            .unwrap_or(default)
    }

    /// The bytes of the file from `at`, at most `length` of them; none beyond its end.
    pub(super) fn bytes(&self, at: u64, length: u64) -> &'a [u8] {
        let clamp =
            |at: u64| usize::try_from(at).map_or(self.file.len(), |at| at.min(self.file.len()));
        &self.file[clamp(at)..clamp(at.saturating_add(length))]
    }
}

/// The numbers of a field.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    order: Order,
    width: usize,
    bytes: &'a [u8],
}

impl Field<'_> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() / self.width
    }

    /// One of them.
    pub(super) fn get(&self, index: usize) -> Option<u64> {
        let at = index.checked_mul(self.width)?;
        Some(
            self.order
                .number(self.bytes.get(at..at.checked_add(self.width)?)?),
        )
    }
}
