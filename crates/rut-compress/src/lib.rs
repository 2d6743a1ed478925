#![doc = include_str!("../README.md")]

mod error;
mod kept_layers;
mod prune;
mod quantize;

pub use error::{Error, Result};
pub use kept_layers::KeptLayers;
pub use prune::{
    Counted, GroupSize, Prunable, PruneRule, Pruned, Scope, masks_of_zeros, rounds_of,
};
pub use quantize::{
    Calibration, Calibrator, QuantizedWeights, WeightQuantization, round_per_channel,
};
