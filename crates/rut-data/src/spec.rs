//! What the table says about one data set: plain facts, the ways it is split, and the functions that read it.

use std::fmt;
use std::path::Path;

use crate::{ImageSet, Result};

/// One line of the table of data sets, [`DATASETS`](crate::DATASETS).
///
/// ```
/// let spec = rut_data::find("CIFAR-10").expect("in the table");
/// assert_eq!((spec.name, spec.classes.len(), spec.counts().train), ("cifar10", 10, 50_000));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DatasetSpec {
    /// Name typed by a person and stored in records: lowercase letters and digits.
    pub name: &'static str,
    /// Other names it answers to.
    pub aliases: &'static [&'static str],
    /// Name as its authors write it.
    pub title: &'static str,
    /// Class names of the complete data set, in label order.
    pub classes: &'static [&'static str],
    /// Size of the images in pixels.
    pub image_size: ImageSize,
    /// Side in pixels of the image's window in the paper's visual-prompting protocol.
    pub prompt_size: u32,
    /// What the images fill of their square: a visual prompt may be trained on the rest of it.
    pub region: ImageRegion,
    /// The ways in which it is split into training and test images; the first is the default.
    pub splits: &'static [SplitSpec],
    /// Terms of use, in a few words.
    pub licence: &'static str,
    /// Address of its home page.
    pub source: &'static str,
    /// Whom to cite.
    pub citation: &'static str,
    /// What a download consists of. Empty for a data set that is part of the program, and for one
    /// that no program may fetch.
    pub archives: &'static [Archive],
    /// What to get from where, and where to put it, for what no program may fetch.
    pub by_hand: Option<&'static str>,
}

impl DatasetSpec {
    /// Numbers of images of the default split.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.splits
            .first()
            .map_or(Counts::UNKNOWN, |split| split.counts)
    }

    /// The split of this name; case does not matter.
    #[must_use]
    pub fn split(&self, name: &str) -> Option<&'static SplitSpec> {
        let named = |split: &&SplitSpec| split.name.eq_ignore_ascii_case(name);
        self.splits.iter().find(named)
    }

    /// The class names of the complete data set, in label order.
    pub(crate) fn class_names(&self) -> Vec<String> {
        self.classes.iter().map(|&name| name.to_owned()).collect()
    }

    /// How to come by its files: a command, what no program may fetch, or both.
    ///
    /// ```
    /// let words = rut_data::find("cifar10").map(|spec| spec.how_to_get());
    /// assert_eq!(words.as_deref(), Some("fetch it with `rut fetch cifar10`"));
    /// ```
    #[must_use]
    pub fn how_to_get(&self) -> String {
        let fetch = format!("fetch it with `rut fetch {}`", self.name);
        match (self.archives, self.by_hand) {
            ([], None) => "nothing to get: it is part of the program".to_owned(),
            ([], Some(words)) => words.to_owned(),
            (_, Some(words)) => format!("{fetch}; {words}"),
            (_, None) => fetch,
        }
    }

    /// Whether its data is part of the program.
    #[must_use]
    pub fn is_bundled(&self) -> bool {
        self.archives.is_empty() && self.by_hand.is_none()
    }
}

/// One way in which a data set is split into training and test images.
#[derive(Clone, Copy, Debug)]
pub struct SplitSpec {
    /// Name typed by a person and stored in records: `official`, `coop`, `stratified` …
    pub name: &'static str,
    /// Whose split it is, or how it is made, in a line.
    pub about: &'static str,
    /// Images of the complete data set.
    pub counts: Counts,
    /// The forms in which the data may lie on the disk; the first whose files are there is read.
    pub forms: &'static [Form],
}

impl SplitSpec {
    /// The name of the splits of CoOp, whose authors spell classes in their own way.
    pub(crate) const COOP: &'static str = "coop";

    /// Whether its classes are called as the table calls them.
    #[must_use]
    pub fn has_names_of_table(&self) -> bool {
        self.name != Self::COOP && self.counts != Counts::UNKNOWN
    }
}

/// A form in which a data set lies on the disk, and what reads it.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Paths looked for below the data folder, or below `NAME/` in it; all must be there.
    /// Empty for a data set that is part of the program.
    pub layout: &'static [&'static str],
    /// Reads it below the folder where `layout` was found.
    pub read: fn(&Path) -> Result<Parts>,
}

/// What a reader of a data set finds: class names and the images of each part.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Name of each class; the index is the label.
    pub class_names: Vec<String>,
    /// Training images.
    pub train: ImageSet,
    /// Validation images, where the data set comes with some.
    pub validation: Option<ImageSet>,
    /// Test images.
    pub test: ImageSet,
    /// What a person must know of how the parts came about, a sentence each.
    pub remarks: Vec<String>,
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

/// What the images of a data set fill of their square. The rest of it is zero in all of them. A resized image fills
/// the same part, at its new size; beside the diagonal resizing blurs what is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageRegion {
    /// All of it.
    Whole,
    /// What lies strictly above the diagonal: row i, column j > i.
    UpperTriangle,
}

/// Numbers of images in the parts of a complete data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Training images.
    pub train: usize,
    /// Validation images of its own, where it comes with some.
    pub validation: Option<usize>,
    /// Test images.
    pub test: usize,
}

impl Counts {
    /// Unknown numbers of images.
    pub const UNKNOWN: Counts = Counts {
        train: 0,
        validation: None,
        test: 0,
    };
}

/// A file to download, and how to check and unpack it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Address.
    pub url: &'static str,
    /// Name under which it is kept; its ending gives the archive format.
    pub file: &'static str,
    /// MD5 in hexadecimal, where the publisher gives one.
    pub md5: Option<&'static str>,
    /// SHA-256 in hexadecimal, where it is known.
    pub sha256: Option<&'static str>,
    /// Folder below the data folder to unpack into; empty for the data folder itself.
    pub unpack_into: &'static str,
}
