//! The binary layout of CIFAR-10: records of one label byte and 3,072 pixel bytes, the red, green
//! and blue plane of a 32×32 image, row by row (<https://www.cs.toronto.edu/~kriz/cifar.html>).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::image_set::{ImageSet, ImageSource};
use crate::resize::Extent;
use crate::{Digest, Error, Mode, Picture, Result};

/// Pixels per row and rows.
const SIDE: u32 = 32;
/// Bytes of one colour plane.
const PLANE: usize = 1024;
/// Bytes of one record.
const RECORD: usize = 1 + 3 * PLANE;

/// Reads these files of `folder` into one set, in order.
pub(crate) fn read(folder: &Path, files: &[&str], classes: usize) -> Result<ImageSet> {
    let batches: Result<Vec<BatchFile>> = files
        .iter()
        .map(|file| BatchFile::read(folder.join(file), classes))
        .collect();
    let batches = batches?;
    let labels = batches.iter().flat_map(BatchFile::labels).collect();
    ImageSet::new(Arc::new(Records(batches)), labels)
}

/// One file in memory; its length is a multiple of [`RECORD`].
struct BatchFile {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl BatchFile {
    fn read(path: PathBuf, classes: usize) -> Result<BatchFile> {
        let bytes = fs::read(&path).map_err(Error::io(&path))?;
        let file = BatchFile { path, bytes };
        file.check_length()?;
        file.check_labels(classes)?;
        Ok(file)
    }

    fn check_length(&self) -> Result<()> {
        let (records, rest) = (self.bytes.len() / RECORD, self.bytes.len() % RECORD);
        if rest == 0 && records > 0 {
            return Ok(());
        }
        Err(Error::Malformed {
            path: self.path.clone(),
            place: format!("record {records}"),
            expected: format!("{RECORD} bytes (is the file truncated? fetch it again)"),
            found: format!("{rest} bytes"),
        })
    }

    fn check_labels(&self, classes: usize) -> Result<()> {
        match self
            .labels()
            .enumerate()
            .find(|(_, label)| *label as usize >= classes)
        {
            None => Ok(()),
            Some((record, label)) => Err(Error::Malformed {
                path: self.path.clone(),
                place: format!("record {record}"),
                expected: format!("a label below {classes}"),
                found: format!("{label}; fetch the file again"),
            }),
        }
    }

    fn labels(&self) -> impl Iterator<Item = u32> {
        self.bytes
            .iter()
            .step_by(RECORD)
            .map(|&label| u32::from(label))
    }

    fn records(&self) -> usize {
        self.bytes.len() / RECORD
    }
}

/// The records of several files, one after the other.
struct Records(Vec<BatchFile>);

impl Records {
    /// The file of an image, and its record there.
    fn locate(&self, index: usize) -> Result<(&BatchFile, usize)> {
        let mut record = index;
        for file in &self.0 {
            if record < file.records() {
                return Ok((file, record));
            }
            record -= file.records();
        }
        Err(Error::IndexOutOfRange {
            index,
            len: self.count(),
        })
    }

    /// The three planes of an image.
    fn planes(&self, index: usize) -> Result<&[u8]> {
        let (file, record) = self.locate(index)?;
        Ok(&file.bytes[record * RECORD + 1..][..3 * PLANE])
    }
}

impl ImageSource for Records {
    fn count(&self) -> usize {
        self.0.iter().map(BatchFile::records).sum()
    }

    fn decode(&self, index: usize) -> Result<Picture> {
        let planes = self.planes(index)?;
        let (red, rest) = planes.split_at(PLANE);
        let (green, blue) = rest.split_at(PLANE);
        let pixels = (0..PLANE)
            .flat_map(|at| [red[at], green[at], blue[at]])
            .collect();
        Picture::new(Mode::Rgb, Extent::square(SIDE), pixels)
    }

    fn name(&self, index: usize) -> String {
        let Ok((file, record)) = self.locate(index) else {
            return String::new();
        };
        let name = file.path.file_name().unwrap_or_default();
        format!("{} #{record}", name.display())
    }

    fn content(&self, index: usize) -> Result<Digest> {
        Ok(Digest::of_bytes(self.planes(index)?))
    }
}
