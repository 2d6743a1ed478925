//! Networks whose weights and activations have few bits, computed in floating point ("fake quantization").
//!
//! Batch norms are folded into the convolutions before them, weights are rounded per output channel, and what is left of a
//! batch norm is a shift. The result has the parameters that the network had, so every program that reads the one reads the other.

mod calibrate;
mod fold;
mod rounded;

pub use calibrate::{Calibration, Calibrator};
pub use fold::{QuantizedWeights, WeightQuantization};
pub use rounded::round_per_channel;
