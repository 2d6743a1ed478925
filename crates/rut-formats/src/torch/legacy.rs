//! Files before PyTorch 1.6: pickles of a magic number, a version, the writer's machine, the value and
//! the keys of its storages, then the storages in the order of the keys, each behind its number of
//! elements (PyTorch, `_legacy_save`).

use std::io::{Read, Seek, SeekFrom};

use super::refusal::Refusal;
use super::storage::{Storage, Storages};
use crate::Fault;
use crate::pickle::{Names, Pickle, Value, parse_names};
use crate::zip::fields::{io, read_at};

/// The magic number, little-endian: 0x1950a86a20f9469cfc6c.
const MAGIC: &[u8] = b"l\xfc\x9cF\xf9 j\xa8P\x19";
/// The only version that there is.
const VERSION: i64 = 1001;
/// Bytes that are read at first; pickles are longer where a file has many tensors.
const FIRST: u64 = 1 << 20;
/// The length of a number of elements.
const COUNT: u64 = 8;

/// A file of this kind.
pub(super) struct Legacy<R> {
    pub(super) source: R,
    length: u64,
    keys: Vec<Box<[u8]>>,
    /// Where the storages begin.
    data: u64,
    pub(super) is_big: bool,
    /// Where each storage of the table starts.
    starts: Vec<Option<u64>>,
}

/// The length of the magic number's pickle at the start of a file that has it.
pub(super) fn magic(start: &[u8]) -> Option<usize> {
    let pickle = parse_names(start, Names::Any).ok()?;
    (pickle.root().long() == Some(MAGIC)).then(|| pickle.length())
}

/// Finds the pickles; the bytes of the value's.
pub(super) fn open<R: Read + Seek>(
    mut source: R,
    length: u64,
    magic: usize,
) -> Result<(Legacy<R>, Vec<u8>), Refusal> {
    let mut bytes = Vec::new();
    let mut most = FIRST;
    let (value, header) = loop {
        io(source.seek(SeekFrom::Start(bytes.len() as u64)), "pickles")?;
        let more = most.min(length) - bytes.len() as u64;
        io(
            source.by_ref().take(more).read_to_end(&mut bytes),
            "pickles",
        )?;
        match header(&bytes, magic) {
            Ok(found) => break found,
            // A pickle that goes on behind what was read: as much again is read.
            Err(refusal) if most >= length => return Err(refusal),
            Err(_) => most = most.saturating_mul(4),
        }
    };
    let Header { keys, data, is_big } = header;
    bytes.truncate(value.end);
    bytes.drain(..value.start);
    let legacy = Legacy {
        source,
        length,
        keys,
        data,
        is_big,
        starts: Vec::new(),
    };
    Ok((legacy, bytes))
}

/// What the pickles around the value say.
struct Header {
    keys: Vec<Box<[u8]>>,
    data: u64,
    is_big: bool,
}

/// Where the value's pickle is, and what the others say.
fn header(bytes: &[u8], magic: usize) -> Result<(std::ops::Range<usize>, Header), Refusal> {
    let next = |at: usize, name: &str| -> Result<Pickle<'_>, Fault> {
        parse_names(bytes.get(at..).unwrap_or_default(), Names::Any)
            .map_err(|fault| fault.within(&format!("pickle of the {name} at byte {at}")))
    };
    let version = next(magic, "version")?;
    if version.root().integer() != Some(VERSION) {
        let fault = Fault::new("version", VERSION.to_string(), "another one");
        return Err(fault.into());
    }
    let at = magic + version.length();
    let machine = next(at, "machine")?;
    let little = machine.root().get("little_endian").and_then(Value::boolean);
    let start = at + machine.length();
    let end = start + next(start, "value")?.length();
    let keys = next(end, "storages' keys")?;
    let texts = keys.root().items().into_iter().flatten();
    let texts: Option<Vec<Box<[u8]>>> = texts.map(|key| Some(key.bytes()?.into())).collect();
    let header = Header {
        keys: texts.ok_or_else(|| Fault::new("storages' keys", "texts", "other values"))?,
        data: (end + keys.length()) as u64,
        is_big: little == Some(false),
    };
    Ok((start..end, header))
}

impl<R: Read + Seek> Legacy<R> {
    /// Finds the storages, one after the other.
    pub(super) fn locate(&mut self, storages: &Storages) -> Result<(), Fault> {
        self.starts = storages.iter().map(|_| None).collect();
        let mut at = self.data;
        for key in &self.keys {
            let known = storages.place(key);
            let known = known.and_then(|index| Some((index, storages.get(index)?)));
            let Some((index, storage)) = known else {
                let found = "one that no tensor has; the file is damaged";
                return Err(Fault::new("storages' keys", "keys of storages", found));
            };
            if self.length < at.saturating_add(COUNT) {
                return Err(truncated(storage));
            }
            let count = read_at::<{ COUNT as usize }>(&mut self.source, at)?;
            let count = if self.is_big {
                u64::from_be_bytes(count)
            } else {
                u64::from_le_bytes(count)
            };
            if count != storage.count {
                let expected = format!("{} elements", storage.count);
                let found = format!("{count}; the file is damaged or hostile");
                return Err(Fault::new(storage.place(), expected, found));
            }
            let end = (at + COUNT).checked_add(storage.bytes()?);
            let end = end.filter(|&end| end <= self.length);
            let end = end.ok_or_else(|| truncated(storage))?;
            match self.starts.get_mut(index) {
                Some(start @ None) => *start = Some(at + COUNT),
                _ => return Err(Fault::new(storage.place(), "one place", "two")),
            }
            at = end;
        }
        Ok(())
    }

    /// Where a storage starts.
    pub(super) fn start(&self, index: usize, storage: &Storage) -> Result<u64, Fault> {
        let start = self.starts.get(index).copied().flatten();
        start.ok_or_else(|| {
            let found = "none; the file is damaged";
            Fault::new(storage.place(), "its elements", found)
        })
    }
}

fn truncated(storage: &Storage) -> Fault {
    let found = "the end of the file; it is truncated";
    Fault::new(
        storage.place(),
        format!("{} elements", storage.count),
        found,
    )
}
