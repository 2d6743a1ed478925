//! `rut sweep run`: what is missing of a study, in a pool of processes.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use rut_formats::{counted, escape, shell_word};
use rut_record::{locks_warning, Plan};
use rut_study::sweep::state::{counts, status, strangers};
use rut_study::sweep::{RunState, StudyRuns};

use super::forecast;
use super::outcome::{failures, Tally};
use super::resources::Resources;
use super::session::Sweep;
use crate::args::SweepArgs;
use crate::exit::Usage;
use crate::layers::{resolve_study, variables};
use crate::output::{note, result};
use crate::system;
use crate::table::columns;

/// Runs what is missing, or with `--dry-run` says what that is.
pub fn run(args: &SweepArgs) -> Result<()> {
    let study = resolve_study(&args.file, &args.study, &variables()).map_err(Usage)?;
    let study_runs = study.runs()?;
    let resources = Resources::new(args, &study_runs)?;
    if args.dry_run {
        // Rates are measured with as many threads as a run will have.
        crate::set_threads(Some(resources.each(resources.jobs)));
        return forecast::show(&study, &study_runs, resources);
    }
    let (plan, tally) = carry_out(&study_runs, resources, SourceData::Measured)?;
    let results = &study_runs.heading.locations.results_path;
    result(&summary(&plan, results, &tally))?;
    Ok(tally.verdict()?)
}

/// Whether networks are measured on their own source data, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceData {
    /// Those whose source data is there, after the runs.
    Measured,
    /// None.
    Ignored,
}

/// Runs what is missing of `study_runs`, and reports progress on stderr.
///
/// # Errors
/// If the plan cannot be written, or a process cannot be started. A run that fails is counted.
pub fn carry_out(
    study_runs: &StudyRuns,
    resources: Resources,
    source_data: SourceData,
) -> Result<(Plan, Tally)> {
    crate::set_threads(Some(resources.threads));
    let requests = system::requests()?;
    let plan = study_runs.plan();
    let path = keep(study_runs, &plan)?;
    let mut sweep = Sweep {
        results: &study_runs.heading.locations.results_path,
        plan: &path,
        resources,
        requests: &requests,
        tally: Tally::default(),
        total: plan.runs.len(),
        bar: bar(plan.runs.len()),
    };
    sweep.work(&plan)?;
    if source_data == SourceData::Measured {
        sweep.measure(&plan)?;
    }
    if let Some(bar) = &sweep.bar {
        bar.finish_and_clear();
    }
    let tally = sweep.tally;
    Ok((plan, tally))
}

/// Writes the plan down, and says what else lies beside it.
fn keep(study_runs: &StudyRuns, plan: &Plan) -> Result<PathBuf> {
    let results = &study_runs.heading.locations.results_path;
    let path = plan.keep(results)?;
    if let Some(warning) = locks_warning(results)? {
        note(&warning);
    }
    study_runs.forget_stand_ins()?;
    let strangers = strangers(plan, results)?;
    if !strangers.is_empty() {
        note(&format!(
            "{} of other studies in {}, for example {}: left as they are",
            counted(strangers.len(), "run"),
            escape(results).whole(),
            escape(strangers.first().map_or("", String::as_str))
        ));
    }
    Ok(path)
}

fn bar(runs: usize) -> Option<ProgressBar> {
    std::io::stderr().is_terminal().then(|| {
        let style =
            ProgressStyle::with_template("{wide_bar:.cyan/dim} {pos}/{len} [{elapsed}<{eta}]");
        ProgressBar::new(runs as u64)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    })
}

/// What there is in the end.
fn summary(plan: &Plan, results: &Path, tally: &Tally) -> String {
    let counts = counts(&status(plan, results));
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
    let next = format!("rut report {} --out report", shell_word(results));
    format!(
        "{}{failed}\n\n{}\n\nnext: {next}",
        columns(&rows),
        escape(results).whole()
    )
}
