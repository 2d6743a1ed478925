//! A run that differs from a finished one only in how an ECE is taken: its files are that one's, and its record is but
//! for that figure. Nothing is trained twice for a formula.

use std::path::Path;

use rut_formats::regular;
use rut_models::EngineInfo;
use rut_record::{
    Cost, EceSpec, Places, Record, RunDir, RunId, RunSpec, SplitLogits, logits_archive, write_whole,
};

use crate::checked::CheckedRunSpec;
use crate::error::{Result, file};
use crate::published::published_ece;
use crate::reliability;

/// The record of `run`, made in its folder `dir` from those of the same run with the usual ECE alone, if that is finished
/// in the same results and was computed by `engine`, in this version.
///
/// # Errors
/// If a file cannot be read or written. Where the other run's folder lacks something, there is none.
pub(super) fn rescored(
    run: &CheckedRunSpec,
    places: &Places,
    dir: &RunDir,
    engine: EngineInfo,
) -> Result<Option<Record>> {
    let twin = RunSpec {
        ece: EceSpec::default(),
        ..run.spec.clone()
    };
    if twin == run.spec {
        return Ok(None);
    }
    let id = RunId::new(&twin, &run.content)?;
    let twin = RunDir::at(places.results_path.join(id.as_str()));
    let Ok(record) = twin.read_record() else {
        return Ok(None);
    };
    let made = &record.environment;
    let same = made.engine == engine.name
        && made.isa == engine.isa
        && made.rut == env!("CARGO_PKG_VERSION")
        && record.cost.other_means.is_empty()
        && twin
            .kept(run.spec.method())
            .iter()
            .all(|path| path.exists())
        && twin.check_files(&record).is_ok()
        && record.run_id == id.as_str();
    let Some(test) = same.then(|| test_logits(&twin)).flatten() else {
        return Ok(None);
    };
    let record = Record {
        run_id: run.id.to_string(),
        spec: run.spec.clone(),
        published_ece: published_ece(&run.spec, &test)?,
        cost: Cost {
            threads: record.cost.threads,
            ..Cost::default()
        },
        ..record
    };
    let method = run.spec.method();
    for (from, to) in [
        (twin.logits(), dir.logits()),
        (twin.events(), dir.events()),
        (twin.trained(method), dir.trained(method)),
        (twin.prompt_picture(), dir.prompt_picture()),
    ] {
        copy(&from, &to)?;
    }
    let svg = reliability::svg(&record.test.raw, &record.run_id)?;
    write_whole(&dir.reliability(), svg.as_bytes())?;
    let record = Record {
        files: dir.checksums(method)?,
        ..record
    };
    dir.write_record(&record)?;
    Ok(Some(record))
}

fn test_logits(twin: &RunDir) -> Option<SplitLogits> {
    logits_archive::read(&twin.logits(), Some("test"))
        .ok()?
        .into_split()
}

/// A probe has no picture, and neither have prompts of earlier versions.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.exists() {
        return Ok(());
    }
    let bytes = regular::read(from, regular::WEIGHTS).map_err(file("read", from))?;
    Ok(write_whole(to, &bytes)?)
}
