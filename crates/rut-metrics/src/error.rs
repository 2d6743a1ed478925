//! What can be wrong with the input, each with the place, what was expected, what was found and a remedy.

/// A result whose error is this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can be wrong with the input. Messages are fragments that read after "failed to … :".
///
/// Rows and columns count from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is not one sample.
    #[error("{field} is empty: expected at least one sample; check that the split has images")]
    Empty {
        /// What was empty.
        field: &'static str,
    },

    /// A number of classes of 0.
    #[error("classes is 0: expected at least 1; pass the width of one row")]
    NoClasses,

    /// The length of a row-major slice is no multiple of the number of classes.
    #[error(
        "{field} has {len} values: expected a multiple of classes = {classes}; check the order and width of the rows"
    )]
    Shape {
        /// `logits` or `probs`.
        field: &'static str,
        /// The length found.
        len: usize,
        /// The width of one row.
        classes: usize,
    },

    /// A logit is NaN, infinite or so large that differences overflow.
    #[error(
        "logits at row {row}, column {column}: expected finite (magnitude at most 1e300), found {found:?}; \
         look for a diverged run, a division by zero or the logarithm of a probability of 0 upstream"
    )]
    NotFinite {
        /// The sample.
        row: usize,
        /// The class.
        column: usize,
        /// The value found.
        found: f64,
    },

    /// An entry of `probs` is NaN or outside [0, 1].
    #[error(
        "probs at row {row}, column {column}: expected finite in [0, 1], found {found:?}; if these are logits, take them as such"
    )]
    NotProbability {
        /// The sample.
        row: usize,
        /// The class.
        column: usize,
        /// The value found.
        found: f64,
    },

    /// A row of `probs` does not sum to 1.
    #[error(
        "probs at row {row}: expected a sum of 1 within {tolerance:e}, found {found:?}; normalise the rows, or, if these are logits, take them as such"
    )]
    RowSum {
        /// The sample.
        row: usize,
        /// The sum found.
        found: f64,
        /// The largest deviation allowed.
        tolerance: f64,
    },

    /// There are not as many labels as rows.
    #[error("labels has {found} entries: expected {expected}, one per row of the predictions")]
    LabelCount {
        /// The number of rows.
        expected: usize,
        /// The number of labels.
        found: usize,
    },

    /// A label names a class that does not exist.
    #[error(
        "label at index {index}: expected less than classes = {classes}, found {found}; labels count from 0"
    )]
    Label {
        /// The sample.
        index: usize,
        /// The label found.
        found: u32,
        /// The number of classes.
        classes: usize,
    },

    /// A batch has another number of classes than the accumulator.
    #[error("a batch has {found} classes: expected {expected}, as the accumulator was made with")]
    ClassCount {
        /// The classes of the accumulator.
        expected: usize,
        /// The classes of the batch.
        found: usize,
    },

    /// The true class has probability 0, so that the negative log-likelihood is infinite.
    #[error(
        "probs at row {row}: expected more than 0 for the true class {label}, found 0, whose nll is infinite; take the logits that these were made from"
    )]
    InfiniteNll {
        /// The sample.
        row: usize,
        /// Its true class.
        label: u32,
    },

    /// `k` of a top-k accuracy is 0 or larger than the number of classes.
    #[error("k is {found}: expected 1 to classes = {classes}")]
    TopK {
        /// The value found.
        found: usize,
        /// The number of classes.
        classes: usize,
    },

    /// A confidence handed in directly is NaN or outside [0, 1].
    #[error(
        "confidence at index {index}: expected finite in [0, 1], found {found}; softmax the logits first"
    )]
    Confidence {
        /// The sample.
        index: usize,
        /// The value found.
        found: f64,
    },

    /// Two slices that describe the same samples have different lengths.
    #[error("{field} has {found} entries: expected {expected}, one per sample")]
    Length {
        /// The slice that is off.
        field: &'static str,
        /// The length of the other one.
        expected: usize,
        /// The length found.
        found: usize,
    },

    /// An option is out of its range.
    #[error("{field} is {found}: expected {expected}")]
    Option {
        /// The field of the options struct.
        field: &'static str,
        /// Its range, in words.
        expected: &'static str,
        /// The value found.
        found: f64,
    },

    /// Two runs to be compared have different labels: they are not about the same test set, or not in the same order.
    #[error(
        "labels of the two runs differ at index {index}: expected {first} as in the first, found {second}; \
         pair runs on one test set, in one order"
    )]
    Unpaired {
        /// The first sample that differs.
        index: usize,
        /// Its label in the first run.
        first: u32,
        /// Its label in the second run.
        second: u32,
    },
}
