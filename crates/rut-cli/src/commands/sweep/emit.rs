//! `rut sweep emit`: a study as the scripts of a job array. For their text, see `rut-study`.

use std::path::{absolute, Path};

use anyhow::{Context, Result};
use rut_formats::{counted, escape, shell_word};
use rut_record::write_whole;
use rut_study::sweep::slurm::scripts;
use rut_study::sweep::{Extraction, SlurmSite};

use crate::args::EmitArgs;
use crate::exit::Usage;
use crate::layers::{resolve_study, variables};
use crate::output::{note, result};

/// Writes plan and scripts, and says how to queue them.
pub fn run(args: &EmitArgs) -> Result<()> {
    let study = resolve_study(&args.file, &args.study, &variables()).map_err(Usage)?;
    let study_runs = study.runs()?;
    let plan = study_runs.plan();
    let folder = absolute(&args.output).context("find the folder of the scripts")?;
    let results = absolute(&plan.heading.locations.results_path).context("find the results")?;
    let mut options = args.options();
    options.report = options.report.map(absolute).transpose()?;
    let scripts = scripts(
        &options,
        &SlurmSite {
            title: &study.title,
            binary: &std::env::current_exe().context("find the program itself")?,
            working_folder: &std::env::current_dir().context("find the working folder")?,
            folder: &folder,
            results: &results,
            runs: plan.runs.len(),
            extractions: Extraction::of(&plan).len(),
        },
    )?;
    make(&folder.join("logs"))?;
    plan.write(&folder.join("plan.jsonl"))?;
    // Also next to the results, where a user looks for missing runs.
    plan.keep(&results)?;
    study_runs.forget_stand_ins()?;
    for script in &scripts {
        write_whole(&folder.join(script.name), script.text.as_bytes())?;
    }
    let unable = study_runs.runs.iter().filter(|run| run.extent.is_err());
    match unable.count() {
        0 => {}
        count => note(&format!(
            "{} cannot run as things stand: `rut sweep run --dry-run` says why",
            counted(count, "run")
        )),
    }
    note(&format!(
        "{} in {} of {}",
        counted(plan.runs.len(), "run"),
        counted(options.tasks(plan.runs.len()), "task"),
        options.runs_per_task(plan.runs.len())
    ));
    result(&format!("bash {}", shell_word(&folder.join("submit.sh"))))
}

fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("make the folder {}", escape(folder).whole()))
}
