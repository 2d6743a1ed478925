//! Where the directory is: by the end record, which stands within a comment's length of the end of
//! the file, and by the zip64 records before it.

use std::io::{Read, Seek, SeekFrom};

use super::fields::{io, read_at, u16_at, u32_at, u64_at};
use crate::Fault;

const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: u64 = 22;
const END_64: &[u8] = b"PK\x06\x06";
const END_64_LENGTH: u64 = 56;
const LOCATOR: &[u8] = b"PK\x06\x07";
const LOCATOR_LENGTH: u64 = 20;
pub(super) const ENTRY: &[u8] = b"PK\x01\x02";
/// The longest comment, and the most bytes that may follow the archive.
const LONGEST_COMMENT: u64 = 0xffff;
/// Signatures that are looked at, from the end: a comment may hold some by chance.
const MOST_CANDIDATES: usize = 16;

/// Where the directory stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The first byte of the directory.
    pub(super) start: u64,
    /// Its length.
    pub(super) length: u64,
    /// Entries that it declares.
    pub(super) entries: u64,
    /// Bytes before the archive, which its own offsets do not count.
    pub(super) prefix: u64,
}

/// What an end record says.
struct Declared {
    entries: u64,
    length: u64,
    offset: u64,
    /// Where the records behind the directory start.
    records: u64,
}

/// Finds the directory of the archive in a file of this length.
pub(super) fn locate(source: &mut (impl Read + Seek), length: u64) -> Result<Place, Fault> {
    let tail_start = length.saturating_sub(END_LENGTH + LONGEST_COMMENT);
    let mut tail = Vec::new();
    io(source.seek(SeekFrom::Start(tail_start)), "end")?;
    io(
        source.take(length - tail_start).read_to_end(&mut tail),
        "end",
    )?;
    let candidates = (0..tail.len().saturating_sub(END_LENGTH as usize - 1))
        .rev()
        .filter(|&at| tail.get(at..).is_some_and(|rest| rest.starts_with(END)))
        .take(MOST_CANDIDATES);
    let mut fault = None;
    for at in candidates {
        let record = tail.get(at..at + END_LENGTH as usize).unwrap_or_default();
        match candidate(source, record, tail_start + at as u64) {
            Ok(place) => return Ok(place),
            Err(other) => fault = fault.or(Some(other)),
        }
    }
    Err(fault.unwrap_or_else(|| {
        let found = "none; the file is truncated";
        Fault::new("end", "the end record of a zip archive", found)
    }))
}

/// The directory that the end record at `at` declares, if it is there.
fn candidate(source: &mut (impl Read + Seek), record: &[u8], at: u64) -> Result<Place, Fault> {
    let place = format!("end record at byte {at}");
    if u16_at(record, 4) != u16_at(record, 6) || u16_at(record, 4) != 0 {
        return Err(Fault::new(
            place,
            "an archive in one part",
            "one of several",
        ));
    }
    let declared = declared(source, record, at)?;
    // Where the archive's own offset leads, else where the directory ends before the records:
    // then something was put before the archive.
    let by_length = declared.records.checked_sub(declared.length);
    for start in [Some(declared.offset), by_length].into_iter().flatten() {
        let fits = start
            .checked_add(declared.length)
            .is_some_and(|end| end <= declared.records);
        if fits && begins(source, start, &declared)? {
            return Ok(Place {
                start,
                length: declared.length,
                entries: declared.entries,
                prefix: start.saturating_sub(declared.offset),
            });
        }
    }
    let found = "none; the file is damaged";
    Err(Fault::new(place, "a directory before it", found))
}

/// Whether a directory can begin here.
fn begins(source: &mut (impl Read + Seek), start: u64, declared: &Declared) -> Result<bool, Fault> {
    if declared.length == 0 {
        return Ok(declared.entries == 0);
    }
    if declared.length < ENTRY.len() as u64 {
        return Ok(false);
    }
    Ok(read_at::<4>(source, start)? == ENTRY && start >= declared.offset)
}

/// What the end record says, or the zip64 record that it points to.
fn declared(source: &mut (impl Read + Seek), record: &[u8], at: u64) -> Result<Declared, Fault> {
    let short = Declared {
        entries: u16_at(record, 10).into(),
        length: u32_at(record, 12).into(),
        offset: u32_at(record, 16).into(),
        records: at,
    };
    let Some(locator_at) = at.checked_sub(LOCATOR_LENGTH) else {
        return Ok(short);
    };
    let locator = read_at::<{ LOCATOR_LENGTH as usize }>(source, locator_at)?;
    if !locator.starts_with(LOCATOR) {
        return Ok(short);
    }
    let (record, records) = end_64(source, u64_at(&locator, 8), locator_at)?;
    let long = Declared {
        entries: u64_at(&record, 32),
        length: u64_at(&record, 40),
        offset: u64_at(&record, 48),
        records,
    };
    let agrees = |short: u64, long: u64, full: u64| short == full || short == long;
    if agrees(short.entries, long.entries, 0xffff)
        && agrees(short.length, long.length, 0xffff_ffff)
        && agrees(short.offset, long.offset, 0xffff_ffff)
    {
        Ok(long)
    } else {
        Err(Fault::new(
            format!("end record at byte {at}"),
            "what the zip64 record says",
            "something else; the file is damaged or hostile",
        ))
    }
}

/// The zip64 end record: where the locator says, or, behind a prefix, right before the locator.
fn end_64(
    source: &mut (impl Read + Seek),
    offset: u64,
    locator_at: u64,
) -> Result<([u8; END_64_LENGTH as usize], u64), Fault> {
    let before = locator_at.checked_sub(END_64_LENGTH);
    let last = before.unwrap_or(0);
    for at in [Some(offset), before].into_iter().flatten() {
        if at <= last && before.is_some() {
            let record = read_at(source, at)?;
            if record.starts_with(END_64) {
                return Ok((record, at));
            }
        }
    }
    let found = "none; the file is damaged";
    Err(Fault::new(
        format!("zip64 locator at byte {locator_at}"),
        "a zip64 end record",
        found,
    ))
}
