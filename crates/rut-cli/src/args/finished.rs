//! The words of the commands that take a finished run up again.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{whole, EngineFlags};

/// A part of a run's data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PartChoice {
    /// The images trained on
    Train,
    /// Those held out of the training images
    #[value(alias = "val")]
    Validation,
    /// The test images
    #[default]
    Test,
}

/// `rut eval`.
#[derive(Args, Clone, Debug)]
pub struct EvalArgs {
    /// Folder of a finished run
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Which images
    #[arg(long, alias = "split", value_enum, default_value_t)]
    pub part: PartChoice,
    /// Flags for where files are and what computes.
    #[command(flatten)]
    pub taken_up: TakenUpFlags,
}

/// `rut predict`.
#[derive(Args, Clone, Debug)]
pub struct PredictArgs {
    /// Folder of a finished run
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Image files, or folders of them
    #[arg(value_name = "IMAGE|FOLDER", required = true)]
    pub images: Vec<PathBuf>,
    /// How many classes are shown of an image, best first
    #[arg(long, alias = "top_k", value_name = "K", default_value_t = 1, value_parser = whole::<usize>)]
    pub top_k: usize,
    /// Flags for where files are and what computes.
    #[command(flatten)]
    pub taken_up: TakenUpFlags,
}

/// Flags that all commands on a finished run share.
#[derive(Args, Clone, Debug)]
pub struct TakenUpFlags {
    /// Where the data set is looked for [default: where the run found it, if that is there, else data]
    #[arg(long, alias = "data_dir", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where the network's files are looked for, if they moved since
    #[arg(
        long,
        alias = "pretrained_dir",
        value_name = "DIR",
        conflicts_with = "checkpoint"
    )]
    pub pretrained_dir: Option<PathBuf>,
    /// The checkpoint, if it moved since
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// The mask beside it
    #[arg(long, value_name = "FILE", requires = "checkpoint")]
    pub mask: Option<PathBuf>,
    /// The engine that computes.
    #[command(flatten)]
    pub engine: EngineFlags,
    /// Threads [default: one per core that the process may use]
    #[arg(long, value_name = "N", value_parser = whole::<usize>)]
    pub threads: Option<usize>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}
