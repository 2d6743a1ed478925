//! What the table says about one data set: plain facts and a function that opens it.

use std::fmt;
use std::path::Path;

use crate::{Dataset, Result};

/// One line of the table of data sets, [`DATASETS`](crate::DATASETS).
///
/// ```
/// let spec = rut_data::find("CIFAR-10").expect("in the table");
/// assert_eq!((spec.name, spec.classes.len(), spec.counts.train), ("cifar10", 10, 50_000));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DatasetSpec {
    /// Name typed by a person and stored in records: lowercase letters and digits.
    pub name: &'static str,
    /// Other names it answers to.
    pub aliases: &'static [&'static str],
    /// Name as its authors write it.
    pub title: &'static str,
    /// Class names, in label order.
    pub classes: &'static [&'static str],
    /// Size of the images in pixels.
    pub image_size: ImageSize,
    /// Side in pixels of the image's window in the paper's visual-prompting protocol.
    pub prompt_size: u32,
    /// Images of the complete data set.
    pub counts: Counts,
    /// Terms of use, in a few words.
    pub licence: &'static str,
    /// Address of its home page.
    pub source: &'static str,
    /// Whom to cite.
    pub citation: &'static str,
    /// Paths looked for below the data folder, or below `NAME/` in it; all must be there.
    /// Empty for a data set that is part of the program.
    pub layout: &'static [&'static str],
    /// What a download consists of. Empty for a data set that is part of the program.
    pub archives: &'static [Archive],
    /// Opens the data set below the folder where `layout` was found.
    pub open: fn(&Path) -> Result<Dataset>,
}

/// Width and height of a data set's images, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageSize {
    /// All images have this size.
    Fixed {
        /// Pixels per row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// Images differ in size.
    Varying,
}

impl fmt::Display for ImageSize {
    /// `32x32` or `varying`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImageSize::Fixed { width, height } => write!(f, "{width}x{height}"),
            ImageSize::Varying => f.write_str("varying"),
        }
    }
}

/// Numbers of images in the splits of a complete data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Training images.
    pub train: usize,
    /// Images of the official validation split, where there is one.
    pub validation: Option<usize>,
    /// Test images.
    pub test: usize,
}

/// A file to download, and how to check and unpack it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Address.
    pub url: &'static str,
    /// Name under which it is kept; its ending tells the archive format.
    pub file: &'static str,
    /// MD5 in hexadecimal, where the publisher gives one.
    pub md5: Option<&'static str>,
    /// SHA-256 in hexadecimal, where it is known.
    pub sha256: Option<&'static str>,
    /// Folder below the data folder to unpack into; empty for the data folder itself.
    pub unpack_into: &'static str,
}
