//! A study at work: which processes are started in which order, and what is reported when they end.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::Result;
use console::style;
use indicatif::ProgressBar;
use rut_formats::{counted, escape};
use rut_record::{Failure, Plan, PlannedRun, RunDir, Verification};
use rut_run::Requests;
use rut_study::sweep::{upstreams, Extraction};

use super::job::End;
use super::outcome::{line, Outcome, Tally};
use super::pool::{Pool, Work};
use super::resources::Resources;
use crate::output::note;

/// Characters of a line about a run.
const LONGEST: usize = 2000;

/// What was done beside the runs, and what could not be.
const DONE: (&str, Option<bool>) = ("PASS", Some(true));
const LEFT: (&str, Option<bool>) = ("SKIP", None);

/// A study at work.
pub struct Sweep<'a> {
    /// Where the runs' folders are.
    pub results: &'a Path,
    /// The plan's file.
    pub plan: &'a Path,
    /// Processes and threads.
    pub resources: Resources,
    /// Requests from outside.
    pub requests: &'a Requests,
    /// How the runs ended.
    pub tally: Tally,
    /// Runs of the plan.
    pub total: usize,
    /// Where there is a terminal.
    pub bar: Option<ProgressBar>,
}

/// Features that several runs share, to be extracted before them.
struct Shared {
    /// Their place among the plan's.
    set: usize,
    title: String,
}

impl<'a> Sweep<'a> {
    /// Runs what has no record.
    ///
    /// # Errors
    /// If a process cannot be started, or a failure cannot be written down.
    pub fn work(&mut self, plan: &Plan) -> Result<()> {
        let runs = self.not_done(plan);
        note(&format!(
            "{}: {} done before, {} to run, {} at a time, {} in all",
            counted(self.total, "run"),
            self.tally.skipped,
            runs.len(),
            self.resources.jobs.min(runs.len().max(1)),
            counted(self.resources.threads, "thread"),
        ));
        let (shared, before) = shared(plan, &runs);
        self.pass(&shared, &before, &runs)?;
        // Those that another process worked on may have been left by it.
        let again = std::mem::take(&mut self.tally.going_on);
        let again: HashSet<String> = again.into_iter().collect();
        let again = runs.into_iter().filter(|run| again.contains(&run.run_id));
        let again: Vec<_> = again.collect();
        if self.requests.stop.load(Ordering::Relaxed) {
            self.tally.stopped = true;
            self.tally.going_on = again.iter().map(|run| run.run_id.clone()).collect();
            return Ok(());
        }
        self.pass(&[], &HashMap::new(), &again)
    }

    /// Measures the networks of `plan` whose source data is there on it, and leaves those that were.
    ///
    /// # Errors
    /// If the process cannot be started.
    pub fn measure(&self, plan: &Plan) -> Result<()> {
        let networks = upstreams(plan, &plan.heading.locations).len();
        if networks == 0 || self.requests.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let title = format!("source data of {}", counted(networks, "network"));
        let work = Work {
            words: self.words("--upstream", &[], 1),
            after: None,
        };
        self.pool().work_off(&[work], &mut |_, end, seconds| {
            self.prepared(&title, "not all are measured", &end, seconds);
            Ok(())
        })
    }

