//! The contents of an entry, read in pieces against their declared length and checksum.

use std::io::{Read, Seek, SeekFrom, Take};

use flate2::Crc;
use flate2::read::DeflateDecoder;

use super::Entry;
use super::directory::LOCAL;
use super::fields::{io, read_at, u16_at, u32_at};
use crate::Fault;

pub(super) const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// What a local header starts with.
const HEADER: &[u8] = b"PK\x03\x04";
/// The flag of encrypted contents.
const ENCRYPTED: u16 = 1;
/// The flag of lengths that stand behind the contents.
const LENGTHS_BEHIND: u16 = 1 << 3;
/// The most that deflate packs into a byte (zlib, <https://zlib.net/zlib_tech.html>).
const MOST_PER_BYTE: u64 = 1032;
/// Bytes that an almost empty stream may unpack to.
const FREE: u64 = 1 << 10;
/// Methods that are refused by name.
const METHODS: &[(u16, &str)] = &[
    (1, "Shrink"),
    (6, "Implode"),
    (9, "Deflate64"),
    (12, "bzip2"),
    (14, "LZMA"),
    (93, "Zstandard"),
    (95, "xz"),
    (98, "PPMd"),
    (99, "AES encryption"),
];

/// The contents of an entry that are still to be read.
pub struct EntryReader<'a, R> {
    entry: Entry,
    source: Source<'a, R>,
    crc: Crc,
    left: u64,
}

enum Source<'a, R> {
    Stored(Take<&'a mut R>),
    Deflated(Box<DeflateDecoder<Take<&'a mut R>>>),
}

impl<'a, R: Read + Seek> EntryReader<'a, R> {
    pub(super) fn new(source: &'a mut R, entry: &Entry) -> Result<Self, Fault> {
        check_declared(entry)?;
        let start = data_start(source, entry)?;
        io(source.seek(SeekFrom::Start(start)), "contents").map_err(|fault| entry.within(fault))?;
        let contents = source.take(entry.compressed);
        let source = match entry.method {
            STORED => Source::Stored(contents),
            _ => Source::Deflated(Box::new(DeflateDecoder::new(contents))),
        };
        Ok(EntryReader {
            entry: entry.clone(),
            source,
            crc: Crc::new(),
            left: entry.size,
        })
    }

    /// Bytes that are still to be read.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Reads as many bytes as `piece` has.
    ///
    /// # Errors
    /// If there are fewer, or they are damaged.
    pub fn fill(&mut self, piece: &mut [u8]) -> Result<(), Fault> {
        let read = match &mut self.source {
            Source::Stored(source) => source.read_exact(piece),
            Source::Deflated(source) => source.read_exact(piece),
        };
        if let Err(error) = read {
            let found = format!("fewer or damaged ones ({error})");
            return Err(self
                .entry
                .fault(format!("{} bytes", self.entry.size), found));
        }
        self.crc.update(piece);
        self.left = self.left.saturating_sub(piece.len() as u64);
        Ok(())
    }

    /// Compares the checksum, once everything was read. An archive that declares 0 was written
    /// without checksums (`torch.serialization.set_crc32_options(False)`).
    ///
    /// # Errors
    /// If it is another one, or the contents go on.
    pub fn finish(mut self) -> Result<(), Fault> {
        if let Source::Deflated(source) = &mut self.source
            && !matches!(source.read(&mut [0]), Ok(0))
        {
            let found = "more; the file is damaged or hostile";
            let expected = format!("{} bytes", self.entry.size);
            return Err(self.entry.fault(expected, found));
        }
        let (wanted, found) = (self.entry.crc, self.crc.sum());
        if wanted != 0 && wanted != found {
            let expected = format!("contents with the checksum {wanted:08x}");
            let found = format!("{found:08x}; the file is damaged");
            return Err(self.entry.fault(expected, found));
        }
        Ok(())
    }
}

/// Objects to what is not read, and to lengths that cannot be.
fn check_declared(entry: &Entry) -> Result<(), Fault> {
    if entry.flags & ENCRYPTED != 0 {
        let found = "encrypted ones; unpack the archive and pack it without a password";
        return Err(entry.fault("contents that can be read", found));
    }
    let most = match entry.method {
        STORED => entry.compressed,
        DEFLATED => entry
            .compressed
            .saturating_mul(MOST_PER_BYTE)
            .saturating_add(FREE),
        other => {
            let known = METHODS.iter().find(|(method, _)| *method == other);
            let name = known.map_or_else(|| format!("method {other}"), |(_, name)| (*name).into());
            let found = format!("{name}; unpack the archive and pack it with deflate");
            return Err(entry.fault("contents that are stored or deflated", found));
        }
    };
    let fits = match entry.method {
        STORED => entry.size == most,
        _ => entry.size <= most,
    };
    if fits {
        Ok(())
    } else {
        Err(entry.fault(
            format!("as many bytes as {} packed ones give", entry.compressed),
            format!("{} declared; the file is damaged or hostile", entry.size),
        ))
    }
}

/// Where the contents start: behind the local header, which must say what the directory says.
fn data_start(source: &mut (impl Read + Seek), entry: &Entry) -> Result<u64, Fault> {
    let other = |what: &str| {
        let found = format!("{what}; the file is damaged or hostile");
        entry.fault("a local header that agrees with the directory", found)
    };
    let header: [u8; LOCAL as usize] =
        read_at(source, entry.header).map_err(|fault| entry.within(fault))?;
    if !header.starts_with(HEADER) {
        return Err(other("none"));
    }
    if u16_at(&header, 8) != entry.method || (u16_at(&header, 6) ^ entry.flags) & ENCRYPTED != 0 {
        return Err(other("one of another method"));
    }
    let lengths_behind = u16_at(&header, 6) & LENGTHS_BEHIND != 0;
    for (at, length) in [(18, entry.compressed), (22, entry.size)] {
        let declared = u32_at(&header, at);
        let stands_elsewhere = declared == u32::MAX || lengths_behind && declared == 0;
        if !stands_elsewhere && u64::from(declared) != length {
            return Err(other("another length"));
        }
    }
    let mut name = vec![0; u16_at(&header, 26).into()];
    io(source.read_exact(&mut name), "local header").map_err(|fault| entry.within(fault))?;
    if *name != *entry.name {
        return Err(other("another name"));
    }
    let extra = u64::from(u16_at(&header, 28));
    let start = entry.header + LOCAL + name.len() as u64 + extra;
    Ok(start)
}

impl Entry {
    /// A fault within this entry.
    fn within(&self, fault: Fault) -> Fault {
        let Fault {
            expected, found, ..
        } = fault;
        self.fault(expected, found)
    }
}
