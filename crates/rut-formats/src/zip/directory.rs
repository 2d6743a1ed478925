//! The directory: each entry, checked with the file and with the other entries.

use std::io::{BufReader, Read, Seek, SeekFrom};

use super::Entry;
use super::fields::{io, u16_at, u32_at, u64_at};
use super::locate::{ENTRY, Place};
use crate::{Fault, escape};

/// Bytes of a directory's entry before its name.
const FIXED: usize = 46;
/// Bytes of a local header before its name.
pub(super) const LOCAL: u64 = 30;
/// The zip64 field among the extra ones.
const ZIP_64: u16 = 1;
/// A number that stands in the zip64 field.
const FULL: u64 = 0xffff_ffff;

/// Reads all entries, in the order of their names.
pub(super) fn read(
    source: &mut (impl Read + Seek),
    place: &Place,
    length: u64,
) -> Result<Vec<Entry>, Fault> {
    let most = place.length / FIXED as u64;
    if place.entries > most {
        let found = format!("{} in {} bytes", place.entries, place.length);
        return Err(Fault::new(
            "directory",
            "entries of 46 bytes or more",
            found,
        ));
    }
    io(source.seek(SeekFrom::Start(place.start)), "directory")?;
    let mut directory = BufReader::new(source.take(place.length));
    let mut entries = Vec::with_capacity(place.entries as usize);
    for number in 0..place.entries {
        let entry = one(&mut directory, place.prefix)
            .map_err(|fault| fault.within(&format!("entry {number} of the directory")))?;
        entries.push(entry);
    }
    check_places(&mut entries, length)?;
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    match entries
        .windows(2)
        .find(|pair| matches!(pair, [a, b] if a.name == b.name))
    {
        Some([first, ..]) => Err(first.fault("one entry of this name", "two")),
        _ => Ok(entries),
    }
}

/// The next entry.
fn one(directory: &mut impl Read, prefix: u64) -> Result<Entry, Fault> {
    let mut fixed = [0; FIXED];
    io(directory.read_exact(&mut fixed), "header")?;
    if !fixed.starts_with(ENTRY) {
        let found = "something else; the file is damaged";
        return Err(Fault::new("header", "the signature of an entry", found));
    }
    let mut name = vec![0; u16_at(&fixed, 28).into()];
    io(directory.read_exact(&mut name), "name")?;
    let mut extra = vec![0; u16_at(&fixed, 30).into()];
    io(directory.read_exact(&mut extra), "extra fields")?;
    let mut comment = directory.take(u16_at(&fixed, 32).into());
    io(std::io::copy(&mut comment, &mut std::io::sink()), "comment")?;
    let short = [24, 20, 42].map(|at| u64::from(u32_at(&fixed, at)));
    let [size, compressed, header] = long(short, &extra)?;
    let header = header
        .checked_add(prefix)
        .ok_or_else(|| Fault::new("header", "an offset within the file", "a larger one"))?;
    Ok(Entry {
        name: name.into(),
        size,
        compressed,
        header,
        crc: u32_at(&fixed, 16),
        method: u16_at(&fixed, 10),
        flags: u16_at(&fixed, 8),
    })
}

/// The three numbers, those that are full from the zip64 field, where they stand in this order.
fn long(mut numbers: [u64; 3], extra: &[u8]) -> Result<[u64; 3], Fault> {
    if !numbers.contains(&FULL) {
        return Ok(numbers);
    }
    let mut field = zip_64(extra).unwrap_or_default();
    for number in numbers.iter_mut().filter(|number| **number == FULL) {
        let Some((bytes, rest)) = field.split_at_checked(8) else {
            let found = "none; the file is damaged";
            return Err(Fault::new("extra fields", "a zip64 field", found));
        };
        *number = u64_at(bytes, 0);
        field = rest;
    }
    Ok(numbers)
}

/// The contents of the zip64 field.
fn zip_64(extra: &[u8]) -> Option<&[u8]> {
    let mut rest = extra;
    loop {
        let length = usize::from(u16_at(rest, 2));
        let field = rest.get(4..4 + length)?;
        match u16_at(rest, 0) {
            ZIP_64 => return Some(field),
            _ => rest = rest.get(4 + length..)?,
        }
    }
}

/// Entries must lie within the file, and none over another: by overlaps, a small archive unpacks
/// to any size.
fn check_places(entries: &mut [Entry], length: u64) -> Result<(), Fault> {
    entries.sort_unstable_by_key(|entry| entry.header);
    let mut free = 0;
    for entry in &*entries {
        if entry.header < free {
            let found = "one over another; the file is damaged or hostile";
            return Err(entry.fault("contents of its own", found));
        }
        let end = entry
            .header
            .checked_add(LOCAL)
            .and_then(|start| start.checked_add(entry.name.len() as u64))
            .and_then(|start| start.checked_add(entry.compressed));
        free = end.filter(|&end| end <= length).ok_or_else(|| {
            let found = format!("{} bytes of contents", entry.compressed);
            entry.fault(
                format!("no more than the file's {length} bytes"),
                format!("{found}; the file is truncated or hostile"),
            )
        })?;
    }
    Ok(())
}

impl Entry {
    /// A fault of this entry.
    pub(super) fn fault(&self, expected: impl Into<String>, found: impl Into<String>) -> Fault {
        let name = String::from_utf8_lossy(&self.name);
        Fault::new(format!("entry '{}'", escape(&*name)), expected, found)
    }
}
