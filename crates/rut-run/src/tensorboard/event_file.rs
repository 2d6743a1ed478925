//! An event file: records one after the other, each with its length and checksums (TensorFlow, `lib/io/record_writer.cc`).
//! It is written on and cut, never read. What is in a record, `summary` says.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rut_formats::regular;

use super::crc32c::masked;
use super::summary;
use crate::error::{Result, file};

/// Who looks on sees what is at most so old.
const LAG: Duration = Duration::from_secs(1);

/// An event file that is being written.
#[derive(Debug)]
pub(super) struct EventFile {
    path: PathBuf,
    file: BufWriter<File>,
    length: u64,
    flushed: Instant,
}

impl EventFile {
    /// The file at `path`, cut to its first `kept` bytes; started again where it does not have them, or 0 are kept. Gives whether it
    /// was started.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn open(path: &Path, kept: u64) -> Result<(Self, bool)> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let mut open = regular::open_with(&mut options, path).map_err(file("open", path))?;
        let found = open.metadata().map_err(file("read", path))?.len();
        let length = if found < kept { 0 } else { kept };
        open.set_len(length).map_err(file("cut", path))?;
        open.seek(SeekFrom::Start(length))
            .map_err(file("write", path))?;
        let mut opened = Self {
            path: path.to_owned(),
            file: BufWriter::new(open),
            length,
            flushed: Instant::now(),
        };
        if length == 0 {
            opened.append(&summary::version())?;
        }
        Ok((opened, length == 0))
    }

    /// Writes a record.
    ///
    /// # Errors
    /// If the disk is full, say.
    pub(super) fn append(&mut self, event: &[u8]) -> Result<()> {
        let length = (event.len() as u64).to_le_bytes();
        let parts = [
            length.as_slice(),
            &masked(&length).to_le_bytes(),
            event,
            &masked(event).to_le_bytes(),
        ];
        for part in parts {
            let written = self.file.write_all(part);
            written.map_err(file("write", &self.path))?;
            self.length += part.len() as u64;
        }
        if self.flushed.elapsed() < LAG {
            return Ok(());
        }
        self.flush()
    }

    /// Hands all records to the system. They are not synced: after a power loss the file may start again.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub(super) fn flush(&mut self) -> Result<()> {
        self.flushed = Instant::now();
        self.file.flush().map_err(file("write", &self.path))
    }

    /// Bytes written, all that were kept included.
    pub(super) fn length(&self) -> u64 {
        self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records' contents, checked against their lengths and checksums.
    fn records(path: &Path) -> Vec<Vec<u8>> {
        let bytes = std::fs::read(path).unwrap();
        let (mut rest, mut records) = (bytes.as_slice(), Vec::new());
        while !rest.is_empty() {
            let (length, after) = rest.split_at(8);
            let (check, after) = after.split_at(4);
            assert_eq!(check, masked(length).to_le_bytes());
            let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
            let (record, after) = after.split_at(length);
            let (check, after) = after.split_at(4);
            assert_eq!(check, masked(record).to_le_bytes());
            records.push(record.to_vec());
            rest = after;
        }
        records
    }

    #[test]
    fn a_file_is_cut_where_it_is_told_and_begun_anew_where_it_is_too_short() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        let (mut written, _) = EventFile::open(&path, 0).unwrap();
        written.append(b"one").unwrap();
        let kept = written.length();
        written.append(b"two").unwrap();
        written.flush().unwrap();
        assert_eq!(written.length(), path.metadata().unwrap().len());
        assert_eq!(records(&path)[1..], [b"one".to_vec(), b"two".to_vec()]);

        let (mut again, _) = EventFile::open(&path, kept).unwrap();
        again.append(b"three").unwrap();
        again.flush().unwrap();
        assert_eq!(records(&path)[1..], [b"one".to_vec(), b"three".to_vec()]);
        assert_eq!(again.length(), path.metadata().unwrap().len());

        let (mut again, begins) = EventFile::open(&path, 1 << 20).unwrap();
        assert!(begins);
        again.flush().unwrap();
        let found = records(&path);
        assert_eq!(found.len(), 1);
        assert!(found[0].ends_with(b"brain.Event:2"));
    }

    #[test]
    fn a_full_disk_is_an_error_that_names_the_file() {
        let full = Path::new("/dev/full");
        if !full.exists() {
            return;
        }
        let error = File::options()
            .write(true)
            .open(full)
            .map(|device| EventFile {
                path: full.into(),
                file: BufWriter::new(device),
                length: 0,
                flushed: Instant::now(),
            })
            .map(|mut device| device.append(b"one").and_then(|()| device.flush()))
            .unwrap()
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("write /dev/full: "), "{error}");
    }
}
