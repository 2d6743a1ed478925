#![doc = include_str!("../README.md")]
//!
//! # Map of the crate
//!
//! | question | where |
//! | --- | --- |
//! | what do the folders hold, and what could not be read? | `gather`, `upstream`, `unread` |
//! | what may be compared with what? | `setting`, `network`, `study`, `by_seed`, `pair`, `methods`, `method_averages`, `method_matrix`, `side_by_side` |
//! | how sure is it? | `rut_metrics::Estimate`, `statement`, `comparison`, `claim`, `claims` |
//! | what was run, and what came out? | `overview`, `matrix` |
//! | how does it look? | `canvas`, `axis`, `chart` and the figures; `table`, `latex` and the tables; `pdf`; `links`; `page` |
//! | which runs get figures of their own? | `selection` |
//!
//! Nothing here runs or scores anything, and no table of engines, models or mappings is known.

mod across;
mod against;
mod axis;
mod by_seed;
mod canvas;
mod chart;
mod claim;
mod claims;
mod claims_table;
mod comparison;
mod context;
mod curves;
mod diagram;
mod dots;
mod error;
mod family;
mod files;
mod forest;
mod gather;
mod heat_map;
mod index;
mod latex;
mod latex_column;
mod latex_text;
mod links;
mod listing;
mod matrix;
mod method_averages;
mod method_matrix;
mod methods;
mod metric;
mod network;
mod overview;
mod page;
mod pair;
#[cfg(feature = "pdf")]
mod pdf;
mod results;
mod run;
mod sections;
mod selection;
mod setting;
mod side_by_side;
mod statement;
mod study;
mod table;
mod tables;
mod unread;
mod upstream;
mod wording;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rut_record::{Record, RunDir, RunSpec, file};

pub use error::{Error, Result};
use gather::RunStatus;
use links::Links;
use study::Study;

/// Fields of which a run of a specification makes no use: they are not shown.
pub type UnusedFields = fn(&RunSpec) -> Vec<&'static str>;

/// The trained prompt of a run as a PNG file, or why there is none.
pub type PromptPicture = fn(&RunDir, &Record) -> rut_record::Result<Vec<u8>>;

/// The name of a source class of a run's network, where it is known.
pub type SourceName = fn(&RunSpec, u32) -> Option<&'static str>;

/// Whether a report shows what runs cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Costs {
    /// Seconds, memory, and what computed each run.
    #[default]
    Shown,
    /// Nothing in which two runs of one specification differ: such records give the same report, byte for byte.
    Omitted,
}

/// A format of the files of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FigureFormat {
    /// SVG, which browsers and editors read.
    Svg,
    /// PDF, which LaTeX reads.
    #[cfg(feature = "pdf")]
    Pdf,
}

impl FigureFormat {
    /// All of them; PDF is a feature of the crate.
    pub const ALL: &'static [Self] = &[
        Self::Svg,
        #[cfg(feature = "pdf")]
        Self::Pdf,
    ];

    /// Its name, and what its files end in.
    pub fn name(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            #[cfg(feature = "pdf")]
            Self::Pdf => "pdf",
        }
    }
}

/// What made a report.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// Name, version and commit of the program.
    pub program: String,
    /// The day.
    pub date: String,
    /// The command.
    pub command: String,
}

/// What a report is to be like.
#[derive(Clone, Debug)]
pub struct ReportOptions {
    /// What it is called; left out, what the plan says.
    pub title: Option<String>,
    /// Whether it shows what runs cost.
    pub costs: Costs,
    /// What made it and when, for its last line; left out where runs' costs are.
    pub provenance: Option<Provenance>,
    /// The most runs that get figures of their own: reliability, curves, prompts, classes.
    pub figures: usize,
    /// Width of the figures' files in inches, for a paper: type keeps its size, and no title stands inside. Left out, they
    /// look as on the page.
    pub figure_width: Option<f64>,
    /// Formats of the figures' files; label maps, diagrams and charts in each of them, prompts as PNG.
    pub figure_formats: BTreeSet<FigureFormat>,
    /// Which fields a run makes no use of, by the tables that are not known here.
    pub unused: UnusedFields,
    /// What draws prompts.
    pub prompt_picture: PromptPicture,
    /// What names source classes in weighted label maps, of which records have only numbers.
    pub source_name: SourceName,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self {
            title: None,
            costs: Costs::Shown,
            provenance: None,
            figures: 24,
            figure_width: None,
            figure_formats: [FigureFormat::Svg].into(),
            unused: |_| Vec::new(),
            prompt_picture: |dir, _| {
                let problem = "expected something that draws prompts, found nothing";
                Err(rut_record::Error::broken(&dir.prompt(), problem))
            },
            source_name: |_, _| None,
        }
    }
}

/// What went into a report, and what came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportCounts {
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
pub fn report(folders: &[PathBuf], out: &Path, options: &ReportOptions) -> Result<ReportCounts> {
    let study = Study::of(gather::gather(folders)?, options.unused);
    std::fs::create_dir_all(out).map_err(file("make the folder", out))?;
    let files = page::compose(&study, &Links::from(out, options.costs), options)?;
    let unread = files.unread_count();
    let count = files.write(out)?;
    Ok(ReportCounts {
        runs: study.runs.len(),
        failed: study.count(RunStatus::Failed),
        missing: study.count(RunStatus::Missing),
        unreadable: study.count(RunStatus::Unreadable) + unread,
        unchecked: study
            .runs
            .iter()
            .filter(|run| run.record.files.is_empty())
            .count(),
        conflicts: study.conflicts.len(),
        files: count,
    })
}
