//! The scripts of a job array.
pub struct SlurmOptions;
