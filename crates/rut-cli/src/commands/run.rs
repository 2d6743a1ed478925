//! `rut lp` and `rut vp`.

use std::path::Path;

use anyhow::Result;
use rut_formats::{escape, shell_word};
use rut_record::{Existing, Locations, Method, Record, RunDir, RunSpec};
use rut_run::{
    announcement, as_begun, check, check_earlier_name, inspect_named, parse_switches, window,
    CheckedRunSpec, LoadOptions, Session, Switch,
};

use crate::args::{RunCommand, SessionFlags};
use crate::exit::Usage;
use crate::layers::{published, resolve, variables, Overrides, Resolved};
use crate::output::{json, note, result};
use crate::progress::Progress;
use crate::{cached, diagram, system, table, COMMIT};

/// Runs, or with `--dry-run` says what would be run.
pub fn run(command: &RunCommand) -> Result<()> {
    let (method, args) = (command.method, &command.flags);
    let overrides = Overrides {
        flags: &command.fields,
        layers: &args.layers,
    };
    let Resolved {
        mut spec,
        locations,
        quickstart,
        names_dataset,
    } = resolve(method, overrides, &variables()).map_err(Usage)?;
    let cached = cached::find(&mut spec, &variables()).map_err(Usage)?;
    cached.iter().for_each(|text| note(text));
    if !names_dataset {
        note(&format!("no --dataset: the default, {}", spec.data.dataset));
    }
    let list = args.published.as_published.as_deref();
    let spec = published(spec, list).map_err(Usage)?;
    explain(&args.session, quickstart);
    if let Some(list) = list {
        note(&as_published(&spec, list)?);
    }
    let threads = crate::set_threads(locations.threads);
    let spec = if args.session.resume {
        as_begun(spec, &locations)?
    } else {
        spec
    };
    let checked = check(spec, &locations)?;
    if args.session.dry_run {
        return dry_run(&checked, &locations);
    }
    if args.session.resume {
        let dir = checked.dir(&locations);
        if !dir.path().exists() {
            check_earlier_name(&checked, &locations)?;
            note(&format!(
                "nothing to resume in {}: a new run begins",
                escape(dir.path()).whole()
            ));
        }
    }
    let requests = system::requests()?;
    let mut display = Progress::new(checked.loop_options().epochs);
    let session = Session {
        display: &mut display,
        requests: &requests,
        existing: existing(&args.session),
        commit: COMMIT,
        threads,
    };
    let (dir, record) = rut_run::run(&checked, &locations, session)?;
    drop(display);
    show(&dir, &record, &args.session)?;
    if quickstart {
        note(&next_steps(&checked.spec, dir.path()));
    }
    Ok(())
}

fn existing(flags: &SessionFlags) -> Existing {
    match (flags.resume, flags.overwrite) {
        (true, _) => Existing::Resume,
        (_, true) => Existing::Overwrite,
        _ => Existing::Refuse,
    }
}

/// Says what flags of the reference mean here.
fn explain(flags: &SessionFlags, quickstart: bool) {
    if flags.wandb.is_some() {
        note("--wandb: rut writes every step to events.jsonl in the run's folder and talks to no service; the flag changes nothing (experiments/replay_to_wandb.py replays a run)");
    }
    if flags.caltech_path.is_some() {
        note("--caltech_path: data sets are looked for below --data-dir; the flag changes nothing");
    }
    if quickstart {
        note("no data set and no network named: this is the quickstart, on the bundled digits and networks");
    }
}

/// What is done as the reference does it, a line for each switch that concerns the run.
fn as_published(spec: &RunSpec, list: &str) -> Result<String> {
    let mut text = "as published, to measure it:".to_owned();
    for switch in parse_switches(list)? {
        let idle = if (switch.concerns)(spec) {
            ""
        } else {
            " (does not concern this run)"
        };
        let Switch {
            name,
            defect,
            about,
            ..
        } = switch;
        text.push_str(&format!("\n  {name} ({defect}): {about}{idle}"));
    }
    Ok(text)
}

fn show(dir: &RunDir, record: &Record, flags: &SessionFlags) -> Result<()> {
    if flags.json {
        return json(record);
    }
    let diagram = diagram::reliability(&record.test.raw);
    result(&format!(
        "\n{}\n\n{diagram}\n\n{}",
        table::record(record),
        escape(dir.path()).whole()
    ))
}

fn dry_run(run: &CheckedRunSpec, locations: &Locations) -> Result<()> {
    let mask = run.files.mask.as_deref().map_or_else(
        || "none".to_owned(),
        |mask| escape(mask).whole().to_string(),
    );
    // The files are read as a run would read them: a wrong one is found here and not only there.
    let found = inspect_named(&run.spec, LoadOptions::of(&run.spec))?;
    run.check_mapped(found.classes)?;
    let notes = found.keys.notes.iter().chain(&found.notes);
    notes.for_each(|text| note(text));
    let window = window(run)?.map_or_else(String::new, |window| format!("\n# window     {window}"));
    result(&format!(
        "{}\n# run id      {}\n# folder      {}\n# checkpoint  {}\n# mask        {mask}\n# kept        {}\n# {}{window}",
        run.spec.to_toml()?.trim_end(),
        run.id,
        escape(run.dir(locations).path()).whole(),
        escape(&run.files.checkpoint).whole(),
        found.density.overall,
        announcement(run, &found).replace('\n', "\n# "),
    ))
}

fn next_steps(spec: &RunSpec, dir: &Path) -> String {
    let (dir, method) = (shell_word(dir), spec.method());
    let precision = spec.network.unusual_precision();
    let precision = precision.map_or_else(String::new, |name| format!(" --precision {name}"));
    let other = Method::ALL.into_iter().find(|other| *other != method);
    let other = other.unwrap_or(method);
    let (name, title) = (other.name(), other.title());
    let same = format!("rut {name}{precision}");
    let dense = format!("rut {} --sparsity 0{precision}", method.name());
    format!(
        "\nTry next:\n  {same:38}{title} of the same ticket\n  {dense:38}the dense network instead\n  rut eval {dir}\n  \
         rut {name} --dataset FOLDER --model resnet50 --network dense --checkpoint FILE --n-shot 16{precision}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_try_next_keeps_the_precision() {
        let next = |toml: &str| next_steps(&RunSpec::from_toml(toml).unwrap(), Path::new("r"));
        let text = next("method = 'lp'");
        assert!(text.contains("\n  rut lp --sparsity 0  ") && !text.contains("--precision"));
        let text = next("method = 'lp'\nprecision = 'bf16'");
        for words in [
            "\n  rut vp --precision bf16  ",
            "\n  rut lp --sparsity 0 --precision bf16  ",
            "--n-shot 16 --precision bf16",
        ] {
            assert!(text.contains(words), "{text}");
        }
    }
}
