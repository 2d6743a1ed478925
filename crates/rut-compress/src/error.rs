//! The one error of this crate. Every message is a lowercase fragment that reads after "failed to" and says what was expected, what
//! was found, and what to do about it.

use rut_formats::escape;

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Characters of a description that are shown; what it quotes of a file is cut before.
const MOST: usize = 2000;

/// Why a network could not be compressed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A rule for pruning is out of range, or nothing can be pruned by it.
    #[error(
        "prune the network: field `{field}` is {found}, expected {expected}",
        found = escape(found).at_most(MOST),
        expected = escape(expected).at_most(MOST)
    )]
    Prune {
        /// What is out of range: `density`, `rounds`, `scope`, `count_kept`.
        field: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },

    /// The layers to leave as they are have other names.
    #[error(
        "leave layers as they are: field `keep` is `{found}`, expected `stem`, `classifier` or both with a comma between them, or `none` alone",
        found = escape(found).at_most(MOST)
    )]
    KeptLayers {
        /// The words.
        found: String,
    },

    /// A layer would lose all of its weights, and the network what flows through it.
    #[error(
        "prune the network: `{name}` would lose all of its {weights} weights; ask for a higher density or fewer rounds, prune layer by \
         layer (`scope = layer`), or leave the layer dense (field `keep`) if it is the stem or the classifier",
        name = escape(name)
    )]
    EmptyLayer {
        /// The weight's name.
        name: String,
        /// How many it has.
        weights: usize,
    },

    /// Weights without a mask, none of which is zero.
    #[error(
        "find what is pruned: no weight of {layers} convolutions and linear layers is zero, and there is no mask; expected a mask \
         (field `mask`), pairs of `weight_orig` and `weight_mask` in the checkpoint, or zeros in its weights"
    )]
    NothingPruned {
        /// How many layers were searched.
        layers: usize,
    },

    /// An argument is out of range, or does not fit the network.
    #[error(
        "compress the network: {what} is {found}, expected {expected}",
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

    /// The network does not fit together, or could not be run.
    #[error(transparent)]
    Models(#[from] rut_models::Error),

    /// candle failed.
    #[error("read a tensor: {0}")]
    Candle(#[from] candle_core::Error),
}
