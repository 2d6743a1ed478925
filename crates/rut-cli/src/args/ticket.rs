//! Arguments of `rut ticket`: of which network, pruned how, written where.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::fields::OfPruned;
use super::{whole, FieldFlags, OfNetwork};

/// What can be done with tickets.
#[derive(Debug, Subcommand)]
pub enum TicketCommand {
    /// Density overall and per layer, mask against weights, what is pruned and what is not
    Inspect {
        /// Which network
        #[command(flatten)]
        network: FieldFlags<OfNetwork>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Prune a network by the magnitude of its weights or at random, and write checkpoint and mask
    ///
    /// What a mask prunes already stays pruned. Say how much goes by --density, --rounds or --scope N:M.
    Make(Box<MakeArgs>),
    /// Write a pruned network of another program as checkpoint and mask
    ///
    /// Read are a mask beside the checkpoint (open_lth's and others), pairs of `weight_orig` and `weight_mask` in the checkpoint
    /// (torch.nn.utils.prune), and zeros among the weights.
    Convert(Box<ConvertArgs>),
}

/// `rut ticket make`.
#[derive(Args, Clone, Debug)]
pub struct MakeArgs {
    /// Flags that select the network, and how images are read.
    #[command(flatten)]
    pub fields: FieldFlags<OfPruned>,
    /// How it is pruned.
    #[command(flatten)]
    pub pruning: PruningFlags,
    /// Whether and on what it is recalibrated.
    #[command(flatten)]
    pub recalibration: RecalibrateFlags,
    /// Where it is written.
    #[command(flatten)]
    pub output: TicketOutput,
}

/// Which weights go, and how many.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Pruning")]
pub struct PruningFlags {
    /// Which weights go first
    #[arg(long, value_enum, default_value_t)]
    pub by: ScoreChoice,
    /// The seed of --by random, and of which images --recalibrate takes
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>)]
    pub seed: u64,
    /// Weights are compared over all layers, within each layer, or N of M consecutive input channels stay (2:4)
    #[arg(long, value_name = "global|layer|N:M", default_value = "global")]
    pub scope: String,
    /// The share of weights that stay, above 0 and at most 1
    #[arg(long, value_name = "D", conflicts_with = "rounds")]
    pub density: Option<f64>,
    /// Rounds, each of which prunes a fifth of what is left by open_lth's rule
    #[arg(long, value_name = "K", value_parser = whole::<u32>)]
    pub rounds: Option<u32>,
    /// Layers that stay dense: stem, classifier, or none
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "stem,classifier"
    )]
    pub keep: Vec<String>,
    /// Count the layers of --keep among the weights of which a share is pruned, as open_lth does
    #[arg(long, alias = "count_kept")]
    pub count_kept: bool,
}

/// Which weights go first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ScoreChoice {
    /// Those of the smallest magnitude
    #[default]
    Magnitude,
    /// Any
    Random,
}

/// Batch norms after pruning.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Recalibration")]
pub struct RecalibrateFlags {
    /// Estimate the statistics of batch norms again, on training images of this data set or of a folder; labels are not used
    #[arg(long, value_name = "NAME|PATH")]
    pub recalibrate: Option<String>,
    /// How many images, drawn by --seed
    #[arg(long, alias = "recalibrate_images", value_name = "N", default_value_t = 1024, value_parser = whole::<usize>,
          requires = "recalibrate")]
    pub recalibrate_images: usize,
    /// How many of them at once: the average is over batches
    #[arg(long, alias = "recalibrate_batch", value_name = "N", default_value_t = 128, value_parser = whole::<usize>,
          requires = "recalibrate")]
    pub recalibrate_batch: usize,
}

/// `rut ticket convert`.
#[derive(Args, Clone, Debug)]
pub struct ConvertArgs {
    /// Flags that select the network.
    #[command(flatten)]
    pub network: FieldFlags<OfNetwork>,
    /// Where it is written.
    #[command(flatten)]
    pub output: TicketOutput,
}

/// Where a ticket is written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub struct TicketOutput {
    /// The folder to write MODEL_LABEL_STATE_checkpoint.safetensors and MODEL_LABEL_STATE_mask.safetensors to
    #[arg(long, short, aliases = ["out", "into"], value_name = "DIR")]
    pub output: PathBuf,
    /// What stands between the model and the state in the names [default: how it was made]
    #[arg(long)]
    pub label: Option<String>,
    /// The number that `--sparsity` finds it by [default: the rounds so far; else as many of a fifth each as make its density]
    #[arg(long, value_name = "N", value_parser = whole::<u32>)]
    pub state: Option<u32>,
    /// Replace files of the same names
    #[arg(long)]
    pub overwrite: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}
