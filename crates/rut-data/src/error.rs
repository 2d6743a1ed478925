//! The one error type of this crate: what was expected, what was found, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use rut_formats::{counted, escape};

/// Characters of a description that are shown; what it quotes of a file is cut before.
const MOST: usize = 2000;

/// What to do about one unreadable image, when there may be many.
const UNREADABLE: &str =
    "`rut data check` lists all that cannot be read, `skip_unreadable` leaves them out";

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong between bytes on disk and a batch of images.
///
/// Messages are lowercase fragments that read after "failed to".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused a file or folder.
    #[error("read {}: {source}", escape(path).whole())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// The name is neither in the table of data sets nor data of the user's own.
    #[error(
        "find data set '{name}': neither a folder, a list (.csv), a table (.parquet) nor one of {known}{hint}",
        name = escape(name),
        known = escape(known).at_most(MOST),
        hint = escape(hint).at_most(MOST)
    )]
    UnknownDataset {
        /// What was asked for.
        name: String,
        /// The names in the table, comma-separated.
        known: String,
        /// `"; did you mean 'cifar10'?"`, or empty.
        hint: String,
    },

    /// The data set has no split of this name.
    #[error(
        "find split '{split}' of '{dataset}': expected one of {known}{hint}",
        split = escape(split),
        dataset = escape(dataset),
        known = escape(known).at_most(MOST),
        hint = escape(hint).at_most(MOST)
    )]
    UnknownSplit {
        /// The data set.
        dataset: String,
        /// What was asked for.
        split: String,
        /// The names that it has, comma-separated.
        known: String,
        /// `"; did you mean 'official'?"`, or empty.
        hint: String,
    },

    /// Files of a kind that this build does not read.
    #[error(
        "read {}: expected a build that reads {what}, found one without; build it with `--features {feature}`{instead}",
        escape(path).whole()
    )]
    MissingFeature {
        /// The file or folder.
        path: PathBuf,
        /// What is not read.
        what: &'static str,
        /// The cargo feature that reads it.
        feature: &'static str,
        /// `", or convert it"`: what else would do, or empty.
        instead: &'static str,
    },

    /// The data set is known, but its files are not there.
    #[error(
        "find the data of '{dataset}': looked for {looked_for}; {remedy}",
        dataset = escape(dataset),
        looked_for = escape(looked_for).at_most(MOST),
        remedy = escape(&**remedy).at_most(MOST)
    )]
    MissingData {
        /// Name in the table.
        dataset: String,
        /// Paths that would have done, joined by " or ".
        looked_for: String,
        /// The command that fetches the data, and the option that points elsewhere.
        remedy: String,
    },

    /// A data file does not have the structure it should have.
    #[error(
        "read {}, {place}: expected {expected}, found {found}",
        escape(path).whole(),
        place = escape(place).at_most(MOST),
        expected = escape(expected).at_most(MOST),
        found = escape(found).at_most(MOST)
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where in it: a record, a line.
        place: String,
        /// What should stand there, with the remedy where there is one.
        expected: String,
        /// What stands there.
        found: String,
    },

    /// An image cannot be decoded, or is no image.
    #[error(
        "decode {name}: {problem}; {UNREADABLE}",
        name = escape(name).at_most(MOST),
        problem = escape(&source.to_string()).at_most(MOST)
    )]
    Image {
        /// The file or record.
        name: String,
        /// What is wrong with it.
        source: rut_images::Error,
    },

    /// An image cannot be made as large or as small as it should be.
    #[error("resize an image: {problem}", problem = escape(&_0.to_string()).at_most(MOST))]
    Resize(#[source] rut_images::Error),

    /// More images cannot be read than may be left out.
    #[error(
        "use the images of '{dataset}': expected at most {most} that cannot be read (`skip_unreadable`), found {found}: \
         {images}; repair or remove them, or raise that number; `rut data check` lists them all",
        dataset = escape(dataset),
        images = escape(images).at_most(MOST)
    )]
    Unreadable {
        /// The data set.
        dataset: String,
        /// How many may be left out.
        most: usize,
        /// How many cannot be read.
        found: usize,
        /// The first of them, with what is wrong.
        images: String,
    },

    /// There is not one label per image.
    #[error("label images: expected {expected} labels, one for each image, found {found}")]
    LabelCount {
        /// Images.
        expected: usize,
        /// Labels.
        found: usize,
    },

    /// A folder that should hold class folders holds none, or a class folder holds no image.
    #[error(
        "read folder {}: expected {expected}, found {found}",
        escape(path).whole(),
        expected = escape(expected).at_most(MOST),
        found = escape(found).at_most(MOST)
    )]
    BadFolder {
        /// The folder.
        path: PathBuf,
        /// What it should hold.
        expected: String,
        /// What it holds.
        found: String,
    },

    /// A class was named that the data set does not have.
    #[error(
        "find class '{class}' of '{dataset}': expected one of {known}, or an index below {count}",
        class = escape(class),
        dataset = escape(dataset),
        known = escape(known).at_most(MOST)
    )]
    UnknownClass {
        /// What was asked for.
        class: String,
        /// The data set.
        dataset: String,
        /// Its class names.
        known: String,
        /// How many classes it has.
        count: usize,
    },

    /// A class was named twice, or no class at all.
    #[error(
        "keep a list of classes of '{dataset}': {problem}",
        dataset = escape(dataset),
        problem = escape(problem).at_most(MOST)
    )]
    BadClassList {
        /// The data set.
        dataset: String,
        /// What is wrong, and the remedy.
        problem: String,
    },

    /// A label is not below the number of classes.
    #[error("use the label of image {index}: expected one below {classes}, found {label}")]
    LabelOutOfRange {
        /// Position in the list of labels.
        index: usize,
        /// The label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },

    /// An image was asked for that the set does not have.
    #[error("get image {index}: expected an index below {len}")]
    IndexOutOfRange {
        /// The index.
        index: usize,
        /// Images in the set.
        len: usize,
    },

    /// A class has fewer images than the draw needs.
    #[error(
        "draw from class '{class}' (index {index}): found {}, wanted {wanted} ({parts}); \
         {remedy}leave the class out (field `classes`), or take what is there (`short_classes = allow`)",
        counted(*found, &format!("{part} image")),
        class = escape(class),
        parts = escape(&**parts).at_most(MOST),
        remedy = escape(&**remedy).at_most(MOST)
    )]
    ShortClass {
        /// Name of the class.
        class: String,
        /// Its index, from 0.
        index: u32,
        /// Images it has.
        found: usize,
        /// Images needed.
        wanted: usize,
        /// What they are needed for.
        parts: Box<str>,
        /// Of which part they are: `training` or `validation`.
        part: &'static str,
        /// What helps besides, up to the comma that ends it.
        remedy: Box<str>,
    },

    /// A budget, count or fraction that makes no sense.
    #[error("use {what} '{found}': expected {expected}", found = escape(found))]
    BadOption {
        /// The option.
        what: &'static str,
        /// What was given.
        found: String,
        /// What would do.
        expected: &'static str,
    },
}

impl Error {
    /// Wraps what is wrong with an image with its name.
    pub(crate) fn image(name: impl FnOnce() -> String) -> impl FnOnce(rut_images::Error) -> Error {
        move |source| Error::Image {
            name: name(),
            source,
        }
    }

    /// What is wrong with a transform, or with what it makes of an image.
    pub(crate) fn transform(error: rut_images::Error) -> Error {
        match error {
            rut_images::Error::Side { found } => Error::BadOption {
                what: "image side",
                found: found.to_string(),
                expected: "1 to 4096 pixels",
            },
            error => Error::Resize(error),
        }
    }

    /// Wraps an I/O error with the path it is about.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io { path, source }
    }
}
