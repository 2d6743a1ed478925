//! Everything that can go wrong with a run as a whole. Exit codes are `rut-cli`'s.

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
    /// A specification cannot be read.
    #[error("read the run specification: {}", escape(.0).at_most(MOST))]
    Spec(String),
    /// A field of a specification lies outside its range, or does not go with another.
    #[error(
        "use {field} = {found}: expected {expected}",
        found = escape(found).at_most(MOST),
        expected = escape(expected).at_most(MOST)
    )]
    Field {
        /// The field.
        field: &'static str,
        /// What is allowed.
        expected: String,
        /// What was given.
        found: String,
    },
    /// The folder that networks are looked for in is not there.
    #[error(
        "find the network in {dir}: no such folder here; name it with `--pretrained-dir`, or files with `--checkpoint` and `--mask`",
        dir = escape(dir).whole()
    )]
    NoNetworkFolder {
        /// The folder.
        dir: PathBuf,
    },
    /// What is called a ticket has lost no weight, or hardly one.
    #[error(
        "use {checkpoint} as a ticket: {found}, or say `--network dense`",
        checkpoint = escape(checkpoint).whole(),
        found = escape(found).at_most(MOST)
    )]
    NotATicket {
        /// The checkpoint.
        checkpoint: PathBuf,
        /// What was found, and what to do instead.
        found: String,
    },
    /// A run's folder already holds something.
    #[error("start in {dir}: it holds {found}; {remedy}", dir = escape(dir).whole())]
    Occupied {
        /// The folder.
        dir: PathBuf,
        /// What is in it.
        found: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// Another process works in a run's folder.
    #[error(
        "start in {dir}: it holds a run that is going on in another process; wait for it, or choose another `--run-name`",
        dir = escape(dir).whole()
    )]
    GoingOn {
        /// The folder.
        dir: PathBuf,
    },
    /// The file of a study cannot be used.
    #[error(
        "use the study {path}: {problem}",
        path = escape(path).whole(),
        problem = escape(problem).at_most(MOST)
    )]
    Study {
        /// The file.
        path: PathBuf,
        /// What stands where in it; expected and found.
        problem: String,
    },
    /// A run cannot be resumed as asked.
    #[error(
        "resume {dir}: {field} was {expected} when the run began and is {found} now; start over with `--overwrite`, or \
         choose another `--run-name`",
        dir = escape(dir).whole(),
        field = escape(field).at_most(MOST),
        expected = escape(expected).at_most(MOST),
        found = escape(found).at_most(MOST)
    )]
    NotResumable {
        /// The run's folder.
        dir: PathBuf,
        /// What differs.
        field: String,
        /// What it was.
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
    /// A file of a run's folder is missing or broken.
    #[error("read {path}: {problem}", path = escape(path).whole(), problem = escape(problem).at_most(MOST))]
    Broken {
        /// The file.
        path: PathBuf,
        /// Expected and found.
        problem: String,
    },
    /// A file or folder could not be read or written.
    #[error("{action} {path}: {source}", path = escape(path).whole())]
    File {
        /// `read`, `write` …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A picture could not be drawn.
    #[error("draw: {}", escape(.0).at_most(MOST))]
    Drawing(String),
    /// There is nothing to report on.
    #[error(
        "find runs in {}: expected folders with `record.json` or `failure.json`, or a `plan.jsonl`, found none; name a folder \
         of results, or a run's", .folders.iter().map(|folder| escape(folder).whole().to_string()).collect::<Vec<_>>().join(", ")
    )]
    NoRuns {
        /// Where was looked.
        folders: Vec<PathBuf>,
    },
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
    /// The training loop.
    #[error(transparent)]
    Adapt(rut_adapt::Error),
    /// Logits that cannot be scored.
    #[error("score {what}: {source}", what = escape(what).at_most(MOST))]
    Metrics {
        /// Which logits.
        what: String,
        /// The reason.
        source: rut_metrics::Error,
    },
}

impl Error {
    /// The same with what to do, where a file is broken.
    pub(crate) fn with_remedy(self, remedy: &str) -> Self {
        match self {
            Self::Broken { path, problem } => Self::Broken {
                path,
                problem: format!("{problem}; {remedy}"),
            },
            other => other,
        }
    }
}

impl From<rut_adapt::Error> for Error {
    /// Errors of the floors below keep their own kind: a missing data set is one whoever met it.
    fn from(error: rut_adapt::Error) -> Self {
        match error {
            rut_adapt::Error::Data(error) => Self::Data(error),
            rut_adapt::Error::Models(error) => Self::Models(error),
            error => Self::Adapt(error),
        }
    }
}

/// Turns an I/O error into one that names what was done to which file.
pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File {
        action,
        path,
        source,
    }
}
