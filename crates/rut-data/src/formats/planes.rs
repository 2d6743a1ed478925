//! Images of 32×32 pixels in memory, each a red, a green and a blue plane of bytes.

use std::path::{Path, PathBuf};

use rut_images::{Extent, Mode, Picture};

use crate::image_set::ImageSource;
use crate::{Digest, Error, Result};

/// Pixels per row and rows.
const SIDE: usize = 32;
/// Bytes of one colour plane.
const PLANE: usize = SIDE * SIDE;
/// Bytes of an image.
pub(super) const PIXELS: usize = 3 * PLANE;

/// The order of the pixels in a plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// Row by row.
    Rows,
    /// Column by column.
    Columns,
}

/// The images of one file, one after the other.
pub(super) struct Block {
    pub(super) path: PathBuf,
    /// A whole number of records: some bytes that are no pixels, and [`PIXELS`].
    pub(super) bytes: Vec<u8>,
    /// Bytes before the pixels of each image.
    pub(super) lead: usize,
}

impl Block {
    /// The records: what leads, and the pixels.
    pub(super) fn records(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.bytes.chunks_exact(self.lead + PIXELS)
    }

    fn pixels(&self, record: usize) -> Option<&[u8]> {
        let mut records = self.records();
        records.nth(record)?.get(self.lead..)
    }
}

/// The images of several files, one file after the other.
pub(super) struct Planes {
    pub(super) blocks: Vec<Block>,
    pub(super) scan: Scan,
}

impl Planes {
    /// The file of an image, and its place there.
    fn locate(&self, index: usize) -> Option<(&Block, usize)> {
        let mut place = index;
        for block in &self.blocks {
            let count = block.records().len();
            if place < count {
                return Some((block, place));
            }
            place -= count;
        }
        None
    }

    /// The three planes of an image.
    fn pixels(&self, index: usize) -> Result<&[u8]> {
        let len = self.count();
        let (block, place) = self
            .locate(index)
            .ok_or(Error::IndexOutOfRange { index, len })?;
        let pixels = block.pixels(place);
        pixels.ok_or(Error::IndexOutOfRange { index, len })
    }
}

impl ImageSource for Planes {
    fn count(&self) -> usize {
        self.blocks.iter().map(|block| block.records().len()).sum()
    }

    fn decode(&self, index: usize) -> Result<Picture> {
        let planes = self.pixels(index)?;
        let (red, rest) = planes.split_at(PLANE);
        let (green, blue) = rest.split_at(PLANE);
        let pixel = |at: usize| [red[at], green[at], blue[at]];
        let pixels = match self.scan {
            Scan::Rows => (0..PLANE).flat_map(pixel).collect(),
            Scan::Columns => (0..PLANE)
                .map(|at| SIDE * (at % SIDE) + at / SIDE)
                .flat_map(pixel)
                .collect(),
        };
        let picture = Picture::new(Mode::Rgb, Extent::square(SIDE as u32), pixels);
        picture.map_err(Error::image(|| self.name(index)))
    }

    fn name(&self, index: usize) -> String {
        let Some((block, place)) = self.locate(index) else {
            return String::new();
        };
        format!("{} #{place}", file_name(&block.path))
    }

    fn content(&self, index: usize) -> Result<Digest> {
        Ok(Digest::of_bytes(self.pixels(index)?))
    }
}

fn file_name(path: &Path) -> impl std::fmt::Display {
    path.file_name().unwrap_or_default().display()
}
