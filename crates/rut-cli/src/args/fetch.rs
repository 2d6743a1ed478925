//! The arguments of `rut fetch`. For their meaning, see `rut-fetch`.

use std::path::PathBuf;

use clap::{value_parser, Args};

/// `rut fetch`.
#[derive(Args, Clone, Debug)]
pub struct FetchArgs {
    /// Data sets, as `rut data list` names them
    #[arg(value_name = "NAME", required_unless_present_any = ["all", "models", "hf"])]
    pub names: Vec<String>,
    /// Every data set of the table
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
    /// Weights of these models, as `rut models info` names them: MODEL, MODEL:V2, or `all`
    #[arg(long, value_name = "MODEL", value_delimiter = ',')]
    pub models: Vec<String>,
    /// A file of weights of the Hugging Face hub (repeatable)
    #[arg(long, value_name = "ORG/NAME[@REVISION]/FILE")]
    pub hf: Vec<String>,
    /// Where data sets are kept [default: data]
    #[arg(long, alias = "data_dir", value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Where weights are kept [default: checkpoints]
    #[arg(
        long,
        aliases = ["pretrained_dir", "checkpoints-dir"],
        value_name = "DIR"
    )]
    pub pretrained_dir: Option<String>,
    /// What each file was when it was first fetched [default: LOCK.json in --data-dir, over what rut was built with]
    #[arg(long, alias = "lock_file", value_name = "FILE")]
    pub lock_file: Option<PathBuf>,
    /// Files that are fetched at the same time, 1 to 16
    #[arg(long, value_name = "N", default_value = "3", value_parser = value_parser!(u8).range(1..=16))]
    pub jobs: u8,
    /// Take URL/FILE instead of each file's own address
    #[arg(long, value_name = "URL")]
    pub mirror: Option<String>,
    /// Use only what was downloaded before
    #[arg(long)]
    pub offline: bool,
    /// Fetch nothing; verify existing files with checksums, LOCK.json and receipts
    #[arg(long, conflicts_with_all = ["mirror", "offline"])]
    pub verify: bool,
}
