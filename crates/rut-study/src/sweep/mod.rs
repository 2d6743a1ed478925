//! Many runs: what is planned of them, and what became of it. One run is `run`'s.

pub mod failure;
pub mod plan;

pub use failure::Failure;
pub use plan::{Plan, PlannedRun};