    fn pool(&self) -> Pool<'a> {
        Pool {
            jobs: self.resources.jobs,
            stop: &self.requests.stop,
        }
    }

    /// What there is to run. A finished run whose files are not what was written is none of it: it has failed.
    fn not_done<'p>(&mut self, plan: &'p Plan) -> Vec<&'p PlannedRun> {
        let (mut left, mut unchecked) = (Vec::new(), 0);
        for run in &plan.runs {
            let outcome = match RunDir::at(self.results.join(&run.run_id)).finished() {
                Ok(None) => {
                    left.push(run);
                    continue;
                }
                Ok(Some(verification)) => {
                    unchecked += usize::from(verification == Verification::Unchecked);
                    Outcome::Skipped
                }
                Err(error) => Outcome::Failed(error.to_string()),
            };
            self.tally.count(&run.run_id, &outcome);
        }
        if unchecked > 0 {
            note(&format!(
                "{unchecked} of the runs done before are of an earlier version, without checksums of their files: not checked"
            ));
        }
        left
    }

    /// Extracts `shared` features, and runs `runs`, those in `before` after their features.
    fn pass(
        &mut self,
        shared: &[Shared],
        before: &HashMap<&str, usize>,
        runs: &[&PlannedRun],
    ) -> Result<()> {
        // While features are extracted, only runs without features keep the other processes busy.
        let meanwhile = shared.len() + runs.len() - before.len();
        let extractions = shared.iter().map(|shared| Work {
            words: self.words("--extract", &[&shared.set.to_string()], meanwhile),
            after: None,
        });
        let runs_after = runs.iter().map(|run| Work {
            words: self.words("--run", &[&run.run_id], runs.len()),
            after: before.get(run.run_id.as_str()).copied(),
        });
        let list: Vec<Work> = extractions.chain(runs_after).collect();
        self.pool().work_off(&list, &mut |index, end, seconds| {
            if let Some(shared) = shared.get(index) {
                self.prepared(&shared.title, "left to the runs", &end, seconds);
                return Ok(());
            }
            let run = runs.get(index - shared.len());
            run.map_or(Ok(()), |run| self.ended(run, end, seconds))
        })
    }

    /// What a process is called with that does one of `pieces` pieces of work.
    fn words(&self, part: &str, name: &[&str], pieces: usize) -> Vec<OsString> {
        let threads = self.resources.each(pieces).to_string();
        let mut words: Vec<OsString> = vec!["sweep".into(), "task".into(), self.plan.into()];
        words.push(part.into());
        words.extend(name.iter().map(OsString::from));
        words.extend(["--threads", &threads].map(OsString::from));
        words
    }

    /// A line that begins with a word, coloured on a terminal.
    fn report(&self, (word, good): (&str, Option<bool>), text: &str) {
        let text = escape(text).at_most(LONGEST).to_string();
        match &self.bar {
            Some(bar) => {
                let word = style(word).for_stderr().bold();
                let word = match good {
                    Some(true) => word.green(),
                    Some(false) => word.red(),
                    None => word.yellow(),
                };
                bar.println(format!("{word}  {text}"));
            }
            None => note(&format!("{word}  {text}")),
        }
    }

    /// A set of features that failed stops nothing: the runs extract themselves, or fail with the same reason. Nor does a
    /// measurement on source data.
    fn prepared(&self, title: &str, left: &str, end: &End, seconds: f64) {
        match end {
            End::Done => self.report(DONE, &format!("{title}  {seconds:.1} s")),
            End::Stopped | End::GoingOn => {}
            End::Failed(words) | End::Crashed(words) => {
                self.report(LEFT, &format!("{title}  {left}: {words}"));
            }
        }
    }

    fn ended(&mut self, run: &PlannedRun, end: End, seconds: f64) -> Result<()> {
        let outcome = self.outcome(run, end)?;
        self.tally.count(&run.run_id, &outcome);
        let ended = self.tally.ended();
        let text = line(self.results, &run.run_id, &outcome, seconds);
        self.report(outcome.word(), &format!("{ended}/{}  {text}", self.total));
        if let Some(bar) = &self.bar {
            bar.set_position(ended as u64);
        }
        Ok(())
    }

    /// What the end of a run's process means. What it did not write down itself is written down here: no other process is left to
    /// do it.
    fn outcome(&self, run: &PlannedRun, end: End) -> Result<Outcome> {
        let dir = RunDir::at(self.results.join(&run.run_id));
        let error = match end {
            End::Done => return Ok(Outcome::Done),
            End::GoingOn => return Ok(Outcome::GoingOn),
            End::Stopped => return Ok(Outcome::Stopped),
            End::Failed(words) => match Failure::read(&dir)? {
                Some(failure) => return Ok(Outcome::Failed(failure.error)),
                None => format!("begin; the last output of its process: {words}"),
            },
            End::Crashed(error) => error,
        };
        Failure::new(&run.run_id, &run.spec, &error).write(&dir)?;
        Ok(Outcome::Failed(error))
    }
}

/// The features that at least two of `runs` share, and for these runs which of them they wait for.
fn shared<'p>(plan: &'p Plan, runs: &[&PlannedRun]) -> (Vec<Shared>, HashMap<&'p str, usize>) {
    let (mut sets, mut before) = (Vec::new(), HashMap::new());
    let left: std::collections::HashSet<&str> =
        runs.iter().map(|run| run.run_id.as_str()).collect();
    let ids: HashMap<&str, &'p str> = plan
        .runs
        .iter()
        .map(|run| (run.run_id.as_str(), run.run_id.as_str()))
        .collect();
    for (set, extraction) in Extraction::of(plan).iter().enumerate() {
        let waiting = extraction
            .run_ids
            .iter()
            .filter_map(|id| ids.get(id.as_str()));
        let waiting: Vec<&&str> = waiting.filter(|id| left.contains(**id)).collect();
        if waiting.len() > 1 {
            before.extend(waiting.iter().map(|id| (**id, sets.len())));
            let title = extraction.title();
            sets.push(Shared { set, title });
        }
    }
    (sets, before)
}
