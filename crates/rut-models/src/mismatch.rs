//! The list of everything in which a file's keys differ from a network's parameters, as one message.

use std::fmt;
use std::path::PathBuf;

/// Every difference between the keys of one file and the parameters of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The file.
    pub path: PathBuf,
    /// What the file was read as: `checkpoint` or `mask`.
    pub kind: &'static str,
    /// Parameters of the network that the file lacks.
    pub missing: Vec<String>,
    /// Keys of the file that the network lacks.
    pub unexpected: Vec<String>,
    /// Parameters whose shape differs.
    pub misshaped: Vec<Misshaped>,
    /// What is probably wrong.
    pub remedy: String,
}

/// A parameter whose shape in a file is not the network's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshaped {
    /// The parameter.
    pub name: String,
    /// Its shape in the network.
    pub expected: Vec<usize>,
    /// Its shape in the file.
    pub found: Vec<usize>,
}

impl Mismatch {
    /// Whether the file and the network agree after all.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshaped.is_empty()
    }
}

impl fmt::Display for Mismatch {
    /// The file and what is probably wrong, then a line for every difference.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, path) = (self.kind, self.path.display());
        let [missing, unexpected] = [self.missing.len(), self.unexpected.len()];
        let misshaped = self.misshaped.len();
        write!(f, "match the {kind} {path} with the network: ")?;
        write!(
            f,
            "{missing} missing, {unexpected} unexpected, {misshaped} of another shape; {}",
            self.remedy
        )?;
        for (what, keys) in [("missing", &self.missing), ("unexpected", &self.unexpected)] {
            for key in keys {
                write!(f, "\n  {what}: {key}")?;
            }
        }
        for Misshaped {
            name,
            expected,
            found,
        } in &self.misshaped
        {
            write!(
                f,
                "\n  of another shape: {name} is {found:?}, expected {expected:?}"
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for Mismatch {}
