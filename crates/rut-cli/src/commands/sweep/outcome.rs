//! How planned runs ended in this call, and the lines about it.

use std::collections::HashMap;
use std::path::Path;

use rut_record::RunDir;

use crate::exit::Unfinished;
use crate::table::percent;

/// Characters of an error that a line has room for.
const WORDS: usize = 120;

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
    /// Whether the user asked to stop.
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

    /// Adds what another pass came to.
    pub fn add(&mut self, other: Self) {
        self.done += other.done;
        self.skipped += other.skipped;
        self.failed.extend(other.failed);
        self.going_on.extend(other.going_on);
        self.stopped |= other.stopped;
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

impl Outcome {
    /// In one word, and whether that is good news; `None` where it is neither.
    pub fn word(&self) -> (&'static str, Option<bool>) {
        match self {
            Self::Done => ("PASS", Some(true)),
            Self::Skipped => ("SKIP", None),
            Self::Failed(_) => ("FAIL", Some(false)),
            Self::GoingOn => ("BUSY", None),
            Self::Stopped => ("STOP", None),
        }
    }
}

/// The rest of a line about the run named `run_id`, whose folder is in `results`, and that took `seconds` in this call.
pub fn line(results: &Path, run_id: &str, outcome: &Outcome, seconds: f64) -> String {
    match outcome {
        Outcome::Done => {
            let record = RunDir::at(results.join(run_id)).read_record();
            let accuracy = record.map(|record| percent(record.test.raw.accuracy));
            let accuracy =
                accuracy.map_or_else(|_| String::new(), |text| format!("  accuracy {text}"));
            format!("{run_id}{accuracy}  {seconds:.1} s")
        }
        Outcome::Skipped => format!("{run_id}  done before"),
        Outcome::Failed(error) => format!("{run_id}  failed to {}", beginning(error)),
        Outcome::GoingOn => format!("{run_id}  is going on in another process"),
        Outcome::Stopped => format!("{run_id}  stopped; its state is saved"),
    }
}

/// The first words of a message; all of it stands in the summary.
fn beginning(error: &str) -> String {
    match error.char_indices().nth(WORDS) {
        Some((end, _)) => format!("{} …", error.get(..end).unwrap_or(error).trim_end()),
        None => error.into(),
    }
}

/// Errors, each once, and the names of the runs that failed with it.
pub fn failures<'a>(failed: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let (mut errors, mut places) = (Vec::<(&str, Vec<&str>)>::new(), HashMap::new());
    for (run_id, error) in failed {
        let place = *places.entry(error).or_insert(errors.len());
        match errors.get_mut(place) {
            Some((_, runs)) => runs.push(run_id),
            None => errors.push((error, vec![run_id])),
        }
    }
    let text = |(error, runs): &(&str, Vec<&str>)| {
        format!("\n\nfailed to {error}\n  {}", runs.join("\n  "))
    };
    errors.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_once_with_all_its_runs() {
        let text = failures([("a", "x"), ("b", "y"), ("c", "x")]);
        assert_eq!(text, "\n\nfailed to x\n  a\n  c\n\nfailed to y\n  b");
        let long = "ö".repeat(200);
        assert_eq!(beginning(&long).chars().count(), WORDS + 2);
    }

    #[test]
    fn a_request_to_stop_outweighs_failures_and_these_what_others_work_on() {
        let mut tally = Tally::default();
        tally.count("a", &Outcome::Done);
        assert_eq!(tally.verdict(), Ok(()));
        tally.count("b", &Outcome::GoingOn);
        assert_eq!(tally.verdict(), Err(Unfinished::GoingOn(1)));
        tally.count("c", &Outcome::Failed("x".into()));
        assert_eq!(tally.verdict(), Err(Unfinished::Failed(1)));
        tally.count("d", &Outcome::Stopped);
        assert_eq!(tally.verdict(), Err(Unfinished::Stopped));
        assert_eq!(tally.ended(), 3);
    }
}
