//! `rut sweep run --dry-run`: how many runs there are, their status, and how long the rest will take.

use std::collections::BTreeMap;

use anyhow::Result;
use rut_formats::{counted, escape};
use rut_study::sweep::state::{counts, status, RUN_STATES};
use rut_study::sweep::{estimate, Estimate, RunState, RunStatus, Study, StudyRun, StudyRuns};

use super::resources::Resources;
use crate::output::result;
use crate::table::columns;

/// Of an axis with more values, only this many are listed, with the total.
const LONG: usize = 50;
const SHOWN: usize = 10;

/// Prints it.
pub fn show(study: &Study, study_runs: &StudyRuns, resources: Resources) -> Result<()> {
    let results = &study_runs.heading.locations.results_path;
    let states = status(&study_runs.plan(), results);
    let mut parts = Vec::new();
    if !study.title.is_empty() {
        parts.push(escape(&study.title).to_string());
    }
    parts.push(axes(study, study_runs));
    parts.push(tally(&states));
    parts.extend(obstacles(study_runs));
    let left: Vec<&StudyRun> = study_runs
        .runs
        .iter()
        .zip(&states)
        .filter(|(_, status)| status.state != RunState::Done)
        .map(|(run, _)| run)
        .collect();
    let estimate = estimate(&left, results);
    parts.push(time(&estimate, left.len(), resources));
    parts.push(format!("results: {}", escape(&results).whole()));
    result(&parts.join("\n\n"))
}

/// Runs, and how many have each value of each axis. A run for which an axis means nothing counts at its first value.
fn axes(study: &Study, study_runs: &StudyRuns) -> String {
    let mut rows = vec![["axis", "value", "runs"].map(str::to_owned).to_vec()];
    for (place, axis) in study.axes.iter().enumerate() {
        let mut counts = vec![0usize; axis.values.len()];
        for run in &study_runs.runs {
            let value = run.values.get(place);
            if let Some(count) = value.and_then(|&value| counts.get_mut(value)) {
                *count += 1;
            }
        }
        // Thousands of lines would be useless.
        let shown = if counts.len() > LONG {
            SHOWN
        } else {
            counts.len()
        };
        for (index, (value, count)) in axis.values.iter().zip(&counts).take(shown).enumerate() {
            let name = if index == 0 { axis.name.as_str() } else { "" };
            rows.push(vec![name.into(), value.label.clone(), count.to_string()]);
        }
        if shown < counts.len() {
            let rest = counts.iter().skip(shown).sum::<usize>();
            let others = format!("and {} more", counts.len() - shown);
            rows.push(vec![String::new(), others, rest.to_string()]);
        }
    }
    format!(
        "{}\n\n{}",
        counted(study_runs.runs.len(), "run"),
        columns(&rows)
    )
}

fn tally(states: &[RunStatus]) -> String {
    let counts = counts(states);
    let counts = RUN_STATES.iter().map(|(state, name)| {
        let count = counts.get(state).copied().unwrap_or(0);
        vec![(*name).to_owned(), count.to_string()]
    });
    let head = vec!["state".to_owned(), "runs".to_owned()];
    columns(&std::iter::once(head).chain(counts).collect::<Vec<_>>())
}

/// What keeps runs from running as things stand, and how many.
fn obstacles(study_runs: &StudyRuns) -> Option<String> {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for run in &study_runs.runs {
        if let Err(error) = &run.extent {
            *found.entry(error).or_default() += 1;
        }
    }
    let lines: Vec<String> = found
        .iter()
        .map(|(error, count)| format!("{count} would fail to {error}"))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn time(estimate: &Estimate, left: usize, resources: Resources) -> String {
    if left == 0 {
        return "nothing is left to run".into();
    }
    if estimate.unknown == left {
        return format!(
            "no estimate for {}: none of them can run as things stand",
            counted(left, "run")
        );
    }
    let seconds = estimate.thread_seconds / resources.threads as f64;
    let time = match seconds {
        ..60.0 => format!("about {seconds:.0} seconds"),
        _ => format!("about {:.2} hours", seconds / 3600.0),
    };
    let sources = [
        (estimate.recorded, "by finished runs of the same network"),
        (estimate.borrowed, "by other weights of the same model"),
        (
            estimate.assumed,
            "assumed from the network's operations, to about a factor of 3",
        ),
        (estimate.unknown, "unknown and not counted"),
    ];
    let sources: Vec<String> = sources
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, source)| format!("{source}: {count}"))
        .collect();
    format!(
        "{time} for {}, {} at a time, {} in all (rates, runs: {})",
        counted(left, "run"),
        resources.jobs,
        counted(resources.threads, "thread"),
        sources.join("; ")
    )
}
