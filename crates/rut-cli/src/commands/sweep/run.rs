//! `rut sweep run`: what is missing of a study, in a pool of processes.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{anyhow, Result};
use indicatif::{ProgressBar, ProgressStyle};
use rut_study::journal::Requests;
use rut_study::names::find_model;
use rut_study::sweep::state::counts;
use rut_study::sweep::{Combination, Failure, Plan, PlannedRun, Prospects, RunState, Study};
use rut_study::RunDir;

use super::forecast;
use super::job::End;
use super::outcome::{failures, line, Outcome, Tally};
use super::pool::{Pool, Work};
use crate::args::SweepArgs;
use crate::exit::Usage;
use crate::layers::{resolve_study, variables};
use crate::output::{note, result};
use crate::signals;
use crate::table::columns;

/// Networks that take images of at most this side gain more from several runs at a time than from several threads each.
const SMALL: u32 = 64;

/// Runs what is missing, or with `--dry-run` says what that is.
pub fn run(args: &SweepArgs) -> Result<()> {
    let study = resolve_study(&args.file, &args.study, &variables()).map_err(Usage)?;
    let means = Means::new(args, &study)?;
    if args.dry_run {
        // Rates are measured with as many threads as a run will have.
        crate::set_threads(Some(means.threads / means.jobs));
        return forecast::show(&study, &study.prospects()?, means);
    }
    crate::set_threads(Some(means.threads));
    let requests = signals::requests()?;
    let prospects = study.prospects()?;
    let plan = prospects.plan();
    let path = keep(&prospects, &plan)?;
    let mut sweep = Sweep {
        results: &prospects.heading.places.results_path,
        plan: &path,
        means,
        requests: &requests,
        tally: Tally::default(),
        total: plan.runs.len(),
        bar: bar(plan.runs.len()),
    };
    sweep.work(&plan)?;
    if let Some(bar) = &sweep.bar {
        bar.finish_and_clear();
    }
    result(&summary(&plan, sweep.results, &sweep.tally))?;
    Ok(sweep.tally.verdict()?)
}

/// Processes at a time, and threads of all together.
#[derive(Clone, Copy, Debug)]
pub struct Means {
    /// At least 1.
    pub jobs: usize,
    /// At least as many as jobs.
    pub threads: usize,
}

impl Means {
    fn new(args: &SweepArgs, study: &Study) -> Result<Self> {
        let (runs, places) = study.combinations()?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = args.threads.or(places.threads).unwrap_or(cores);
        for (flag, value) in [("--jobs", args.jobs), ("--threads", Some(threads))] {
            if let Some(value) = value.filter(|value| !(1..=1024).contains(value)) {
                return Err(Usage(anyhow!("use {flag} {value}: expected 1 to 1024")).into());
            }
        }
        let small = |run: &Combination| {
            find_model(&run.spec.model).is_ok_and(|model| model.input_size <= SMALL)
        };
        let usual = if runs.iter().all(small) { threads } else { 1 };
        let jobs = args.jobs.unwrap_or(usual).min(runs.len()).max(1);
        Ok(Self {
            jobs,
            threads: threads.max(jobs),
        })
    }
}

/// Writes the plan down, and says what else lies beside it.
fn keep(prospects: &Prospects, plan: &Plan) -> Result<PathBuf> {
    let results = &prospects.heading.places.results_path;
    let path = Plan::path(results);
    plan.write(&path)?;
    prospects.forget_stand_ins()?;
    let strangers = plan.strangers(results)?;
    if !strangers.is_empty() {
        note(&format!(
            "{} runs in {} are not of this study, {} for one; they stay as they are",
            strangers.len(),
            results.display(),
            strangers.first().map_or("", String::as_str)
        ));
    }
    Ok(path)
}

fn bar(runs: usize) -> Option<ProgressBar> {
    std::io::stderr().is_terminal().then(|| {
        let style = ProgressStyle::with_template("{wide_bar:.cyan/dim} {pos}/{len} {elapsed}");
        ProgressBar::new(runs as u64)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    })
}

/// A study at work.
struct Sweep<'a> {
    results: &'a Path,
    plan: &'a Path,
    means: Means,
    requests: &'a Requests,
    tally: Tally,
    total: usize,
    bar: Option<ProgressBar>,
}

