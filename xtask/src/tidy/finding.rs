//! What a check finds, and the rule that it breaks.

use std::fmt;

/// Why a finding is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// An invariant of `ARCHITECTURE.md`, by its number.
    Invariant(u8),
    /// A convention of `CONTRIBUTING.md`.
    Convention,
}

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Path from the repository root.
    pub path: String,
    /// Line, counted from 1; 1 where the whole file is meant.
    pub line: usize,
    /// What is there and what to do about it.
    pub message: String,
}

impl Finding {
    /// A finding at `line` of `path`.
    pub fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invariant(number) => write!(f, "invariant {number}, ARCHITECTURE.md#invariants"),
            Self::Convention => f.write_str("CONTRIBUTING.md#conventions"),
        }
    }
}
