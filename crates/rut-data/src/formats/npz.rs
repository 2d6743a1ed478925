//! NumPy's `.npz` files: zip archives of `.npy` files, stored or deflated.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use rut_formats::regular;
use zip::ZipArchive;

use super::fault::{Fault, InFile as _};
use super::inflated;
use super::npy::{self, LONGEST_HEADER};
use super::npy_header::declared;
use crate::{Error, Result};

/// Names of arrays that are shown where the wanted one is not there.
const SHOWN: usize = 20;

/// Checks that these arrays of the archive at `path` have the bytes that their headers declare, and at most 2 GiB: whoever reads
/// them afterwards may take memory for what is declared. An array that is not there is left to whoever misses it.
///
/// # Errors
/// [`Error::Malformed`] naming the array; [`Error::Io`].
pub fn check_npz(path: &Path, names: &[String]) -> Result<()> {
    let mut npz = Npz::open(path)?;
    let mut names = names.iter();
    names
        .try_for_each(|name| npz.check(name))
        .map_err(|fault| fault.at(path))
}

/// An open archive.
pub(crate) struct Npz<R = BufReader<File>> {
    archive: ZipArchive<R>,
}

impl Npz {
    /// Opens the archive at `path`.
    pub(crate) fn open(path: &Path) -> Result<Npz> {
        let file = regular::open(path, regular::ARCHIVE).map_err(Error::io(path))?;
        Npz::new(BufReader::new(file)).map_err(|fault| fault.at(path))
    }
}

impl<R: Read + Seek> Npz<R> {
    /// An archive that is read from here.
    pub(crate) fn new(reader: R) -> Result<Npz<R>, Fault> {
        let archive = ZipArchive::new(reader).map_err(|error| {
            let found = format!("{error}; fetch the file again");
            Fault::new("table of contents", "a zip archive of NumPy files", found)
        })?;
        Ok(Npz { archive })
    }

    /// Checks what the array `name` declares, if it is there.
    fn check(&mut self, name: &str) -> Result<(), Fault> {
        let place = format!("{name}.npy");
        let Ok(entry) = self.archive.by_name(&place) else {
            return Ok(());
        };
        let (size, compressed) = (entry.size(), entry.compressed_size());
        inflated::check(size, compressed).map_err(|found| {
            let expected = format!("at most {} bytes", inflated::MOST);
            Fault::new(&place, expected, found)
        })?;
        let mut start = Vec::new();
        let read = entry.take(LONGEST_HEADER as u64).read_to_end(&mut start);
        read.map_err(|error| Fault::new(&place, "a readable file", error.to_string()))?;
        let (header, elements) = npy::split(&start).map_err(|fault| fault.within(&place))?;
        let there = size.saturating_sub((start.len() - elements.len()) as u64);
        let declared = std::str::from_utf8(header).ok().and_then(declared);
        match declared {
            Some(declared) if declared <= there => Ok(()),
            _ => {
                let declared = declared.map_or("another number".to_owned(), |n| n.to_string());
                let expected = format!("the {declared} bytes that its header declares");
                let found = format!("{there}; save it again with numpy.savez");
                Err(Fault::new(&place, expected, found))
            }
        }
    }

    /// The bytes of the `.npy` file of array `name`.
    pub(crate) fn array(&mut self, name: &str) -> Result<Vec<u8>, Fault> {
        let place = format!("{name}.npy");
        if self.archive.index_for_name(&place).is_none() {
            let names: Vec<_> = self.archive.file_names().flatten().take(SHOWN).collect();
            return Err(Fault::new(place, "this array", names.join(", ")));
        }
        let entry = self.archive.by_name(&place);
        let entry =
            entry.map_err(|error| Fault::new(&place, "a readable file", error.to_string()))?;
        let (size, compressed) = (entry.size(), entry.compressed_size());
        inflated::check(size, compressed).map_err(|found| {
            let expected = format!("at most {} bytes", inflated::MOST);
            Fault::new(&place, expected, found)
        })?;
        inflated::read(entry, size)
            .map_err(|found| Fault::new(&place, format!("{size} bytes"), found))
    }
}
