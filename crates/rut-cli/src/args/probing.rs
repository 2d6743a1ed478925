//! Flags that only linear probing makes use of.

use clap::Args;
use serde::Serialize;

/// How a linear head is trained, and on what.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[command(next_help_heading = "Linear probing (lp only)")]
pub struct ProbingFlags {
    /// adam, or lbfgs: logistic regression on all training features at once, to the optimum; --epochs is then the most
    /// iterations, and --resume starts the fit again [default: adam]
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimizer: Option<String>,
    /// Adam's weight decay, times the parameters, added to their gradients; of lbfgs, of the weights only
    /// [default: 0]
    #[arg(long, alias = "weight_decay", value_name = "DECAY")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// Train all these learning rates in one pass over the features; the best on the validation images is kept
    #[arg(
        long,
        alias = "lr_grid",
        value_name = "LIST",
        value_delimiter = ',',
        conflicts_with = "lr"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr_grid: Option<Vec<f64>>,
    /// The same of weight decays; beside --lr-grid, every pair of both
    #[arg(
        long,
        alias = "weight_decay_grid",
        value_name = "LIST",
        value_delimiter = ',',
        conflicts_with = "weight_decay"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay_grid: Option<Vec<f64>>,
    /// Precision of kept features, f32, or f16 for half the disk and memory (rounded, by at most 1 in 2048) [default: f32]
    #[arg(long, alias = "cache_dtype", value_name = "f32|f16")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_dtype: Option<String>,
}
