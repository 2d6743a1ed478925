//! Arguments of `rut data`: which data set, which images and how many.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{whole, FieldFlags, OfDataset, OfDraw, Pick, TableCommand};

/// What can be done with data sets.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// The table of data sets.
    #[command(flatten)]
    Table(TableCommand),
    /// Decode every image, and look for what is wrong: counts, labels, classes without images, images on both sides of
    /// the split. Exit code 3 if something is found
    Check(CheckArgs),
    /// Draw a contact sheet of a few images per class, and report sizes and colours
    Show(ShowArgs),
    /// Which images a run of the same flags trains and validates on, as CSV of path, label, split, index
    Draw(DrawArgs),
}

/// The data set, and fields that restrict it.
#[derive(Args, Clone, Debug)]
pub struct WhichData<P: Pick> {
    /// Name in the table of data sets (`rut data list`), or a user's own data
    #[arg(value_name = "NAME|PATH")]
    pub name: String,
    /// Fields that select its split, classes and folder.
    #[command(flatten)]
    pub fields: FieldFlags<P>,
}

/// `rut data check`.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// The data set to open.
    #[command(flatten)]
    pub which: WhichData<OfDataset>,
    /// As JSON, with every finding
    #[arg(long)]
    pub json: bool,
}

/// `rut data show`.
#[derive(Args, Clone, Debug)]
pub struct ShowArgs {
    /// The data set to open.
    #[command(flatten)]
    pub which: WhichData<OfDataset>,
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
    #[arg(long, short, alias = "out", value_name = "FILE.png")]
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
    /// The data set to open.
    #[command(flatten)]
    pub which: WhichData<OfDraw>,
    /// A file to write instead of stdout
    #[arg(long, short, alias = "out", value_name = "FILE.csv")]
    pub output: Option<PathBuf>,
}
