//! What a person types. What it means for a run is put together in `layers`.

mod bench;
mod data;
mod engine;
mod examples;
mod fetch;
mod fields;
mod finished;
mod quantize;
mod report;
mod run;
mod study;
mod sweep;
mod ticket;

pub use bench::BenchArgs;
pub use data::{CheckArgs, DataCommand, DrawArgs, SheetPart, ShowArgs, WhichData};
pub use engine::{EngineFlags, PrecisionFlags};
pub use fetch::FetchArgs;
pub use fields::{FieldFlags, OfDataset, OfDraw, OfNetwork, OfSource, OfStudy, OfUpstream, Pick};
pub use finished::{EvalArgs, PartChoice, PredictArgs, TakenUpFlags};

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use quantize::{QuantizationFlags, QuantizeArgs};
pub use report::{ReportArgs, DEFAULT_FIGURES};
pub use run::RunCommand;
pub use study::{CardArgs, StudyCommand};
pub use sweep::{EmitArgs, StatusArgs, StudyFlags, SweepArgs, SweepCommand, TaskArgs};
pub use ticket::{
    ConvertArgs, MakeArgs, PruningFlags, RecalibrateFlags, ScoreChoice, TicketCommand, TicketOutput,
};

/// Version, commit and features of this build.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (commit ",
    env!("COMMIT_OF_BUILD"),
    "; features: ",
    env!("FEATURES_OF_BUILD"),
    ")"
);

/// Adapts a frozen, pretrained vision network (dense, or a lottery ticket) to new images, with few or many labels, and
/// reports accuracy and calibration.
#[derive(Debug, Parser)]
#[command(
    name = "rut",
    version = VERSION,
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
        let mut command = Self::with_examples();
        // A number below zero is a value that its option refuses, and no option of its own.
        command = command.mut_subcommands(|command| {
            command.mut_args(|arg| {
                if arg.get_action().takes_values() {
                    arg.allow_negative_numbers(true)
                } else {
                    arg
                }
            })
        });
        let matches = command.try_get_matches_from_mut(words)?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }

    /// The whole command line, as help, completions and manual pages show it.
    pub fn with_examples() -> clap::Command {
        examples::added(Self::command())
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
    /// A run.
    #[command(flatten)]
    Run(Box<RunCommand>),
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
    /// Many runs from one file: run what is missing, show their status, or write the scripts of a job array
    #[command(subcommand)]
    Sweep(SweepCommand),
    /// Images per second and peak memory of a network: forward, backward, windows, steps, extraction, head training
    ///
    /// The peak is the process's so far; --only gives a clean one.
    Bench(BenchArgs),
    /// Figures and tables from the records of many runs: a page that needs nothing beside it, SVG, CSV, LaTeX
    Report(ReportArgs),
    /// Make a lottery ticket of a network, convert one, look into one
    #[command(subcommand)]
    Ticket(TicketCommand),
    /// Make a network whose weights, and perhaps activations, have few bits
    Quantize(Box<QuantizeArgs>),
    /// Download data sets and weights, verify them, and put them where the other commands look for them
    Fetch(FetchArgs),
    /// The table of data sets; and, of one data set: is it sound, what does it look like, which images are drawn
    #[command(subcommand)]
    Data(DataCommand),
    /// The table of models
    #[command(subcommand)]
    Models(TableCommand),
    /// Published recipes for `--preset`, with their sources and numbers
    Presets {
        /// One of them, with its keys
        name: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Completions for a shell, to be put where it looks for them
    Completions {
        /// Which shell
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// The manual page on stdout; with --output, a page for every command
    Man {
        /// The folder to write rut.1, rut-lp.1 … to
        #[arg(long, short, alias = "out", value_name = "DIR")]
        output: Option<PathBuf>,
    },
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

/// What a run does that its fields do not say.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Training")]
pub struct PublishedFlag {
    /// Do as the reference does where it is wrong: everything, or the switches of `rut study switches` that are listed
    #[arg(long, alias = "as_published", value_name = "LIST", num_args = 0..=1, default_missing_value = "all")]
    pub as_published: Option<String>,
}

/// Files and keys beneath the flags.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Configuration (TOML < RUT_* < --set < flags)")]
pub struct LayerFlags {
    /// A run specification; keys as in `--dry-run`'s output
    #[arg(long, value_name = "FILE.toml")]
    pub config: Option<PathBuf>,
    /// Set a key of the specification (repeatable)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// Flags that `rut lp` and `rut vp` share besides the fields of the specification.
#[derive(Args, Clone, Debug, Default)]
pub struct RunFlags {
    /// The switches of published defects.
    #[command(flatten)]
    pub published: PublishedFlag,
    /// Flags for configuration files and overrides.
    #[command(flatten)]
    pub layers: LayerFlags,
    /// Flags of the run's session: resume, overwrite, dry run, output.
    #[command(flatten)]
    pub session: SessionFlags,
}

/// Flags that control the session and its output, not the result.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Session")]
pub struct SessionFlags {
    /// Go on with an unfinished run; a finished one is left as it is
    #[arg(long, conflicts_with = "overwrite")]
    pub resume: bool,
    /// Start again from the beginning, whatever the run's folder holds
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

/// `rut upstream`.
#[derive(Args, Clone, Debug)]
pub struct UpstreamArgs {
    /// Flags that select the network and the images.
    #[command(flatten)]
    pub fields: FieldFlags<OfUpstream>,
    /// Name of the weights whose published transform is used (`rut models info NAME`) [default: the first of the table]
    #[arg(long, value_name = "NAME")]
    pub weights: Option<String>,
    /// Keep the figures in the folder `upstream` of these results, for `rut report`
    #[arg(long, value_name = "RESULTS")]
    pub record: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `rut extract`.
#[derive(Args, Clone, Debug)]
pub struct ExtractArgs {
    /// Flags that select the network and the images.
    #[command(flatten)]
    pub fields: FieldFlags<OfSource>,
    /// Name of the weights whose published transform is used (`rut models info NAME`) [default: the first of the table]
    #[arg(long, value_name = "NAME")]
    pub weights: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
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
    #[arg(long, short, alias = "out", value_name = "FILE.safetensors")]
    pub output: PathBuf,
}

/// Which transform prepares the images.
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
