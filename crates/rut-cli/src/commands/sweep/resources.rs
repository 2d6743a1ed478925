//! How many processes run a study at a time, and how many threads they have.

use anyhow::{anyhow, Result};
use rut_run::find_model;
use rut_study::sweep::{StudyRun, StudyRuns};

use crate::args::SweepArgs;
use crate::exit::Usage;

/// Networks that take images of at most this side gain more from several runs at a time than from several threads each.
const SMALL: u32 = 64;

/// Processes at a time, and threads of all together.
#[derive(Clone, Copy, Debug)]
pub struct Resources {
    /// At least 1.
    pub jobs: usize,
    /// At least as many as jobs.
    pub threads: usize,
}

impl Resources {
    /// As asked for, or as suits the study.
    ///
    /// # Errors
    /// If a number is out of range.
    pub fn new(args: &SweepArgs, study_runs: &StudyRuns) -> Result<Self> {
        let (runs, locations) = (&study_runs.runs, &study_runs.heading.locations);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = args.threads.or(locations.threads).unwrap_or(cores);
        for (flag, value) in [("--jobs", args.jobs), ("--threads", Some(threads))] {
            if let Some(value) = value.filter(|value| !(1..=1024).contains(value)) {
                return Err(Usage(anyhow!("use {flag} {value}: expected 1 to 1024")).into());
            }
        }
        let small = |run: &StudyRun| {
            find_model(&run.run.spec.network.model).is_ok_and(|model| model.input_size <= SMALL)
        };
        let usual = if runs.iter().all(small) { threads } else { 1 };
        let jobs = args.jobs.unwrap_or(usual).min(runs.len()).max(1);
        Ok(Self {
            jobs,
            threads: threads.max(jobs),
        })
    }

    /// Threads of each of the processes that `pieces` of work come to.
    pub fn each(self, pieces: usize) -> usize {
        (self.threads / self.jobs.min(pieces.max(1))).max(1)
    }
}
