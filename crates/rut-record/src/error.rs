//! Why something that is written down cannot be read or written, or a specification cannot be used.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use rut_formats::escape;
use serde_json::Value;

/// Characters of a description that are shown; what it quotes of a file is cut before.
const MOST: usize = 2000;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong: lowercase fragments that read after "failed to".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A specification cannot be read.
    #[error("read the run specification: {}", escape(.0).at_most(MOST))]
    Spec(String),
    /// A field of a specification lies outside its range, or does not go with another.
    #[error(
        "use {field} = {found}: expected {expected}",
        field = escape(&**field).at_most(MOST),
        found = escape(found).at_most(MOST),
        expected = escape(expected).at_most(MOST)
    )]
    Field {
        /// The field.
        field: Cow<'static, str>,
        /// What is allowed.
        expected: String,
        /// What was given.
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
        "start in {dir}: it holds a run that is going on in another process; wait for it, or choose another `run_name`",
        dir = escape(dir).whole()
    )]
    GoingOn {
        /// The folder.
        dir: PathBuf,
    },
    /// A run cannot be resumed as asked.
    #[error(
        "resume {dir}: {field} was {expected} when the run began and is {found} now; start over (`overwrite`), or \
         choose another `run_name`",
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
    /// Logits that cannot be scored.
    #[error("score {what}: {source}", what = escape(what).at_most(MOST))]
    Metrics {
        /// Which logits.
        what: String,
        /// The reason.
        source: rut_metrics::Error,
    },
    /// Images, splits or shots.
    #[error(transparent)]
    Data(#[from] rut_data::Error),
}

impl Error {
    /// A field of a specification that cannot be used.
    pub fn field(
        field: impl Into<Cow<'static, str>>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Field {
            field: field.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// A field that is set though `user` has no use for it (defect D15 of the reference).
    pub fn unused(field: impl Into<Cow<'static, str>>, user: &str, found: &Value) -> Self {
        let expected = format!("the option to be left out, for {user} makes no use of it");
        let text = found.as_str();
        Self::field(
            field,
            expected,
            text.map_or_else(|| found.to_string(), str::to_owned),
        )
    }

    /// A file that is missing or broken.
    pub fn broken(path: &Path, problem: impl Into<String>) -> Self {
        Self::Broken {
            path: path.into(),
            problem: problem.into(),
        }
    }

    /// The same with what to do, where a file is broken.
    #[must_use]
    pub fn with_remedy(self, remedy: &str) -> Self {
        match self {
            Self::Broken { path, problem } => Self::Broken {
                path,
                problem: format!("{problem}; {remedy}"),
            },
            other => other,
        }
    }
}

/// Turns an I/O error into one that names what was done to which file.
pub fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File {
        action,
        path,
        source,
    }
}
