//! `rut sweep status`: the status of a study's runs.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::Result;
use rut_formats::escape;
use rut_record::{NetworkKind, Plan, RunSpec};
use rut_study::sweep::state::{counts, status, RUN_STATES};
use rut_study::sweep::{RunState, RunStatus};
use serde::Serialize;

use super::outcome::failures;
use crate::args::StatusArgs;
use crate::exit::Usage;
use crate::layers::{resolve_study, variables};
use crate::output::{json, result};
use crate::table::columns;

/// What is printed with `--json`.
#[derive(Serialize)]
struct Status<'a> {
    title: &'a str,
    results: &'a Path,
    counts: BTreeMap<&'static str, usize>,
    runs: &'a [RunStatus],
}

/// Prints it.
pub fn run(args: &StatusArgs) -> Result<()> {
    let (plan, results) = plan(args)?;
    let runs = status(&plan, &results);
    if args.json {
        let found = counts(&runs);
        return json(&Status {
            title: &plan.heading.title,
            results: &results,
            counts: RUN_STATES
                .iter()
                .map(|(state, name)| (*name, found.get(state).copied().unwrap_or(0)))
                .collect(),
            runs: &runs,
        });
    }
    let failed = runs.iter();
    let failed = failed.filter_map(|run| Some((run.run_id.as_str(), run.error.as_deref()?)));
    let text = format!("{}{}", table(&plan, &runs), failures(failed));
    let title = match plan.heading.title.as_str() {
        "" => String::new(),
        title => format!("{}\n\n", escape(title)),
    };
    result(&format!("{title}{text}\n\n{}", escape(&results).whole()))
}

/// The plan, and where its runs are: computed again from a study's file, or read from a folder of results.
fn plan(args: &StatusArgs) -> Result<(Plan, PathBuf)> {
    let of = &args.of;
    if of.is_dir() {
        return Ok((Plan::read_all(of)?, of.clone()));
    }
    if of.extension().is_some_and(|kind| kind == "jsonl") {
        let plan = Plan::read(of)?;
        let results = plan.heading.locations.results_path.clone();
        return Ok((plan, results));
    }
    let study = resolve_study(of, &args.study, &variables()).map_err(Usage)?;
    let plan = study.runs()?.plan();
    let results = plan.heading.locations.results_path.clone();
    Ok((plan, results))
}

/// Counts by data set, method and network, and of all.
fn table(plan: &Plan, runs: &[RunStatus]) -> String {
    let (mut groups, mut positions) =
        (Vec::<([String; 3], Vec<&RunStatus>)>::new(), HashMap::new());
    for (planned, status) in plan.runs.iter().zip(runs) {
        let group = group(&planned.spec);
        let place = *positions.entry(group.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, members)) => members.push(status),
            None => groups.push((group, vec![status])),
        }
    }
    let names = ["data set", "method", "network"].into_iter();
    let states = RUN_STATES.iter().map(|(_, name)| *name);
    let mut rows = vec![names.chain(states).map(str::to_owned).collect::<Vec<_>>()];
    for (group, members) in &groups {
        rows.push([group.to_vec(), cells(members.iter().copied())].concat());
    }
    let all = ["all", "", ""].map(str::to_owned).to_vec();
    rows.push([all, cells(runs)].concat());
    columns(&rows)
}

fn cells<'a>(runs: impl IntoIterator<Item = &'a RunStatus>) -> Vec<String> {
    let counts = counts(runs);
    let of = |state: &RunState| counts.get(state).copied().unwrap_or(0);
    RUN_STATES
        .iter()
        .map(|(state, _)| of(state).to_string())
        .collect()
}

fn group(spec: &RunSpec) -> [String; 3] {
    let method = spec.method_title(" ");
    let network = match (spec.network.kind, &spec.network.recipe) {
        (NetworkKind::Dense, None) => "dense".to_owned(),
        (NetworkKind::Dense, Some(recipe)) => format!("dense, {recipe}"),
        (kind, _) => match &spec.network.checkpoint {
            None if kind == NetworkKind::Quantized => spec.network.quantized_title(),
            None => format!("ticket {}", spec.network.state()),
            Some(path) => path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
        },
    };
    let precision = spec.network.precision_suffix();
    [
        spec.data.dataset.clone(),
        method,
        format!("{} {network}{precision}", spec.network.model),
    ]
}
