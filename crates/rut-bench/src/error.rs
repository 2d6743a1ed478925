//! Why something cannot be measured.

use rut_record::Error as RecordError;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong: lowercase fragments that read after "failed to".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option lies outside its range, or the report cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Networks, checkpoints or masks.
    #[error(transparent)]
    Models(#[from] rut_models::Error),
    /// The loops that are measured.
    #[error(transparent)]
    Adapt(#[from] rut_adapt::Error),
}

/// An option that cannot be used.
pub(crate) fn refused(
    field: &'static str,
    expected: impl Into<String>,
    found: impl Into<String>,
) -> Error {
    RecordError::field(field, expected, found).into()
}
