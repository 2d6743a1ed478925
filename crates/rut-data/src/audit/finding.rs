//! The kinds of what can be wrong with a data set, and how each is said.

use std::fmt;

use rut_formats::counted;

/// Names of classes in one message.
const MOST_NAMES: usize = 10;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A part does not have as many images as the table says.
    Count {
        /// The part.
        part: &'static str,
        /// Images that the complete data set has.
        expected: usize,
        /// Images that are there.
        found: usize,
    },
    /// The classes are not those of the table.
    ClassNames {
        /// Number of classes in the table.
        expected: usize,
        /// Number of classes that are there.
        found: usize,
        /// Classes of the table that are not there, and classes that are not in the table.
        differing: Vec<String>,
    },
    /// An image does not decode.
    Undecodable {
        /// The part.
        part: &'static str,
        /// Where the image is from.
        image: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A label is not below the number of classes.
    Label {
        /// The part.
        part: &'static str,
        /// Where the image is from.
        image: String,
        /// Its label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// A class has no image in a part.
    EmptyClass {
        /// The part.
        part: &'static str,
        /// Name of the class.
        class: String,
    },
    /// The same file or record stands in two parts.
    Overlap {
        /// Where the image is from.
        image: String,
        /// The parts.
        parts: [&'static str; 2],
    },
    /// Images of one part have the same pixels and different labels.
    Contradiction {
        /// The part.
        part: &'static str,
        /// Where the two images are from.
        images: [String; 2],
        /// Their labels.
        labels: [u32; 2],
    },
    /// Images of two parts have the same pixels.
    Duplicate {
        /// The parts.
        parts: [&'static str; 2],
        /// Where the two images are from.
        images: [String; 2],
        /// Their labels.
        labels: [u32; 2],
    },
}

impl Finding {
    /// What kind it is, in a word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Finding::Count { .. } => "count",
            Finding::ClassNames { .. } => "classes",
            Finding::Undecodable { .. } => "undecodable",
            Finding::Label { .. } => "label",
            Finding::EmptyClass { .. } => "empty-class",
            Finding::Overlap { .. } => "overlap",
            Finding::Contradiction { .. } => "contradiction",
            Finding::Duplicate { .. } => "duplicate",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Count {
                part,
                expected,
                found,
            } => write!(
                f,
                "{part}: expected {}, found {found}",
                counted(*expected, "image")
            ),
            Finding::ClassNames {
                expected,
                found,
                differing,
            } => {
                let shown = differing.len().min(MOST_NAMES);
                let expected = counted(*expected, "class");
                write!(f, "expected {expected}, found {found}; differing: ")?;
                f.write_str(&differing[..shown].join(", "))?;
                match differing.len() - shown {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
            Finding::Undecodable { part, problem, .. } => write!(f, "{part}: failed to {problem}"),
            Finding::Label {
                part,
                image,
                label,
                classes,
            } => write!(
                f,
                "{part}: {image} has label {label}, expected one below {classes}"
            ),
            Finding::EmptyClass { part, class } => {
                write!(f, "{part}: no image of class '{class}'")
            }
            Finding::Overlap {
                image,
                parts: [one, other],
            } => write!(f, "{image} is both in {one} and in {other}"),
            Finding::Contradiction {
                part,
                images: [a, b],
                labels: [x, y],
            } => write!(
                f,
                "{part}: {a} (label {x}) and {b} (label {y}) have the same pixels under two labels"
            ),
            Finding::Duplicate {
                parts: [one, other],
                images: [a, b],
                labels: [x, y],
            } => {
                write!(
                    f,
                    "{a} ({one}, label {x}) and {b} ({other}, label {y}) have the same pixels"
                )
            }
        }
    }
}
