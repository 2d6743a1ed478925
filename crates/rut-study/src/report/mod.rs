//! From records to figures and tables: one page that needs nothing beside it, and the same content as files.
//!
//! | question | where |
//! | --- | --- |
//! | what do the folders hold, and what could not be read? | `gather`, `upstream`, `unread` |
//! | what may be compared with what? | `setting`, `network`, `study`, `pair` |
//! | how sure is it? | `student`, `estimate`, `statement` |
//! | how does it look? | `canvas`, `chart` and the figures; `table` and the tables; `page` |
//! | which runs get figures of their own? | `chosen` |
//!
//! Nothing here runs or scores anything; [`reliability`] is the picture that a run leaves in its own folder.

mod against;
mod canvas;
mod chart;
mod chosen;
mod curves;
mod diagram;
pub(crate) mod estimate;
mod forest;
mod gather;
mod heat_map;
mod index;
mod listing;
mod metric;
mod network;
mod page;
mod pair;
mod prompts;
pub mod reliability;
mod results;
mod sections;
pub(crate) mod setting;
mod sheet;
mod statement;
mod student;
mod study;
mod table;
mod unread;
mod upstream;
mod wording;

use std::path::{Path, PathBuf};

use crate::error::Result;
pub use estimate::digits_apart;
use gather::Fate;
use study::Study;

/// Whether a report tells what runs cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Costs {
    /// Seconds, memory, and what computed each run.
    #[default]
    Shown,
    /// Nothing in which two runs of one specification differ: such records give the same report, byte for byte.
    Omitted,
}

/// What a report is to be like.
#[derive(Clone, Debug)]
pub struct ReportOptions {
    /// What it is called; left out, what the plan says.
    pub title: Option<String>,
    /// Whether it tells what runs cost.
    pub costs: Costs,
    /// The most runs that get figures of their own: reliability, curves, prompts, classes.
    pub figures: usize,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self {
            title: None,
            costs: Costs::Shown,
            figures: 24,
        }
    }
}

/// What went into a report, and what came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Finished runs.
    pub runs: usize,
    /// Runs that failed.
    pub failed: usize,
    /// Runs that are planned or begun, and not finished.
    pub missing: usize,
    /// Records and other files that cannot be read.
    pub unreadable: usize,
    /// Finished runs of an earlier version, whose files have no checksums to be held against.
    pub unchecked: usize,
    /// Runs of which two records differ.
    pub conflicts: usize,
    /// Files written.
    pub files: usize,
}

/// Reads the results in `folders`, each a folder of runs' folders or one of them, and writes `report.html`, `figures/`,
/// `tables/`, `runs.csv` and `runs.jsonl` to `out`, which is made where it is not there. Of an earlier report there, what
/// this one does not have is deleted.
///
/// # Errors
/// If there is nothing of a run in `folders`, if one of them is not there, or if `out` cannot be written. Whatever else cannot be
/// read is a row of the report.
pub fn report(folders: &[PathBuf], out: &Path, options: &ReportOptions) -> Result<Written> {
    let study = Study::of(gather::gather(folders)?);
    let sheet = page::compose(&study, options)?;
    let unread = sheet.unread_count();
    let files = sheet.write(out)?;
    Ok(Written {
        runs: study.runs.len(),
        failed: study.count(Fate::Failed),
        missing: study.count(Fate::Missing),
        unreadable: study.count(Fate::Unreadable) + unread,
        unchecked: study
            .runs
            .iter()
            .filter(|run| run.record.files.is_empty())
            .count(),
        conflicts: study.conflicts.len(),
        files,
    })
}
