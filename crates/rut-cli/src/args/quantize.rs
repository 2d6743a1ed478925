//! Arguments of `rut quantize`: which network, how many bits, ranges from which images, written where.

use std::path::PathBuf;

use clap::Args;

use super::fields::OfQuantized;
use super::{whole, FieldFlags};

/// `rut quantize`.
#[derive(Args, Clone, Debug)]
pub struct QuantizeArgs {
    /// Flags that select the network, and how images are read.
    #[command(flatten)]
    pub fields: FieldFlags<OfQuantized>,
    /// How many bits, of what.
    #[command(flatten)]
    pub quantization: QuantizationFlags,
    /// Where it is written.
    #[command(flatten)]
    pub output: QuantizedOutput,
}

/// Bits of weights and activations.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Quantization")]
pub struct QuantizationFlags {
    /// Bits of a weight, 2 to 16, symmetric for each output channel
    #[arg(long, value_name = "B", value_parser = whole::<u32>)]
    pub bits: u32,
    /// Layers whose weights keep all bits: stem, classifier, or none
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "none"
    )]
    pub keep: Vec<String>,
    /// Bits of an activation, 1 to 16, behind each ReLU [default: activations keep all bits]
    #[arg(long, alias = "activation_bits", value_name = "B", value_parser = whole::<u32>, requires = "calibrate")]
    pub activation_bits: Option<u32>,
    /// Find the ranges of activations on training images of this data set or of a folder; labels are not used
    #[arg(long, value_name = "NAME|PATH", requires = "activation_bits")]
    pub calibrate: Option<String>,
    /// How many images, drawn by --seed
    #[arg(long, alias = "calibration_images", value_name = "N", default_value_t = 1024, value_parser = whole::<usize>,
          requires = "calibrate")]
    pub calibration_images: usize,
    /// Where a range ends: `min-max` at the largest value, `percentile:P` at the value that P % of all do not exceed
    #[arg(
        long,
        value_name = "min-max|percentile:P",
        default_value = "min-max",
        requires = "calibrate"
    )]
    pub range: String,
    /// The seed of which images are drawn
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>, requires = "calibrate")]
    pub seed: u64,
}

/// Where a quantized network is written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub struct QuantizedOutput {
    /// The folder to write MODEL_wB_checkpoint.safetensors to (MODEL_wBaB_… with --activation-bits)
    #[arg(long, short, aliases = ["out", "into"], value_name = "DIR")]
    pub output: PathBuf,
    /// What stands between the model and the bits in the name [default: nothing]
    #[arg(long)]
    pub label: Option<String>,
    /// Replace a file of the same name
    #[arg(long)]
    pub overwrite: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}
