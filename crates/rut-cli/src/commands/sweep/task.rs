//! `rut sweep task`: some runs of a plan, in this process, one after the other.

use std::collections::HashSet;
use std::io::Read;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{anyhow, Result};
use rut_formats::{counted, escape};
use rut_record::{Event, Existing, Failure, Locations, Phase, Plan, PlannedRun, RunDir};
use rut_study::sweep::{measure_upstream, upstreams, Extraction, UpstreamOutcome};

use super::outcome::{line, Outcome, Tally};
use crate::args::TaskArgs;
use crate::exit::{chain, Unfinished, Usage, INTERRUPTED};
use crate::output::note;
use crate::system::{self, Parent};
use crate::COMMIT;
use rut_adapt::{LoopControl, Observer, ObserverError};
use rut_run::{check, check_planned, Display, Requests, Session};

/// How long a task waits for runs that another process works on, and the time between two looks.
const WAIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

/// The time between two looks whether the process that started this one is there, and what is left after it to save.
const LOOK: Duration = Duration::from_millis(50);
const GRACE: Duration = Duration::from_millis(700);

/// Runs the part of the plan that is asked for.
pub fn run(args: &TaskArgs) -> Result<()> {
    if args.runs_per_task == 0 {
        return Err(Usage(anyhow!("use --runs-per-task 0: expected at least 1")).into());
    }
    let requests = system::requests()?;
    if args.until_eof {
        stop_at_eof(Arc::clone(&requests.stop));
    }
    let plan = part(args)?;
    let locations = &plan.heading.locations;
    let threads = crate::set_threads(args.threads.or(locations.threads));
    let session = TaskSession {
        locations,
        requests: &requests,
        threads,
    };
    match args.extract {
        Some(task) => extract(&plan, places_of(task, args), &session),
        None if args.upstream => upstream(&plan, &session),
        None => session.runs(&plan, args),
    }
}

/// Which pieces of work task `task` of an array has.
fn places_of(task: usize, args: &TaskArgs) -> Range<usize> {
    let first = task.saturating_mul(args.runs_per_task);
    first..first.saturating_add(args.runs_per_task)
}

/// The runs that are asked for; all of them, where features are to be extracted.
fn part(args: &TaskArgs) -> Result<Plan> {
    if let Some(run_id) = &args.run {
        return Ok(Plan::find(&args.plan, run_id)?);
    }
    let Some(task) = args.task else {
        return Ok(Plan::read(&args.plan)?);
    };
    let runs = places_of(task, args);
    let plan = Plan::read_some(&args.plan, |index, _| runs.contains(&index))?;
    if plan.runs.is_empty() {
        Err(too_far(args, task, &runs))
    } else {
        Ok(plan)
    }
}

fn too_far(args: &TaskArgs, task: usize, runs: &Range<usize>) -> anyhow::Error {
    let (plan, least) = (escape(&args.plan).whole(), runs.start + 1);
    let problem =
        format!("run task {task} of {plan}: expected a plan of at least {least} runs, found fewer");
    Usage(anyhow!(problem)).into()
}

/// Extracts sets of features, unless they are in the cache.
fn extract(plan: &Plan, sets: Range<usize>, session: &TaskSession<'_>) -> Result<()> {
    for extraction in those_at(&sets, &Extraction::of(plan)) {
        let started = Instant::now();
        let mut observer = Stopping(session.requests);
        let images = extraction.extract(session.locations, &mut observer)?;
        let (title, seconds) = (extraction.title(), started.elapsed().as_secs_f64());
        let title = escape(&title);
        let images = counted(images, "image");
        note(&format!("{title}: {images}  {seconds:.1} s"));
    }
    Ok(())
}

/// Measures networks on their own source data. One that cannot be measured keeps no other from it.
fn upstream(plan: &Plan, session: &TaskSession<'_>) -> Result<()> {
    let mut failure = None;
    for spec in upstreams(plan, session.locations) {
        let mut observer = Stopping(session.requests);
        let measured = measure_upstream(&spec, session.locations, COMMIT, &mut observer);
        if session.requests.stop.load(Ordering::Relaxed) {
            return Err(Unfinished::Stopped.into());
        }
        let said = match &measured {
            Ok(UpstreamOutcome::Measured) => "measured".to_owned(),
            Ok(UpstreamOutcome::Known) => "measured before".to_owned(),
            Err(error) => error.to_string(),
        };
        let (network, dataset) = (&spec.network, &spec.data.dataset);
        let text = format!(
            "{} ({}) on {dataset}: {said}",
            network.model,
            network.weights_title()
        );
        note(&escape(&text).at_most(2000).to_string());
        if let Err(error) = measured {
            failure.get_or_insert(error);
        }
    }
    failure.map_or(Ok(()), |error| Err(error.into()))
}

