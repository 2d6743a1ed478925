//! Why a file is not read, and what can be done about it.

use crate::Fault;

/// What to do about a damaged file.
pub(super) const AGAIN: &str = "download or copy the file again";

/// Why a file is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {remedy}")]
pub struct Refusal {
    /// What was found.
    pub reason: String,
    /// What the user can do.
    pub remedy: &'static str,
}

impl Refusal {
    pub(super) fn new(reason: impl Into<String>, remedy: &'static str) -> Refusal {
        Refusal {
            reason: reason.into(),
            remedy,
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        Refusal::new(
            format!(
                "damaged at {}: expected {}, found {}",
                fault.place, fault.expected, fault.found
            ),
            AGAIN,
        )
    }
}
