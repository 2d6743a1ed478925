//! What a person types. What it means for a run is put together in `layers`.

mod bench;
mod data;
mod engine;
mod finished;
mod probing;
mod report;
mod study;
mod sweep;
mod transform;

pub use bench::BenchArgs;
pub use data::{
    BudgetFlags, CheckArgs, DataCommand, DataFlags, DrawArgs, SheetPart, ShowArgs, WhichData,
};
pub use engine::EngineFlags;
pub use finished::{EvalArgs, PartChoice, PredictArgs, TakenUpFlags};

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use serde::Serialize;

pub use probing::ProbingFlags;
pub use report::ReportArgs;
pub use study::{CardArgs, StudyCommand};
pub use sweep::{EmitArgs, StatusArgs, StudyFlags, SweepArgs, SweepCommand, TaskArgs};
pub use transform::TransformFlags;

/// Adapts a frozen, pretrained vision network (dense, or a lottery ticket) to new images, with few or many labels, and
/// reports accuracy and calibration.
#[derive(Debug, Parser)]
#[command(
    name = "rut",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Say more on stderr, and all keys that do not fit (twice: of the cache, too)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

impl Cli {
    /// The command line of these words, the first of which is the program's name.
    ///
    /// # Errors
    /// If they cannot be meant; also where help or the version is asked for.
    pub fn read(
        words: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        // A number below zero is a value that its option refuses, and no option of its own.
        let mut command = Self::command().mut_subcommands(|command| {
            command.mut_args(|arg| match arg.get_action().takes_values() {
                true => arg.allow_negative_numbers(true),
                false => arg,
            })
        });
        let matches = command.try_get_matches_from_mut(words)?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

/// A whole number that an option takes.
fn whole<N: TryFrom<i128>>(text: &str) -> Result<N, String> {
    let not_whole = || "expected a whole number, 0 or more".to_owned();
    let number: i128 = text.parse().map_err(|_| not_whole())?;
    N::try_from(number).map_err(|_| match number {
        ..0 => not_whole(),
        _ => "expected a smaller number".to_owned(),
    })
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Linear probing: train a linear head on the frozen features
    Lp(Box<RunArgs>),
    /// Visual prompting (ILM-VP): train a border around the image, and map labels
    Vp(Box<RunArgs>),
    /// Evaluate a finished run again on a split: the same numbers
    Eval(EvalArgs),
    /// Accuracy and calibration of a network on its own source data, without adaptation
    Upstream(UpstreamArgs),
    /// All calibration metrics of logits and labels in a .safetensors or .npz file
    Metrics(MetricsArgs),
    /// Features and logits of a network over a data set or a folder of images
    Extract(ExtractArgs),
    /// Target class and confidence of images, by a finished run
    Predict(PredictArgs),
    /// The published study: what its code's defects do to figures and conclusions
    #[command(subcommand)]
    Study(StudyCommand),
    /// Many runs from one file: run what is missing, say what became of it, or write the scripts of a job array
    #[command(subcommand)]
    Sweep(SweepCommand),
    /// Images per second and peak memory of a network: forward, backward, windows, steps, extraction, head training
    ///
    /// The peak is the process's so far; --only gives a clean one.
    Bench(BenchArgs),
    /// Figures and tables from the records of many runs: a page that needs nothing beside it, SVG, CSV, LaTeX
    Report(ReportArgs),
    /// Look into a lottery ticket
    #[command(subcommand)]
    Ticket(TicketCommand),
    /// The table of data sets; and, of one data set: is it sound, what does it look like, which images are drawn
    #[command(subcommand)]
    Data(DataCommand),
    /// The table of models
    #[command(subcommand)]
    Models(TableCommand),
}

/// `list` or `info`.
#[derive(Debug, Subcommand)]
pub enum TableCommand {
    /// One line each
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Everything about one
    Info {
        /// Its name
        name: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// What can be done with tickets.
#[derive(Debug, Subcommand)]
pub enum TicketCommand {
    /// Density overall and per layer, mask against weights, what is pruned and what is not
    Inspect {
        /// Which network
        #[command(flatten)]
        network: NetworkFlags,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// Dense, ticket, or a kind of the reference that is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkChoice {
    /// All weights of the checkpoint
    Dense,
    /// Checkpoint × mask
    #[value(alias = "LT", alias = "lt")]
    Ticket,
    /// (of the reference; see the message)
    #[value(hide = true)]
    Sparsezoo,
}

/// Which network.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[command(next_help_heading = "Network")]
pub struct NetworkFlags {
    /// Name in the table of models (`rut models list`) [default: resnet50]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Dense, or a lottery ticket (the reference's LT) [default: ticket]
    #[arg(long, ignore_case = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkChoice>,
    /// State of iterative pruning: finds MODEL*_K_checkpoint and MODEL*_K_mask in --pretrained-dir [default: 9]
    #[arg(long, value_name = "K", value_parser = whole::<u32>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sparsity: Option<u32>,
    /// Where checkpoints and masks are looked for [default: checkpoints]
    #[arg(long, alias = "pretrained_dir", value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pretrained_dir: Option<PathBuf>,
    /// A checkpoint (.safetensors, .pth, .pt, .th) instead of --pretrained-dir
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<PathBuf>,
    /// Under which of the checkpoint's dictionaries and modules the network stands, joined by points (`teacher.backbone`); `.`
    /// is the file itself [default: the only place where the network's names fit]
    #[arg(long, alias = "checkpoint_key", value_name = "KEY")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_key: Option<String>,
    /// A mask beside --checkpoint
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<PathBuf>,
    /// Classes that the checkpoint's classifier must have [default: as many as it has]
    #[arg(long, value_name = "N", value_parser = whole::<usize>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_classes: Option<usize>,
}

/// Words on a network, where they are written down.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[command(next_help_heading = "Network")]
pub struct RecipeFlag {
    /// How the network was trained, in words, for records and reports; no part of a run's identity
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
}

/// How a run trains.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[command(next_help_heading = "Training")]
pub struct TrainFlags {
    /// Passes over the training images [default: 100]
    #[arg(long, alias = "epoch", value_name = "N", value_parser = whole::<u32>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u32>,
    /// Instead of --epochs: optimiser steps, the same for few images as for many
    #[arg(long, value_name = "N", value_parser = whole::<u32>, conflicts_with = "epochs")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
    /// Images per step [default: 128]
    #[arg(long, alias = "batch_size", value_name = "N", value_parser = whole::<usize>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<usize>,
    /// Adam's learning rate at the start [default: 0.01]
    #[arg(long, value_name = "RATE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr: Option<f64>,
    /// Which epoch is kept: last, best-val, or best-test (which selects on the test set) [default: last]
    #[arg(long, value_name = "RULE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub select: Option<String>,
    /// Score the validation images every so many epochs; 0 for never [default: 10 for vp, 1 for lp and --select best-…]
    #[arg(long, alias = "eval_every", value_name = "N", value_parser = whole::<u32>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_every: Option<u32>,
    /// Label mapping of vp: ilm, flm or rlm [default: ilm]
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String>,
    /// Make the label map of vp again every so many epochs [default: 1]
    #[arg(long, alias = "mapping_interval", value_name = "N", value_parser = whole::<u32>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping_interval: Option<u32>,
    /// What decides between equal counts of the label map of vp: mass or index [default: mass]
    #[arg(long, value_name = "RULE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ties: Option<String>,
    /// Make the label map of vp again after the last epoch: on or off [default: on]
    #[arg(long, value_name = "on|off")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remap: Option<String>,
    /// vp: side of the image on the canvas, pixels [default: the data set's, if smaller than the canvas, else half the
    /// canvas]; lp: first resize images to this side [default: do not]
    #[arg(long, alias = "image_size", value_name = "PIXELS", value_parser = whole::<u32>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<u32>,
    /// Keep the training images in their order
    #[arg(long, alias = "no_shuffle")]
    #[serde(skip)]
    pub no_shuffle: bool,
    /// Do as the reference does where it is wrong: everything, or the switches of `rut study switches` that are listed
    #[arg(long, alias = "as_published", value_name = "LIST", num_args = 0..=1, default_missing_value = "all")]
    #[serde(skip)]
    pub as_published: Option<String>,
}

/// Where a run reads and writes, and with what.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[command(next_help_heading = "Places and means")]
pub struct PlaceFlags {
    /// Runs' folders are made here [default: results]
    #[arg(long, alias = "results_path", value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results_path: Option<PathBuf>,
    /// Name of the run's folder [default: the run's id]
    #[arg(long, alias = "run_name", value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_name: Option<String>,
    /// Extracted features are kept here [default: rut in the user's cache folder]
    #[arg(long, alias = "cache_dir", value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_dir: Option<PathBuf>,
    /// Size that the cache is kept below, GiB [default: 10]
    #[arg(long, alias = "cache_gib", value_name = "GIB")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_gib: Option<f64>,
    /// Seconds between two savings of the run's state [default: 600]
    #[arg(long, alias = "save_every", value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_every: Option<f64>,
    /// Write an event file that TensorBoard shows while the run goes on: on or off [default: on]
    #[arg(long, value_name = "on|off")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensorboard: Option<String>,
    /// Threads [default: one per core that the process may use]
    #[arg(long, value_name = "N", value_parser = whole::<usize>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// What computes: cpu
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// Files and keys beneath the flags.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Layers (TOML < RUT_* < --set < flags)")]
pub struct LayerFlags {
    /// A run specification; keys as in `--dry-run`'s output
    #[arg(long, value_name = "FILE.toml")]
    pub config: Option<PathBuf>,
    /// Set a key of the specification (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// `rut lp` and `rut vp`.
#[derive(Args, Clone, Debug, Default)]
pub struct RunArgs {
    /// Which images.
    #[command(flatten)]
    pub data: DataFlags,
    /// Which network.
    #[command(flatten)]
    pub network: NetworkFlags,
    /// In words.
    #[command(flatten)]
    pub recipe: RecipeFlag,
    /// What its input is.
    #[command(flatten)]
    pub transform: TransformFlags,
    /// What computes it.
    #[command(flatten)]
    pub engine: EngineFlags,
    /// How many of them.
    #[command(flatten)]
    pub budget: BudgetFlags,
    /// How.
    #[command(flatten)]
    pub train: TrainFlags,
    /// How a head.
    #[command(flatten)]
    pub probing: ProbingFlags,
    /// Where.
    #[command(flatten)]
    pub places: PlaceFlags,
    /// Beneath.
    #[command(flatten)]
    pub layers: LayerFlags,
    /// What else.
    #[command(flatten)]
    pub session: SessionFlags,
}

/// What a run does beside running.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "This call")]
pub struct SessionFlags {
    /// Go on with an unfinished run; a finished one is left as it is
    #[arg(long, conflicts_with = "overwrite")]
    pub resume: bool,
    /// Begin anew, whatever the run's folder holds
    #[arg(long)]
    pub overwrite: bool,
    /// Print the resolved specification, its id and what would be read, check the network's files; run nothing
    #[arg(long, alias = "dry_run")]
    pub dry_run: bool,
    /// Print the record as JSON on stdout instead of the table
    #[arg(long)]
    pub json: bool,
    /// (of the reference: accepted, explained)
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "true")]
    pub wandb: Option<String>,
    /// (of the reference: accepted, explained)
    #[arg(long, alias = "caltech_path", hide = true)]
    pub caltech_path: Option<String>,
}

/// A source network and images, without training.
#[derive(Args, Clone, Debug, Default)]
pub struct SourceArgs {
    /// Which images.
    #[command(flatten)]
    pub data: DataFlags,
    /// Which network.
    #[command(flatten)]
    pub network: NetworkFlags,
    /// What its input is.
    #[command(flatten)]
    pub transform: TransformFlags,
    /// What computes it.
    #[command(flatten)]
    pub engine: EngineFlags,
    /// Name of the weights whose published transform is used (`rut models info NAME`) [default: the first of the table]
    #[arg(long, value_name = "NAME")]
    pub weights: Option<String>,
    /// Threads [default: one per core that the process may use]
    #[arg(long, value_name = "N", value_parser = whole::<usize>)]
    pub threads: Option<usize>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `rut upstream`.
#[derive(Args, Clone, Debug)]
pub struct UpstreamArgs {
    /// Which network and images.
    #[command(flatten)]
    pub source: SourceArgs,
    /// In words.
    #[command(flatten)]
    pub recipe: RecipeFlag,
    /// Keep the figures in the folder `upstream` of these results, for `rut report`
    #[arg(long, value_name = "RESULTS")]
    pub record: Option<PathBuf>,
}

/// `rut extract`.
#[derive(Args, Clone, Debug)]
pub struct ExtractArgs {
    /// Which network and images.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Which images of the data set; of a folder of class folders without `train`, all
    #[arg(long, value_enum, default_value_t)]
    pub part: ExtractPart,
    /// What is done to images: as for `rut lp`, or as the weights were published with (`rut models info NAME`) [default: lp;
    /// beside --weights, weights]
    #[arg(long, value_enum, value_name = "WHOSE")]
    pub transform: Option<TransformChoice>,
    /// Write no logits: a network without a classifier has none
    #[arg(long)]
    pub features: bool,
    /// The file to write: `features` n × width, `logits` n × classes, `labels` n where there are any, and the images' names
    #[arg(long, short, value_name = "FILE.safetensors")]
    pub output: PathBuf,
}

/// Whose transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TransformChoice {
    /// That of `rut lp`
    Lp,
    /// That of the published weights
    Weights,
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ExtractPart {
    /// All training images
    Train,
    /// The test images
    #[default]
    Test,
}

/// `rut metrics`.
#[derive(Args, Clone, Debug)]
pub struct MetricsArgs {
    /// A .safetensors or .npz file with `logits` (n × classes) and `labels` (n)
    #[arg(value_name = "FILE", required_unless_present = "run")]
    pub file: Option<PathBuf>,
    /// The folder of a finished run, whose `logits.safetensors` is read: its test part, unless `--part` says another
    #[arg(long, value_name = "FOLDER", conflicts_with = "file")]
    pub run: Option<PathBuf>,
    /// Read `PART.logits` and `PART.labels`, as `logits.safetensors` of a run's folder has them (test, validation)
    #[arg(long, alias = "split")]
    pub part: Option<String>,
    /// The values are probabilities, in `probabilities`, `probs` or `logits`: rows from 0 to 1 that sum to 1
    #[arg(long)]
    pub probabilities: bool,
    /// Another such file for the same samples: differences, paired, with intervals
    #[arg(long, value_name = "OTHER")]
    pub against: Option<PathBuf>,
    /// Binning convention: guo, torchmetrics or netcal
    #[arg(long, default_value = "guo")]
    pub convention: String,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}
