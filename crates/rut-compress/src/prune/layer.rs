//! A layer while a rule is applied: the scores of its weights, and which of them stay.

use crate::error::{Error, Result};

/// The weights of a convolution `[out, in, kernel, kernel]` or of a linear layer `[out, in]`, row-major.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    /// The smallest go first.
    pub(super) scores: Vec<f32>,
    /// True where the weight stays.
    pub(super) keep: Vec<bool>,
    /// Whether it loses nothing more.
    pub(super) is_dense: bool,
}

impl Layer {
    /// Number of weights that stay.
    pub(super) fn kept(&self) -> usize {
        self.keep.iter().filter(|&&keep| keep).count()
    }

    /// The scores of the weights that stay.
    pub(super) fn kept_scores(&self) -> impl Iterator<Item = f32> {
        let places = self.scores.iter().zip(&self.keep);
        places.filter(|(_, keep)| **keep).map(|(score, _)| *score)
    }

    /// The score of a place, below all others where it is pruned.
    pub(super) fn rank(&self, index: usize) -> f32 {
        if self.keep[index] {
            self.scores[index]
        } else {
            f32::NEG_INFINITY
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let argument = |found: String, expected: String| Error::Argument {
            what: "the scores of a layer",
            found,
            expected,
        };
        if self.scores.len() != self.keep.len() {
            return Err(argument(
                format!("{} of them for `{}`", self.scores.len(), self.name),
                format!("one for each of its {} weights", self.keep.len()),
            ));
        }
        match self.scores.iter().position(|score| score.is_nan()) {
            None => Ok(()),
            Some(index) => Err(argument(
                format!("NaN at index {index} of `{}`", self.name),
                "numbers".into(),
            )),
        }
    }
}
