//! The status of a planned run, from its folder: only records and failures are opened.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use rut_record::{Failure, Plan, PlannedRun, RunDir};
use serde::Serialize;

use crate::error::{Result, file};

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// It has its record, which can be read.
    Done,
    /// A process works in its folder.
    GoingOn,
    /// It was begun, and can be resumed.
    HalfDone,
    /// It failed, and was not tried again; or its record cannot be read.
    Failed,
    /// Nothing is there.
    Missing,
}

/// All states, in the order in which they are listed, with their names.
pub static RUN_STATES: [(RunState, &str); 5] = [
    (RunState::Done, "done"),
    (RunState::GoingOn, "going on"),
    (RunState::HalfDone, "half done"),
    (RunState::Failed, "failed"),
    (RunState::Missing, "missing"),
];

/// A planned run, its state, and the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunStatus {
    /// Its name.
    pub run_id: String,
    /// Its state.
    pub state: RunState,
    /// Why it failed; reads after "failed to".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl RunStatus {
    /// Of the run named `run_id`, whose folder is in `results`.
    pub fn of(results: &Path, run_id: &str) -> Self {
        let dir = RunDir::at(results.join(run_id));
        // The lock does not matter for a finished run; a record that is being written counts when it is there.
        let (state, error) = if dir.is_finished() {
            match dir.read_record() {
                Ok(_) => (RunState::Done, None),
                Err(error) => (RunState::Failed, Some(error.to_string())),
            }
        } else if dir.is_locked() {
            (RunState::GoingOn, None)
        } else {
            match Failure::read(&dir) {
                Ok(Some(failure)) => (RunState::Failed, Some(failure.error)),
                Err(error) => (RunState::Failed, Some(error.to_string())),
                Ok(None) if dir.is_begun() => (RunState::HalfDone, None),
                Ok(None) => (RunState::Missing, None),
            }
        };
        Self {
            run_id: run_id.into(),
            state,
            error,
        }
    }
}

/// The state of each run of `plan` whose folder is in `results`.
pub fn status(plan: &Plan, results: &Path) -> Vec<RunStatus> {
    let of = |run: &PlannedRun| RunStatus::of(results, &run.run_id);
    plan.runs.iter().map(of).collect()
}

/// Folders in `results` that hold a run, or its failure, that is not in the plan.
///
/// # Errors
/// If the folder is there and cannot be read.
pub fn strangers(plan: &Plan, results: &Path) -> Result<Vec<String>> {
    if !results.is_dir() {
        return Ok(Vec::new());
    }
    let planned: HashSet<&str> = plan.runs.iter().map(|run| run.run_id.as_str()).collect();
    let entries = std::fs::read_dir(results).map_err(file("read", results))?;
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let dir = RunDir::at(entry.path());
        let holds = dir.is_finished() || dir.is_begun() || dir.failure().exists();
        if holds && !planned.contains(name.as_str()) {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

/// How many runs are in each state; states without a run are there, too.
pub fn counts<'a>(runs: impl IntoIterator<Item = &'a RunStatus>) -> BTreeMap<RunState, usize> {
    let mut counts: BTreeMap<_, _> = RUN_STATES.iter().map(|&(state, _)| (state, 0)).collect();
    for run in runs {
        *counts.entry(run.state).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use rut_record::RunSpec;

    use super::*;

    #[test]
    fn a_folder_tells_what_became_of_its_run() {
        let results = tempfile::tempdir().unwrap();
        let state = || RunStatus::of(results.path(), "a");
        assert_eq!(state().state, RunState::Missing);
        let dir = RunDir::at(results.path().join("a"));
        Failure::new("a", &RunSpec::default(), "read it")
            .write(&dir)
            .unwrap();
        assert_eq!(state().state, RunState::Failed);
        assert_eq!(state().error.as_deref(), Some("read it"));
        std::fs::remove_file(dir.failure()).unwrap();
        std::fs::write(dir.events(), "").unwrap();
        assert_eq!(state().state, RunState::HalfDone);
        let lock = std::fs::File::create(dir.path().join(".lock")).unwrap();
        lock.lock().unwrap();
        assert_eq!(state().state, RunState::GoingOn);
        drop(lock);
        std::fs::write(dir.record(), "{}").unwrap();
        assert_eq!(state().state, RunState::Failed);
        assert!(state().error.unwrap().contains("record.json"));
        let none = Plan {
            heading: Default::default(),
            runs: Vec::new(),
        };
        assert_eq!(strangers(&none, results.path()).unwrap(), ["a"]);
    }
}
