//! The words that say which images and how many of them, and those of `rut data`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use rut_data::Skip;
use serde::Serialize;

use super::{whole, TableCommand};

/// Which images.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[command(next_help_heading = "Data")]
pub struct DataFlags {
    /// Name in the table of data sets (`rut data list`), or a folder of class folders
    #[arg(long, value_name = "NAME|FOLDER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Which of the data set's splits (`rut data info NAME`), or stratified:SEED [default: the data set's first]
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Leave out so many images that cannot be read, or `all` of them; they are counted and listed in the record [default: 0]
    #[arg(long, alias = "skip_unreadable", value_name = "N|all")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_unreadable: Option<Skip>,
    /// Only these classes, by name or index (`0-9,stop`), relabelled in this order
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<String>>,
    /// What torchvision calls `root`: it, and its folder named for the data set, are searched [default: data]
    #[arg(long, alias = "data_dir", value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
}

/// How many of the training images are used, and for what.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[command(next_help_heading = "Labels")]
pub struct BudgetFlags {
    /// Training images per class; `all` or -1 for all of them [default: all]
    #[arg(long, alias = "n_shot", value_name = "N|all")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_shot: Option<String>,
    /// This share of the training images of each class instead of --n-shot, a tenth of it for validation
    #[arg(long, value_name = "SHARE", conflicts_with = "n_shot")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fraction: Option<f64>,
    /// Share of the training images of each class kept for validation; 0 for none [default: 0.1 of full data]
    #[arg(
        long,
        alias = "val_fraction",
        value_name = "SHARE",
        conflicts_with = "val_shots"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_fraction: Option<f64>,
    /// Validation images per class; 0 for none [default: min(n, 4) beside n shots]
    #[arg(long, alias = "val_shots", value_name = "N", value_parser = whole::<usize>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_shots: Option<usize>,
    /// Validate on the data set's own validation images, or on some drawn from the training images [default: own, where a
    /// user's data set has some beside train and test]
    #[arg(long, value_name = "own|drawn")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<ValidationChoice>,
    /// Seeds few-shot draws, orders and initial values [default: 4]
    #[arg(long, value_parser = whole::<u64>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Take classes with fewer images than asked for as they are
    #[arg(long, alias = "allow_short")]
    #[serde(skip)]
    pub allow_short: bool,
}

/// Which images are validated on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ValidationChoice {
    /// The data set's own validation images
    Own,
    /// Images that are kept from the training images
    Drawn,
}

/// What can be done with data sets.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// The table of data sets.
    #[command(flatten)]
    Table(TableCommand),
    /// Decode every image, and look for what is wrong: counts, labels, classes without images, images on both sides of
    /// the split. Exit code 3 if something is found
    Check(CheckArgs),
    /// Draw a picture of a few images of each class, and tell sizes and colours
    Show(ShowArgs),
    /// Which images a run of the same flags trains and validates on, as CSV of path, label, split, index
    Draw(DrawArgs),
}

/// Which data set.
#[derive(Args, Clone, Debug)]
pub struct WhichData {
    /// Name in the table of data sets (`rut data list`), or a user's own data
    #[arg(value_name = "NAME|PATH")]
    pub name: String,
    /// Which of its splits (`rut data info NAME`), or stratified:SEED [default: its first]
    #[arg(long, value_name = "NAME")]
    pub split: Option<String>,
    /// Only these classes, by name or index (`0-9,stop`), relabelled in this order
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub classes: Option<Vec<String>>,
    /// What torchvision calls `root`: it, and its folder named for the data set, are searched [default: data]
    #[arg(long, alias = "data_dir", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Threads [default: one per core that the process may use]
    #[arg(long, value_name = "N", value_parser = whole::<usize>)]
    pub threads: Option<usize>,
}

/// `rut data check`.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Which data set.
    #[command(flatten)]
    pub which: WhichData,
    /// As JSON, with every finding
    #[arg(long)]
    pub json: bool,
}

/// `rut data show`.
#[derive(Args, Clone, Debug)]
pub struct ShowArgs {
    /// Which data set.
    #[command(flatten)]
    pub which: WhichData,
    /// Which of its images
    #[arg(long, value_enum, default_value_t)]
    pub part: SheetPart,
    /// Images of each class
    #[arg(long, alias = "per_class", value_name = "N", default_value_t = 5, value_parser = whole::<usize>)]
    pub per_class: usize,
    /// Side of the square that an image is fitted into, pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 64, value_parser = whole::<usize>)]
    pub side: usize,
    /// The PNG file to write [default: NAME.png]
    #[arg(long, short, value_name = "FILE.png")]
    pub output: Option<PathBuf>,
    /// Sizes and colours as JSON
    #[arg(long)]
    pub json: bool,
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SheetPart {
    /// All training images
    #[default]
    Train,
    /// The data set's own validation images
    #[value(alias = "val")]
    Validation,
    /// The test images
    Test,
}

/// `rut data draw`.
#[derive(Args, Clone, Debug)]
pub struct DrawArgs {
    /// Which data set.
    #[command(flatten)]
    pub which: WhichData,
    /// How many of its images.
    #[command(flatten)]
    pub budget: BudgetFlags,
    /// A file to write instead of stdout
    #[arg(long, short, value_name = "FILE.csv")]
    pub output: Option<PathBuf>,
}
