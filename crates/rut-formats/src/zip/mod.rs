//! Zip archives (PKWARE's `APPNOTE.TXT`), found and checked by their directory: stored and deflated
//! entries, zip64, bytes before and behind the archive.
//!
//! The directory is read once and checked with the file: entries lie within it, none over another,
//! no name stands twice. Contents are read in pieces, against their declared length and checksum.

mod directory;
mod entry;
pub(crate) mod fields;
mod locate;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

use std::io::{Read, Seek, SeekFrom};

use crate::Fault;

pub use entry::EntryReader;

/// An open archive.
pub struct Zip<R> {
    source: R,
    /// In the order of their names.
    entries: Vec<Entry>,
}

/// What the directory says of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    name: Box<[u8]>,
    /// Bytes of its contents.
    pub size: u64,
    /// Bytes that these take in the archive.
    pub compressed: u64,
    /// Where its local header starts in the file.
    header: u64,
    crc: u32,
    method: u16,
    flags: u16,
}

impl Entry {
    /// Its name, a path with `/`.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Whether the contents stand in the archive as they are.
    pub fn is_stored(&self) -> bool {
        self.method == entry::STORED
    }
}

impl<R: Read + Seek> Zip<R> {
    /// Reads the directory of the archive that ends with `source`.
    ///
    /// # Errors
    /// If there is none, it is damaged, or it contradicts the file.
    pub fn open(mut source: R) -> Result<Zip<R>, Fault> {
        let length = fields::io(source.seek(SeekFrom::End(0)), "end")?;
        let place = locate::locate(&mut source, length)?;
        let entries = directory::read(&mut source, &place, length)?;
        Ok(Zip { source, entries })
    }

    /// All entries, in the order of their names.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of this name.
    pub fn find(&self, name: &[u8]) -> Option<&Entry> {
        let at = self
            .entries
            .binary_search_by(|entry| (*entry.name).cmp(name));
        self.entries.get(at.ok()?)
    }

    /// Starts reading the contents of an entry.
    ///
    /// # Errors
    /// If it is encrypted, of a method other than deflate, declares what cannot be, or its local
    /// header contradicts the directory.
    pub fn open_entry(&mut self, entry: &Entry) -> Result<EntryReader<'_, R>, Fault> {
        EntryReader::new(&mut self.source, entry)
    }

    /// The whole contents of an entry of at most `most` bytes.
    ///
    /// # Errors
    /// As [`open_entry`](Zip::open_entry); if it is longer, damaged, or ends early.
    pub fn read(&mut self, entry: &Entry, most: u64) -> Result<Vec<u8>, Fault> {
        if entry.size > most {
            let found = format!("{}; the file is damaged or hostile", entry.size);
            return Err(entry.fault(format!("at most {most} bytes"), found));
        }
        // Only then is it known that so many bytes can be there.
        let mut reader = self.open_entry(entry)?;
        let mut contents = vec![0; entry.size as usize];
        reader.fill(&mut contents)?;
        reader.finish()?;
        Ok(contents)
    }
}
