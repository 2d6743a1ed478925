//! `rut sweep task`: some runs of a plan, in this process, one after the other.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{anyhow, Result};
use rut_adapt::event::{Event, Phase};
use rut_study::journal::{Display, Requests};
use rut_study::sweep::{Failure, Plan, PlannedRun};
use rut_study::{Error, Existing, Places, RunDir, Session};

use super::outcome::{line, Outcome, Tally};
use crate::args::TaskArgs;
use crate::exit::{chain, Usage};
use crate::output::note;
use crate::{signals, COMMIT};

/// How long a task waits for runs that another process works on, and the time between two looks.
const WAIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

/// Runs the part of the plan that is asked for.
pub fn run(args: &TaskArgs) -> Result<()> {
    let plan = part(args)?;
    let places = &plan.heading.places;
    let threads = crate::set_threads(args.threads.or(places.threads));
    let requests = signals::requests()?;
    if args.until_eof {
        stop_at_eof(Arc::clone(&requests.stop));
    }
    let session = TaskSession {
        places,
        requests: &requests,
        threads,
    };
    let all: Vec<&PlannedRun> = plan.runs.iter().collect();
    let mut tally = session.pass(&all)?;
    let going_on = |run: &&PlannedRun| tally.going_on.contains(&run.run_id);
    let again: Vec<&PlannedRun> = plan.runs.iter().filter(going_on).collect();
    if args.run.is_none() && !again.is_empty() && !tally.stopped {
        tally.going_on.clear();
        session.wait_for(&again);
        tally.add(session.pass(&again)?);
    }
    Ok(tally.verdict()?)
}

/// What all runs of a task share.
struct TaskSession<'a> {
    places: &'a Places,
    requests: &'a Requests,
    threads: usize,
}

impl TaskSession<'_> {
    fn pass(&self, runs: &[&PlannedRun]) -> Result<Tally> {
        let mut tally = Tally::default();
        for (index, planned) in runs.iter().enumerate() {
            let started = Instant::now();
            let outcome = match self.requests.stop.load(Ordering::Relaxed) {
                true => Outcome::Stopped,
                false => self.one(planned)?,
            };
            tally.count(&planned.run_id, &outcome);
            let seconds = started.elapsed().as_secs_f64();
            let told = line(
                &self.places.results_path,
                &planned.run_id,
                &outcome,
                seconds,
            );
            note(&format!("{}/{}  {told}", index + 1, runs.len()));
            if outcome == Outcome::Stopped {
                break;
            }
        }
        Ok(tally)
    }

    /// Waits a while for others to let go of `runs`. A task that is queued again after its node was lost may find its former
    /// self still at work.
    fn wait_for(&self, runs: &[&PlannedRun]) {
        let started = Instant::now();
        let locked = |run: &&PlannedRun| self.dir(run).is_locked();
        while started.elapsed() < WAIT
            && !self.requests.stop.load(Ordering::Relaxed)
            && runs.iter().any(|run| locked(run))
        {
            std::thread::sleep(PAUSE);
        }
    }

    fn dir(&self, run: &PlannedRun) -> RunDir {
        RunDir::at(self.places.results_path.join(&run.run_id))
    }

    /// One planned run. Only what keeps its failure from being written down is an error.
    fn one(&self, planned: &PlannedRun) -> Result<Outcome> {
        let dir = self.dir(planned);
        if dir.is_finished() {
            return Ok(Outcome::Skipped);
        }
        match self.checked_and_run(planned) {
            Ok(()) => Ok(Outcome::Done),
            Err(Error::Stopped { .. }) => Ok(Outcome::Stopped),
            Err(Error::GoingOn { .. }) => Ok(Outcome::GoingOn),
            Err(error) => {
                let error = chain(&error.into());
                Failure::new(&planned.run_id, &planned.spec, &error).write(&dir)?;
                Ok(Outcome::Failed(error))
            }
        }
    }

    fn checked_and_run(&self, planned: &PlannedRun) -> rut_study::Result<()> {
        let checked = planned.spec.clone().check(self.places)?;
        if checked.id.as_str() != planned.run_id {
            return Err(Error::Changed {
                run: planned.run_id.clone(),
                field: "its id".into(),
                expected: "the plan's".into(),
                found: format!(
                    "{}: files have come or changed; plan again with `rut sweep run`",
                    checked.id
                ),
            });
        }
        let session = Session {
            display: &mut Notes,
            requests: self.requests,
            existing: Existing::Resume,
            commit: COMMIT,
            threads: self.threads,
        };
        rut_study::run(&checked, self.places, session).map(drop)
    }
}

fn part(args: &TaskArgs) -> Result<Plan> {
    if let Some(run_id) = &args.run {
        return Ok(Plan::find(&args.plan, run_id)?);
    }
    if args.runs_per_task == 0 {
        return Err(Usage(anyhow!("use --runs-per-task 0: expected at least 1")).into());
    }
    let task = args.task.unwrap_or(0);
    let runs = task.saturating_mul(args.runs_per_task);
    let runs = runs..runs.saturating_add(args.runs_per_task);
    let plan = Plan::read_some(&args.plan, |index, _| runs.contains(&index))?;
    match plan.runs.is_empty() {
        true => Err(Usage(anyhow!(
            "run task {task} of {}: the plan has fewer than {} runs",
            args.plan.display(),
            runs.start + 1
        ))
        .into()),
        false => Ok(plan),
    }
}

/// Asks to stop when standard input ends.
fn stop_at_eof(stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        while matches!(stdin.read(&mut [0; 64]), Ok(1..)) {}
        stop.store(true, Ordering::Relaxed);
    });
}

/// Tells what a reader of the log must know, and nothing of the epochs.
struct Notes;

impl Display for Notes {
    fn event(&mut self, _: &Event) {}

    fn progress(&mut self, _: Phase, _: usize, _: usize) {}

    fn resumed(&mut self, steps: u64) {
        note(&format!("going on after step {steps}"));
    }

    fn note(&mut self, text: &str) {
        note(text);
    }
}
