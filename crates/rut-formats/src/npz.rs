//! NumPy's `.npz` files: zip archives of `.npy` files, stored or deflated.

use std::io::{Read, Seek};

use ::zip::ZipArchive;

use crate::npy::{self, LONGEST_HEADER, declared};
use crate::{Fault, inflated};

/// Names of arrays that are shown where the wanted one is not there.
const SHOWN: usize = 20;

/// An open archive.
#[derive(Debug)]
pub struct Npz<R> {
    archive: ZipArchive<R>,
}

impl<R: Read + Seek> Npz<R> {
    /// An archive that is read from here.
    ///
    /// # Errors
    /// If it is no zip archive.
    pub fn new(reader: R) -> Result<Npz<R>, Fault> {
        let archive = ZipArchive::new(reader).map_err(|error| {
            let found = format!("{error}; fetch the file again");
            Fault::new("table of contents", "a zip archive of NumPy files", found)
        })?;
        Ok(Npz { archive })
    }

    /// Names of its arrays.
    pub fn names(&self) -> Vec<String> {
        let names = self.archive.file_names().flatten();
        let arrays = names.filter_map(|name| Some(name.strip_suffix(".npy")?.to_owned()));
        arrays.collect()
    }

    /// Checks that the array `name`, if it is there, has the bytes that its header declares, and at most 2 GiB: the
    /// caller may then allocate what is declared.
    ///
    /// # Errors
    /// If it has not.
    pub fn check(&mut self, name: &str) -> Result<(), Fault> {
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
            _ if is_of_objects(header) => {
                let found = "Python objects; save it with numbers, as array.astype(numpy.int64)";
                Err(Fault::new(&place, "an array of numbers", found))
            }
            _ => {
                let declared =
                    declared.map_or("another number of".to_owned(), |n| format!("the {n}"));
                let expected = format!("{declared} bytes, as its header declares");
                let found = format!("{there}; save it again with numpy.savez");
                Err(Fault::new(&place, expected, found))
            }
        }
    }

    /// The bytes of the `.npy` file of array `name`, as [`npy::parse`] reads them.
    ///
    /// # Errors
    /// If it is not there, too large, or damaged.
    pub fn array(&mut self, name: &str) -> Result<Vec<u8>, Fault> {
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

/// Whether the header of an array declares pickled objects.
fn is_of_objects(header: &[u8]) -> bool {
    let objects = b"'|O'";
    header.windows(objects.len()).any(|text| text == objects)
}
