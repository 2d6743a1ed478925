//! `rut eval`.

use std::path::PathBuf;

use anyhow::Result;
use rut_record::{score, Locations};
use rut_run::{FinishedRun, Split, WeightPlaces};

use crate::args::{EvalArgs, PartChoice, TakenUpFlags};
use crate::output::{json, note, result};
use crate::progress::Progress;
use crate::{diagram, table};

/// Evaluates a finished run again.
pub fn run(args: &EvalArgs) -> Result<()> {
    let finished = open(&args.run, &args.taken_up)?;
    let locations = Locations {
        data_dir: data_dir(&finished, args.taken_up.data_dir.clone()),
        ..Locations::default()
    };
    let (split, name) = match args.part {
        PartChoice::Train => (Split::Train, "training"),
        PartChoice::Validation => (Split::Validation, "validation"),
        PartChoice::Test => (Split::Test, "test"),
    };
    let logits = finished.evaluate(split, &locations, &mut Progress::new(0))?;
    let fit = finished.record.temperature.as_ref();
    let scores = score(&logits, fit.map(|fit| fit.temperature), name)?;
    if args.taken_up.json {
        return json(&scores);
    }
    let doubt = finished.record.temperature_doubt();
    let figures = table::scores(&scores, fit, doubt.as_ref());
    let recorded = match args.part {
        PartChoice::Train => None,
        PartChoice::Validation => finished.record.validation.as_ref(),
        PartChoice::Test => Some(&finished.record.test),
    };
    let verdict = match recorded.map(|recorded| *recorded == scores) {
        Some(true) => "equal to the record",
        Some(false) => {
            "DIFFERENT from the record: another version, engine or instruction set, or an edited record"
        }
        None => "not in the record",
    };
    let head = format!("{}, {name} images: {verdict}", finished.record.run_id);
    result(&format!(
        "{head}\n\n{figures}\n\n{}",
        diagram::reliability(&scores.raw)
    ))
}

/// Where the run's data are: as said, else where the run found them.
fn data_dir(finished: &FinishedRun, given: Option<PathBuf>) -> PathBuf {
    let found = finished.record.cost.data_dir.clone();
    let found = found.filter(|found| found.is_dir());
    given
        .or(found)
        .unwrap_or_else(|| Locations::default().data_dir)
}

/// A finished run, with threads set.
pub fn open(dir: &std::path::Path, flags: &TakenUpFlags) -> Result<FinishedRun> {
    crate::set_threads(flags.threads);
    let weights = WeightPlaces {
        pretrained_dir: flags.pretrained_dir.clone(),
        checkpoint: flags.checkpoint.clone(),
        mask: flags.mask.clone(),
    };
    let finished = FinishedRun::open(dir, &weights, flags.engine.engine)?;
    if let Some(text) = finished.verification.note() {
        note(text);
    }
    Ok(finished)
}
