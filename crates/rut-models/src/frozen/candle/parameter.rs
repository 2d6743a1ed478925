//! The parameters of a layer.

use crate::error::{Error, Result};
use crate::weights::Weights;

/// A parameter's array.
pub(super) fn array<'a>(weights: &'a Weights, name: &str) -> Result<&'a crate::array::Array> {
    weights.get(name).ok_or_else(|| Error::Argument {
        what: "the set of weights",
        found: format!("without `{name}`"),
        expected: "the weights that were assembled for this graph".into(),
    })
}
