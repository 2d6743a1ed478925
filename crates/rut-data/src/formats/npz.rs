//! NumPy's `.npz` files: zip archives of `.npy` files, stored or deflated.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use rut_formats::regular;
use zip::ZipArchive;

use super::fault::{Fault, InFile as _};
use super::inflated;
use crate::{Error, Result};

/// Names of arrays that are shown where the wanted one is not there.
const SHOWN: usize = 20;

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
