//! How unpacking ended early: what is wrong with an archive, before it is said with which.

use std::fmt::Display;
use std::io;
use std::path::Path;

use rut_formats::escape;
use zip::result::ZipError;

use crate::error::{Error, Result};

/// How unpacking ended early.
#[derive(Debug)]
pub(crate) enum Halt {
    /// Something is wrong with the archive, or with reading it.
    Archive(String),
    /// Something else is.
    Other(Error),
}

impl Halt {
    /// The error for `archive`.
    pub(crate) fn of(self, archive: &Path) -> Error {
        match self {
            Self::Archive(problem) => Error::Archive {
                archive: archive.to_path_buf(),
                problem,
            },
            Self::Other(error) => error,
        }
    }

    /// The same where it was at the member called `name`.
    pub(crate) fn at(self, name: &str) -> Self {
        match self {
            Self::Archive(problem) => Self::Archive(format!("`{}`: {problem}", escape(name))),
            other => other,
        }
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<String> for Halt {
    fn from(problem: String) -> Self {
        Self::Archive(problem)
    }
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::Archive(error.to_string())
    }
}

impl From<ZipError> for Halt {
    fn from(error: ZipError) -> Self {
        Self::Archive(error.to_string())
    }
}

/// That nothing is unpacked from an archive, and why.
pub(crate) fn refused<T>(why: impl Display) -> Result<T, Halt> {
    Err(Halt::Archive(format!("refused: {why}")))
}

/// The same because of the member called `name`.
pub(crate) fn refused_member<T>(name: &str, why: impl Display) -> Result<T, Halt> {
    let name = escape(name);
    Err(Halt::Archive(format!("refused `{name}`: {why}")))
}
