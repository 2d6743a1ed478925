//! The one error of this crate. Every message is a lowercase fragment that reads after "failed to" and names the
//! file or key, what was expected, what was found, and what to do about it.

use std::path::PathBuf;

use rut_formats::escape;

use crate::mismatch::Mismatch;

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Characters of a description that are shown; what it quotes of a file is cut before.
const MOST: usize = 2000;

/// Why a network could not be read, assembled or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system could not read a file or folder.
    #[error("read {path}: {source}", path = escape(path).whole())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A file is neither a safetensors file nor a PyTorch checkpoint, or is damaged.
    #[error(
        "read {path}: {reason}; expected a complete .safetensors or PyTorch .pth/.pt/.th file of a state dict: {remedy}",
        path = escape(path).whole(),
        reason = escape(reason).at_most(MOST)
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
        /// What the user can do.
        remedy: &'static str,
    },

    /// A tensor has an element type that cannot be a weight or a mask.
    #[error(
        "read {path}: `{name}` holds {found} elements, expected {expected}",
        path = escape(path).whole(),
        name = escape(name),
        found = escape(found).at_most(MOST)
    )]
    ElementType {
        /// The file.
        path: PathBuf,
        /// The key.
        name: String,
        /// The element type found.
        found: String,
        /// The element types that are read.
        expected: &'static str,
    },

    /// Two keys of a file mean the same parameter.
    #[error(
        "read {path}: keys `{first}` and `{second}` both mean `{name}`; expected one of them: remove the other",
        path = escape(path).whole(),
        first = escape(first),
        second = escape(second),
        name = escape(name)
    )]
    DuplicateKey {
        /// The file.
        path: PathBuf,
        /// The parameter's name without prefixes.
        name: String,
        /// One key.
        first: String,
        /// The other.
        second: String,
    },

    /// A file holds several networks, and nothing says which is meant.
    #[error(
        "read {path}: it holds the whole {kind} more than once, under {}; {remedy}",
        crate::mismatch::quoted(found),
        path = escape(path).whole()
    )]
    SeveralNetworks {
        /// The file.
        path: PathBuf,
        /// What the file was read as: `network` or `mask`.
        kind: &'static str,
        /// Where each stands: dictionaries and modules, joined by points; `.` is the file itself.
        found: Vec<String>,
        /// What the user can do.
        remedy: &'static str,
    },

    /// A checkpoint has nothing under the key that was asked for.
    #[error(
        "read {path}: there is no key {}; {} {}",
        crate::mismatch::quoted(std::slice::from_ref(key)),
        if *is_network { "the network was found under" } else { "the top-level keys are" },
        crate::mismatch::quoted(found),
        path = escape(path).whole()
    )]
    NoSuchKey {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        key: String,
        /// Where the network was found, or the top-level keys if it was found nowhere.
        found: Vec<String>,
        /// Whether it was found.
        is_network: bool,
    },

    /// A network without a classifier is asked for logits.
    #[error(
        "use {path}: it has no classifier{}: expected `{classifier}.weight` and `{classifier}.bias`, a linear layer of {width} \
         features; logits need one: probe it (`rut lp`), extract its features alone (`rut extract`, option `features`), or name a \
         checkpoint that has one",
        about.as_ref().map_or_else(String::new, |about| format!(" ({about})")),
        path = escape(path).whole(),
        classifier = escape(classifier).at_most(MOST)
    )]
    NoClassifier {
        /// The file.
        path: PathBuf,
        /// The last linear layer's name in the network.
        classifier: String,
        /// Number of features that enter it.
        width: usize,
        /// What stands there instead.
        about: Option<String>,
    },

    /// The keys of a checkpoint or mask are not those of the network; all differences at once.
    #[error(transparent)]
    Mismatch(Box<Mismatch>),

    /// A mask holds something else than 0 or 1.
    #[error(
        "read mask {path}: `{name}` holds {value} at index {index}, expected only 0 and 1: a mask says which weights stay, scores must be thresholded first",
        path = escape(path).whole(),
        name = escape(name)
    )]
    MaskValue {
        /// The file.
        path: PathBuf,
        /// The key.
        name: String,
        /// Row-major index of the first such element.
        index: usize,
        /// The element.
        value: f64,
    },

    /// A weight is NaN or infinite, or the square root of a variance would be.
    #[error(
        "use {path}: `{name}` holds {value} at index {index}, expected {expected}: the file is damaged or its training diverged",
        path = escape(path).whole(),
        name = escape(name)
    )]
    BadWeight {
        /// The file.
        path: PathBuf,
        /// The key.
        name: String,
        /// Row-major index of the first such element.
        index: usize,
        /// The element.
        value: f32,
        /// What is allowed.
        expected: &'static str,
    },

    /// A folder holds no file of a ticket.
    #[error(
        "find the {what} of {ticket} in {directory}: expected one file {pattern}, found {found}",
        ticket = escape(ticket).at_most(MOST),
        directory = escape(directory).whole(),
        pattern = escape(pattern).at_most(MOST),
        found = escape(found).at_most(MOST)
    )]
    Ticket {
        /// `checkpoint` or `mask`.
        what: &'static str,
        /// The model's name and the number of pruning rounds.
        ticket: String,
        /// The folder.
        directory: PathBuf,
        /// What the file's name looks like.
        pattern: String,
        /// What is there instead.
        found: String,
    },

    /// A folder holds several files that may be the one of a ticket.
    #[error(
        "find the {wanted} in {directory}: expected one file {pattern}, found {found}; name the files (field `checkpoint`, field `mask`)",
        wanted = escape(wanted).at_most(MOST),
        directory = escape(directory).whole(),
        pattern = escape(pattern).at_most(MOST),
        found = escape(found).at_most(MOST)
    )]
    AmbiguousTicket {
        /// `checkpoint` or `mask`, of which model after how many pruning rounds.
        wanted: String,
        /// The folder.
        directory: PathBuf,
        /// What the file's name looks like.
        pattern: String,
        /// The matching files.
        found: String,
    },

    /// A label that cannot stand in the name of a network's files.
    #[error(
        "name the files of a network: field `label` is `{found}`, expected letters, digits, `-`, `_` and `.` that do not make another \
         model's name",
        found = escape(found).at_most(MOST)
    )]
    Label {
        /// The label.
        found: String,
    },

    /// A file cannot be written.
    #[error("write {path}: {source}", path = escape(path).whole())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// The files of a ticket or a quantized network are there already.
    #[error(
        "write a network: {path} is there already: {remedy}",
        path = escape(path).whole()
    )]
    NetworkExists {
        /// The file.
        path: PathBuf,
        /// What the user can do.
        remedy: &'static str,
    },

    /// The statistics of batch norms cannot be estimated.
    #[error("recalibrate the network: {problem}", problem = escape(problem).at_most(MOST))]
    Recalibrate {
        /// What is missing, and what to do.
        problem: String,
    },

    /// A graph does not fit together, or does not fit its input.
    #[error("evaluate node {node} ({op}): {reason}", reason = escape(reason).at_most(MOST))]
    Graph {
        /// Index of the node.
        node: usize,
        /// The operation's name.
        op: &'static str,
        /// What does not fit.
        reason: String,
    },

    /// An argument of a forward or backward pass has another shape, element type or device than it should.
    #[error(
        "run a frozen network: {what} is {found}, expected {expected}",
        found = escape(found).at_most(MOST),
        expected = escape(expected).at_most(MOST)
    )]
    Argument {
        /// Which argument.
        what: &'static str,
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
    },

    /// There is no engine of this name.
    #[error(
        "use the engine `{found}`: expected one of {expected}",
        found = escape(found),
        expected = escape(expected).at_most(MOST)
    )]
    Engine {
        /// The name.
        found: String,
        /// The names that there are.
        expected: String,
    },

    /// What a file says of its quantization does not fit.
    #[error(
        "read the quantized network {path}: {reason}; name the model and files that it was made with, or make it again with \
         `rut quantize`",
        path = escape(path).whole(),
        reason = escape(reason).at_most(MOST)
    )]
    Quantization {
        /// The file.
        path: PathBuf,
        /// What was expected and found.
        reason: String,
    },

    /// An engine does not compute in this precision.
    #[error(
        "compute in `precision = {precision}` with `engine = {engine}`: in this precision, expected the engine {others}; {engine} \
         computes in f32"
    )]
    Precision {
        /// The engine.
        engine: &'static str,
        /// The precision.
        precision: &'static str,
        /// The engines that do.
        others: String,
    },

    /// A trace was asked for a second backward pass.
    #[error(
        "run backward through a frozen network: the trace of this forward pass is used up by an earlier backward pass; run forward again"
    )]
    TraceUsed,

    /// A kernel of the CPU engine refused its arguments, or the instruction set that was asked for is not there.
    #[error(transparent)]
    Kernel(#[from] rut_kernels::Error),

    /// candle failed.
    #[error("run a frozen network: {0}")]
    Candle(#[from] candle_core::Error),
}

impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Candle(error) => error,
            other => candle_core::Error::wrap(other),
        }
    }
}
