//! Everything that can go wrong with a run as a whole. For exit codes, see `rut-cli`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use rut_formats::escape;

/// Characters of a description that are shown; what it quotes of a file is cut before.
const MOST: usize = 2000;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder that networks are looked for in is not there.
    #[error(
        "find {model}: no field `checkpoint` is set, and the folder {dir} is not there; give its file (field `checkpoint`, and field \
         `mask` for a ticket), or a folder of networks (`pretrained_dir`); `rut fetch` downloads published weights",
        dir = escape(dir).whole()
    )]
    NoNetworkFolder {
        /// The model of the table.
        model: &'static str,
        /// The folder.
        dir: PathBuf,
    },
    /// What is called a ticket has lost no weight, or hardly one.
    #[error(
        "use {checkpoint} as a ticket: {found}, or say `network = dense`",
        checkpoint = escape(checkpoint).whole(),
        found = escape(found).at_most(MOST)
    )]
    NotATicket {
        /// The checkpoint.
        checkpoint: PathBuf,
        /// What was found, and what to do instead.
        found: String,
    },
    /// What is called quantized is not, or the other way round.
    #[error(
        "use {checkpoint}: expected {expected}, found {found}",
        checkpoint = escape(checkpoint).whole(),
        expected = escape(expected).at_most(MOST),
        found = escape(found).at_most(MOST)
    )]
    Quantized {
        /// The checkpoint.
        checkpoint: PathBuf,
        /// What it should be, or be called.
        expected: String,
        /// What it is.
        found: String,
    },
    /// What a finished run was made from is no longer there.
    #[error(
        "take up {run} again: {field}: expected {expected}, found {found}; put back what the run was made from",
        run = escape(run).at_most(MOST),
        field = escape(field).at_most(MOST),
        expected = escape(expected).at_most(MOST),
        found = escape(found).at_most(MOST)
    )]
    Changed {
        /// The run.
        run: String,
        /// What differs.
        field: String,
        /// What it was.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A run's network was part of an earlier version of the program, and its namesake of today was found.
    #[error(
        "take up {run} again: it was made with {file} of an earlier version of this program, and {found} is another file; get the folder \
         {folder} of rut's repository and name it (field `pretrained_dir`), or name its files (field `checkpoint`, and field `mask` \
         for a ticket); for a new run choose another `results_path`",
        run = escape(run).whole(),
        found = escape(found).whole(),
        folder = rut_models::EARLIER_BUNDLED_FROM,
    )]
    EarlierNetwork {
        /// The run's folder.
        run: PathBuf,
        /// The name of the file that it was made with.
        file: &'static str,
        /// The file that was found.
        found: PathBuf,
    },
    /// A picture could not be drawn.
    #[error("draw: {}", escape(.0).at_most(MOST))]
    Drawing(String),
    /// The run was stopped on request and can be resumed.
    #[error("finish: stopped on request; the state is saved in {dir}", dir = escape(dir).whole())]
    Stopped {
        /// The run's folder.
        dir: PathBuf,
    },
    /// Images or splits.
    #[error(transparent)]
    Data(#[from] rut_data::Error),
    /// A picture to write whose pixels do not fit its size.
    #[error("write a picture: {0}")]
    Picture(#[from] rut_images::Error),
    /// Networks, checkpoints or masks.
    #[error(transparent)]
    Models(#[from] rut_models::Error),
    /// A network could not be compressed.
    #[error(transparent)]
    Compress(rut_compress::Error),
    /// The training loop.
    #[error(transparent)]
    Adapt(rut_adapt::Error),
    /// A specification, a record, or a file of a run's folder.
    #[error(transparent)]
    Record(rut_record::Error),
}

impl From<rut_adapt::Error> for Error {
    /// Errors of the layers below keep their own kind: a missing data set is one wherever it was noticed.
    fn from(error: rut_adapt::Error) -> Self {
        match error {
            rut_adapt::Error::Data(error) => Self::Data(error),
            rut_adapt::Error::Models(error) => Self::Models(error),
            rut_adapt::Error::Record(error) => error.into(),
            error => Self::Adapt(error),
        }
    }
}

impl From<rut_compress::Error> for Error {
    /// What is wrong with a network keeps its own kind.
    fn from(error: rut_compress::Error) -> Self {
        match error {
            rut_compress::Error::Models(error) => Self::Models(error),
            error => Self::Compress(error),
        }
    }
}

impl From<rut_record::Error> for Error {
    /// What is wrong with images keeps its own kind.
    fn from(error: rut_record::Error) -> Self {
        match error {
            rut_record::Error::Data(error) => Self::Data(error),
            error => Self::Record(error),
        }
    }
}

/// A field of a specification that cannot be used.
pub(crate) fn refused(
    field: impl Into<Cow<'static, str>>,
    expected: impl Into<String>,
    found: impl Into<String>,
) -> Error {
    rut_record::Error::field(field, expected, found).into()
}

/// A file that is missing or broken.
pub(crate) fn broken(path: &Path, problem: impl Into<String>) -> Error {
    rut_record::Error::broken(path, problem).into()
}

/// Turns an I/O error into one that names what was done to which file.
pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let named = rut_record::file(action, path);
    move |source| named(source).into()
}
