//! Errors of planning many runs, or of reading their status. `rut-cli` maps them to exit codes.

use std::path::{Path, PathBuf};

use rut_formats::escape;

/// Characters of a description that are shown; what it quotes of a file is cut before.
const MOST: usize = 2000;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong: lowercase fragments that read after "failed to".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
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
    /// One of the runs, or what it names.
    #[error(transparent)]
    Run(Box<rut_run::Error>),
}

/// What the layers below say is the run's.
macro_rules! of_a_run {
    ($($kind:ty),+) => {$(
        impl From<$kind> for Error {
            fn from(error: $kind) -> Self {
                Self::Run(Box::new(error.into()))
            }
        }
    )+};
}

of_a_run!(
    rut_run::Error,
    rut_record::Error,
    rut_data::Error,
    rut_models::Error,
    rut_adapt::Error
);

/// A field that cannot be used.
pub(crate) fn refused(
    field: &'static str,
    expected: impl Into<String>,
    found: impl Into<String>,
) -> Error {
    rut_record::Error::field(field, expected, found).into()
}

/// Turns an I/O error into one that names what was done to which file.
pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let named = rut_record::file(action, path);
    move |source| named(source).into()
}
