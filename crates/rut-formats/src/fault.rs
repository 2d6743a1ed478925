//! What is wrong inside a file, said by a reader that does not know the file's path.

/// A place in a file, what should stand there, and what does.
///
/// ```
/// let fault = rut_formats::Fault::new("header", "a text", "bytes").within("x.npy");
/// assert_eq!(fault.to_string(), "x.npy, header: expected a text, found bytes");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: expected {expected}, found {found}")]
pub struct Fault {
    /// Where in the file: a byte, a record, a line.
    pub place: String,
    /// What should stand there.
    pub expected: String,
    /// What stands there, with the remedy where there is one.
    pub found: String,
}

impl Fault {
    /// At `place`, `found` stands where `expected` should. A caller that puts untrusted text into one
    /// [escapes](crate::escape) it.
    pub fn new(
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
    pub fn within(self, part: &str) -> Fault {
        Fault {
            place: format!("{part}, {}", self.place),
            ..self
        }
    }
}
