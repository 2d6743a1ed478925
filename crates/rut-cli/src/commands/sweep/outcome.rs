//! How planned runs ended in this call, and the lines that tell it.

use std::path::Path;

use rut_study::RunDir;

use crate::exit::Unfinished;
use crate::table::percent;

/// How a planned run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has its record.
    Done,
    /// It was done before.
    Skipped,
    /// It failed; why, which reads after "failed to".
    Failed(String),
    /// Another process works on it.
    GoingOn,
    /// It was stopped on request, and its state saved.
    Stopped,
}

/// How many runs ended how.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Runs with a record that were not done before.
    pub done: usize,
    /// Runs that were done before.
    pub skipped: usize,
    /// Runs that failed, with their errors.
    pub failed: Vec<(String, String)>,
    /// Runs that other processes work on.
    pub going_on: Vec<String>,
    /// Whether somebody asked to stop.
    pub stopped: bool,
}

impl Tally {
    /// Counts the run named `run_id`.
    pub fn count(&mut self, run_id: &str, outcome: &Outcome) {
        match outcome {
            Outcome::Done => self.done += 1,
            Outcome::Skipped => self.skipped += 1,
            Outcome::Failed(error) => self.failed.push((run_id.into(), error.clone())),
            Outcome::GoingOn => self.going_on.push(run_id.into()),
            Outcome::Stopped => self.stopped = true,
        }
    }

    /// Runs that ended.
    pub fn ended(&self) -> usize {
        self.done + self.skipped + self.failed.len() + self.going_on.len()
    }

    /// What keeps the whole from being finished.
    ///
    /// # Errors
    /// If something does.
    pub fn verdict(&self) -> Result<(), Unfinished> {
        match (self.stopped, self.failed.len(), self.going_on.len()) {
            (true, _, _) => Err(Unfinished::Stopped),
            (false, 0, 0) => Ok(()),
            (false, 0, going_on) => Err(Unfinished::GoingOn(going_on)),
            (false, failed, _) => Err(Unfinished::Failed(failed)),
        }
    }
}

/// A line about the run named `run_id`, whose folder is in `results`, and that took `seconds` in this call.
pub fn line(results: &Path, run_id: &str, outcome: &Outcome, seconds: f64) -> String {
    match outcome {
        Outcome::Done => {
            let record = RunDir::at(results.join(run_id)).read_record();
            let accuracy = record.map(|record| percent(record.test.raw.accuracy));
            let accuracy = accuracy.map_or_else(|_| String::new(), |text| format!("  {text}"));
            format!("{run_id}{accuracy}  {seconds:.1} s")
        }
        Outcome::Skipped => format!("{run_id}  done before"),
        Outcome::Failed(error) => format!("{run_id}  failed to {error}"),
        Outcome::GoingOn => format!("{run_id}  is going on in another process"),
        Outcome::Stopped => format!("{run_id}  stopped; its state is saved"),
    }
}