/// Those of `all` at `positions`; the last task of an array may have fewer than the others.
fn those_at<'a, T>(positions: &Range<usize>, all: &'a [T]) -> &'a [T] {
    let end = positions.end.min(all.len());
    all.get(positions.start..end).unwrap_or_default()
}

/// An observer that only passes on requests to stop.
struct Stopping<'a>(&'a Requests);

impl Observer for Stopping<'_> {
    fn event(&mut self, _: &Event) -> Result<(), ObserverError> {
        Ok(())
    }

    fn control(&mut self) -> LoopControl {
        if self.0.stop.load(Ordering::Relaxed) {
            LoopControl::SaveAndStop
        } else {
            LoopControl::Continue
        }
    }
}

/// What all runs of a task share.
struct TaskSession<'a> {
    locations: &'a Locations,
    requests: &'a Requests,
    threads: usize,
}

impl TaskSession<'_> {
    fn runs(&self, plan: &Plan, args: &TaskArgs) -> Result<()> {
        let all: Vec<&PlannedRun> = plan.runs.iter().collect();
        let mut tally = self.pass(&all)?;
        let names: HashSet<&String> = tally.going_on.iter().collect();
        let going_on = |run: &&PlannedRun| names.contains(&run.run_id);
        let again: Vec<&PlannedRun> = plan.runs.iter().filter(going_on).collect();
        if args.run.is_none() && !again.is_empty() && !tally.stopped {
            tally.going_on.clear();
            self.wait_for(&again);
            tally.add(self.pass(&again)?);
        }
        Ok(tally.verdict()?)
    }

    fn pass(&self, runs: &[&PlannedRun]) -> Result<Tally> {
        let mut tally = Tally::default();
        for (index, planned) in runs.iter().enumerate() {
            let started = Instant::now();
            let outcome = if self.requests.stop.load(Ordering::Relaxed) {
                Outcome::Stopped
            } else {
                self.one(planned)?
            };
            tally.count(&planned.run_id, &outcome);
            let seconds = started.elapsed().as_secs_f64();
            let text = line(
                &self.locations.results_path,
                &planned.run_id,
                &outcome,
                seconds,
            );
            let text = escape(&text).at_most(2000);
            note(&format!("{}/{}  {text}", index + 1, runs.len()));
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
            && runs.iter().any(locked)
        {
            std::thread::sleep(PAUSE);
        }
    }

    fn dir(&self, run: &PlannedRun) -> RunDir {
        RunDir::at(self.locations.results_path.join(&run.run_id))
    }

    /// One planned run. Only what keeps its failure from being written down is an error.
    fn one(&self, planned: &PlannedRun) -> Result<Outcome> {
        let dir = self.dir(planned);
        match dir.finished() {
            Ok(None) => {}
            Ok(Some(_)) => return Ok(Outcome::Skipped),
            // Nothing is written beside it: what is there may be put right.
            Err(error) => return Ok(Outcome::Failed(error.to_string())),
        }
        let Err(error) = self.checked_and_run(planned) else {
            return Ok(Outcome::Done);
        };
        match error.downcast_ref() {
            Some(rut_run::Error::Stopped { .. }) => Ok(Outcome::Stopped),
            Some(rut_run::Error::Record(rut_record::Error::GoingOn { .. })) => Ok(Outcome::GoingOn),
            _ => {
                let error = chain(&error);
                Failure::new(&planned.run_id, &planned.spec, &error).write(&dir)?;
                Ok(Outcome::Failed(error))
            }
        }
    }

    fn checked_and_run(&self, planned: &PlannedRun) -> Result<()> {
        let checked = check(planned.spec.clone(), self.locations)?;
        check_planned(&checked, &planned.run_id, self.locations)?;
        let session = Session {
            display: &mut Notes,
            requests: self.requests,
            existing: Existing::Resume,
            commit: COMMIT,
            threads: self.threads,
        };
        rut_run::run(&checked, self.locations, session)?;
        Ok(())
    }
}

/// Asks to stop when standard input ends. If the process that started this one is gone, too, no process waits for it: it ends
/// soon, whether it could save by then or not, and is resumed from what it saved before.
fn stop_at_eof(stop: Arc<AtomicBool>) {
    let parent = Parent::now();
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        while matches!(stdin.read(&mut [0; 64]), Ok(1..)) {}
        stop.store(true, Ordering::Relaxed);
        while !parent.is_gone() {
            std::thread::sleep(LOOK);
        }
        std::thread::sleep(GRACE);
        std::process::exit(INTERRUPTED.into());
    });
}

/// Writes warnings to the log, and nothing about epochs.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_task_has_what_is_left() {
        let all = ["a", "b", "c"];
        assert_eq!(those_at(&(0..2), &all), ["a", "b"]);
        assert_eq!(those_at(&(2..4), &all), ["c"]);
        assert!(those_at(&(4..6), &all).is_empty());
    }
}
