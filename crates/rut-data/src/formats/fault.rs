//! What is wrong inside a file, said by a reader that does not know the file's path.

use std::path::Path;

use crate::Error;

/// A place in a file, what should stand there, and what does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    place: String,
    expected: String,
    found: String,
}

impl Fault {
    /// At `place`, `found` stands where `expected` should.
    pub(crate) fn new(
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Fault {
        Fault {
            place: place.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// The same fault in a part of a file: `header` in `x.npy` is at `x.npy, header`.
    pub(crate) fn within(self, part: &str) -> Fault {
        Fault {
            place: format!("{part}, {}", self.place),
            ..self
        }
    }

    /// The error, once the file is known.
    pub(crate) fn at(self, path: &Path) -> Error {
        Error::Malformed {
            path: path.to_path_buf(),
            place: self.place,
            expected: self.expected,
            found: self.found,
        }
    }
}
