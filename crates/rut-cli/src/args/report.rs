//! The words of `rut report`. What they mean is `rut-report`'s.

use std::path::PathBuf;

use clap::Args;

use super::whole;

/// The most runs that get figures of their own, if nothing is said.
pub const DEFAULT_FIGURES: usize = 24;

/// `rut report`.
#[derive(Args, Clone, Debug)]
pub struct ReportArgs {
    /// Folders of results, or runs' folders
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// Where report.html, figures/, tables/, runs.csv and runs.jsonl go
    #[arg(long, short, visible_alias = "output", value_name = "DIR")]
    pub out: PathBuf,
    /// What the report is called [default: what the plan says]
    #[arg(long)]
    pub title: Option<String>,
    /// Leave out what differs between two runs of one specification: seconds, memory, machine, links, date
    #[arg(long, alias = "omit_cost")]
    pub omit_cost: bool,
    /// The most runs that get figures of their own: reliability, curves, prompts, classes
    #[arg(long, value_name = "N", default_value_t = DEFAULT_FIGURES, value_parser = whole::<usize>)]
    pub figures: usize,
}