impl Sweep<'_> {
    fn work(&mut self, plan: &Plan) -> Result<()> {
        let done = |run: &&PlannedRun| RunDir::at(self.results.join(&run.run_id)).is_finished();
        let (skipped, runs): (Vec<_>, Vec<_>) = plan.runs.iter().partition(done);
        self.tally.skipped = skipped.len();
        note(&format!(
            "{} runs: {} done before, {} to run, {} at a time with {} threads each",
            self.total,
            skipped.len(),
            runs.len(),
            self.means.jobs.min(runs.len().max(1)),
            self.threads(runs.len()),
        ));
        self.pass(&runs)?;
        // Those that another process worked on may have been left by it.
        let again = std::mem::take(&mut self.tally.going_on);
        let again = runs.into_iter().filter(|run| again.contains(&run.run_id));
        let again: Vec<_> = again.collect();
        if self.requests.stop.load(Ordering::Relaxed) {
            self.tally.stopped = true;
            self.tally.going_on = again.iter().map(|run| run.run_id.clone()).collect();
            return Ok(());
        }
        self.pass(&again)
    }

    /// Threads of each of the processes, of which there are no more than runs.
    fn threads(&self, runs: usize) -> usize {
        (self.means.threads / self.means.jobs.min(runs.max(1))).max(1)
    }

    fn pass(&mut self, runs: &[&PlannedRun]) -> Result<()> {
        let list: Vec<Work> = runs.iter().map(|run| self.words(run, runs.len())).collect();
        let pool = Pool {
            jobs: self.means.jobs,
            stop: &self.requests.stop,
        };
        pool.work_off(&list, &mut |index, end, seconds| {
            runs.get(index)
                .map_or(Ok(()), |run| self.ended(run, end, seconds))
        })
    }

    fn words(&self, run: &PlannedRun, runs: usize) -> Work {
        let threads = self.threads(runs).to_string();
        let words: [OsString; 7] = [
            "sweep".into(),
            "task".into(),
            self.plan.into(),
            "--run".into(),
            run.run_id.clone().into(),
            "--threads".into(),
            threads.into(),
        ];
        Work {
            words: words.into(),
            after: None,
        }
    }

    fn ended(&mut self, run: &PlannedRun, end: End, seconds: f64) -> Result<()> {
        let outcome = self.outcome(run, end)?;
        self.tally.count(&run.run_id, &outcome);
        let ended = self.tally.ended();
        let told = line(self.results, &run.run_id, &outcome, seconds);
        let told = format!("{ended}/{}  {told}", self.total);
        match &self.bar {
            Some(bar) => {
                bar.println(told);
                bar.set_position(ended as u64);
            }
            None => note(&told),
        }
        Ok(())
    }

    /// What the end of a run's process means. A crash is written down here: nobody else is left to do it.
    fn outcome(&self, run: &PlannedRun, end: End) -> Result<Outcome> {
        let dir = RunDir::at(self.results.join(&run.run_id));
        Ok(match end {
            End::Done => Outcome::Done,
            End::GoingOn => Outcome::GoingOn,
            End::Stopped => Outcome::Stopped,
            End::Failed => match Failure::read(&dir)? {
                Some(failure) => Outcome::Failed(failure.error),
                None => Outcome::Failed("write down why it failed".into()),
            },
            End::Crashed(error) => {
                Failure::new(&run.run_id, &run.spec, &error).write(&dir)?;
                Outcome::Failed(error)
            }
        })
    }
}

/// What there is in the end.
fn summary(plan: &Plan, results: &Path, tally: &Tally) -> String {
    let counts = counts(&plan.status(results));
    let of = |state| counts.get(&state).copied().unwrap_or(0);
    let left = of(RunState::HalfDone) + of(RunState::Missing);
    let rows = [
        ("done", of(RunState::Done)),
        ("  of these now", tally.done),
        ("failed", of(RunState::Failed)),
        ("going on elsewhere", of(RunState::GoingOn)),
        ("left", left),
    ];
    let rows: Vec<Vec<String>> = [vec!["runs".to_owned(), plan.runs.len().to_string()]]
        .into_iter()
        .chain(rows.map(|(name, count)| vec![name.to_owned(), count.to_string()]))
        .collect();
    let failed = tally.failed.iter();
    let failed = failures(failed.map(|(run_id, error)| (run_id.as_str(), error.as_str())));
    format!("{}{failed}\n\n{}", columns(&rows), results.display())
}
