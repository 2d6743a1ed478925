//! Why a report cannot be made. What of the results cannot be read is no reason: it is a row of the report.

use std::path::PathBuf;

use rut_formats::escape;

/// Characters of a description that are shown; what it quotes of a file is cut before.
const MOST: usize = 2000;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong: lowercase fragments that read after "failed to".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing to report on.
    #[error(
        "find runs in {}: expected folders of runs, finished, failed or planned, found none; name a folder \
         of results, or a run's", .folders.iter().map(|folder| escape(folder).whole().to_string()).collect::<Vec<_>>().join(", ")
    )]
    NoRuns {
        /// Where was looked.
        folders: Vec<PathBuf>,
    },
    /// A picture or a table could not be drawn.
    #[error("draw: {}", escape(.0).at_most(MOST))]
    Drawing(String),
    /// Results that cannot be read, or a report that cannot be written.
    #[error(transparent)]
    Record(#[from] rut_record::Error),
}
