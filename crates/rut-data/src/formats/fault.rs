//! What is wrong inside a file, as an error of the file.

use std::path::Path;

use rut_formats::Fault;

use crate::Error;

/// A fault becomes an error once the file is known.
pub(crate) trait InFile {
    /// The error of the file at `path`.
    fn at(self, path: &Path) -> Error;
}

impl InFile for Fault {
    fn at(self, path: &Path) -> Error {
        let path = path.to_path_buf();
        let Fault {
            place,
            expected,
            found,
        } = self;
        Error::Malformed {
            path,
            place,
            expected,
            found,
        }
    }
}
