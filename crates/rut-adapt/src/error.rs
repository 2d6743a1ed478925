//! Everything that can go wrong while a network is adapted. It is not a place for messages to a terminal.

use std::path::PathBuf;

use rut_formats::escape;

/// Characters of a description that are shown; what it quotes of a file is cut before.
const MOST: usize = 2000;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an adaptation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option lies outside its range.
    #[error(
        "use {field} = {found}: expected {expected}",
        found = escape(found).at_most(MOST),
        expected = escape(expected).at_most(MOST)
    )]
    Option {
        /// The option's name.
        field: &'static str,
        /// What is allowed.
        expected: String,
        /// What was given.
        found: String,
    },
    /// A one-to-one label map needs at least as many source classes as target classes.
    #[error(
        "map {targets} target classes onto {sources} source classes one to one: choose fewer target classes \
         (field `classes`) or a network with more classes"
    )]
    TooManyTargets {
        /// Number of target classes.
        targets: usize,
        /// Number of source classes.
        sources: usize,
    },
    /// The image leaves no border to train.
    #[error(
        "put a prompt around a {image}-pixel image on a {canvas}-pixel canvas: no pixel is left to train; \
         choose an image size below {canvas} (`image_size`)"
    )]
    NoTrainablePixel {
        /// Side of the image, pixels.
        image: usize,
        /// Side of the canvas, pixels.
        canvas: usize,
    },
    /// Embeddings of class names do not fit the run.
    #[error(
        "read the embeddings {path}: expected {expected}, found {found}",
        path = escape(path).whole(),
        expected = escape(expected).at_most(MOST),
        found = escape(found).at_most(MOST)
    )]
    Embeddings {
        /// The file.
        path: PathBuf,
        /// What the run needs.
        expected: String,
        /// What the file holds.
        found: String,
    },
    /// The loss stopped being a number.
    #[error(
        "train: the loss is {loss} at step {step} (epoch {epoch}); a smaller learning rate (now {learning_rate}) \
         or a look at the input for values that are not finite may help"
    )]
    NonFiniteLoss {
        /// The loss.
        loss: f64,
        /// Steps taken before, over all epochs.
        step: u64,
        /// The epoch, from 0.
        epoch: u32,
        /// The learning rate of the step.
        learning_rate: f64,
    },
    /// A saved state does not fit the run.
    #[error(
        "resume from the saved state: {field}: expected {expected}, found {found}; start over (`overwrite`)",
        field = escape(field).at_most(MOST),
        expected = escape(expected).at_most(MOST),
        found = escape(found).at_most(MOST)
    )]
    TrainingState {
        /// The entry of the state.
        field: String,
        /// What the run needs.
        expected: String,
        /// What the state holds.
        found: String,
    },
    /// The observer asked to stop; the state was saved before.
    #[error("finish: stopped on request after step {step}")]
    Stopped {
        /// Steps taken, over all epochs.
        step: u64,
    },
    /// The observer failed, for example to store an event.
    #[error("keep what the run produced: {0}")]
    Observer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file of the feature cache could not be written or read.
    #[error("use the feature cache file {path}: {source}", path = escape(path).whole())]
    Cache {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Images could not be read.
    #[error(transparent)]
    Data(#[from] rut_data::Error),
    /// The network failed.
    #[error(transparent)]
    Models(#[from] rut_models::Error),
    /// Logits could not be scored.
    #[error(transparent)]
    Metrics(#[from] rut_metrics::Error),
    /// An option of a row.
    #[error(transparent)]
    Record(#[from] rut_record::Error),
    /// A tensor operation failed.
    #[error("compute: {0}")]
    Tensor(#[from] candle_core::Error),
}
