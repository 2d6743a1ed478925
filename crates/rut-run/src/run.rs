//! One run from its checked specification to its record. `run_dir` knows its files, `rut-adapt` trains.

use std::collections::BTreeMap;

use rut_adapt::TrainingState;
use rut_data::Skipped;
use rut_formats::regular;
use rut_metrics::{Minimum, TemperatureFit};
use rut_record::logits_archive::write_splits;
use rut_record::{
    Cost, DataRecord, Environment, Existing, Locations, NetworkRecord, Record, RunDir, RunSpec,
    ShortClassRecord, SkippedRecord, SplitLogits, Tensorboard, TrainingRecord, UNFINISHED_REMEDY,
    fields, score, temperature, write_whole,
};

use crate::adaptation::{Adapted, TrainingContext, adapter};
use crate::announcement::announcement;
use crate::checked::CheckedRunSpec;
use crate::earlier_network::check_begun;
use crate::error::{Error, Result, broken, file};
use crate::finished::check_complete;
use crate::journal::{Display, Journal, Requests, SaveOptions};
use crate::network::{LoadOptions, LoadedNetwork, density_with_new_head, load_checked};
use crate::published::published_ece;
use crate::reliability;
use crate::tensorboard::BoardOptions;

/// What a run needs from the program around it.
pub struct Session<'a> {
    /// Shows the run to a person.
    pub display: &'a mut dyn Display,
    /// Requests to save or to stop.
    pub requests: &'a Requests,
    /// What to do with a folder that is there already.
    pub existing: Existing,
    /// Commit that the program was built from.
    pub commit: &'a str,
    /// Threads that compute.
    pub threads: usize,
}

/// Runs `run`, or finishes it, and gives its folder and record. A finished run that is resumed is left as it is.
///
/// # Errors
/// Whatever reading, training or writing meets; [`Error::Stopped`] after a request to stop.
pub fn run(
    run: &CheckedRunSpec,
    locations: &Locations,
    session: Session<'_>,
) -> Result<(RunDir, Record)> {
    let dir = run.dir(locations);
    dir.check_free(session.existing)?;
    // Before the folder is made: what fails here leaves nothing behind.
    let options = LoadOptions {
        rule: dir.key_rule(session.existing)?,
        ..LoadOptions::of(&run.spec)
    };
    let network = load_checked(run, options)?;
    run.check_mapped(network.classes)?;
    if session.existing == Existing::Resume {
        check_begun(run, &dir, locations)?;
    }
    let locked = dir.prepare(&run.begun(), session.existing)?;
    if let Some(warning) = locked.warning(dir.path()) {
        session.display.note(&warning);
    }
    if dir.is_finished() {
        let record = dir.read_record()?;
        let verification = check_complete(&dir, &record, run.model, &network)?;
        if let Some(note) = verification.note() {
            session.display.note(note);
        }
        session
            .display
            .note("the run is finished already: nothing to do");
        return Ok((dir, record));
    }
    let state = saved_state(&dir)?;
    let inspected = network.inspected(run.model);
    session.display.note(&announcement(run, &inspected));
    train(run, locations, session, dir, &network, state)
}

/// Trains, and writes everything down in `dir`; goes on from `state` if there is one.
fn train(
    run: &CheckedRunSpec,
    locations: &Locations,
    session: Session<'_>,
    dir: RunDir,
    network: &LoadedNetwork,
    state: Option<TrainingState>,
) -> Result<(RunDir, Record)> {
    let Session {
        display,
        requests,
        commit,
        threads,
        ..
    } = session;
    if let Some(state) = state.as_ref().filter(|state| state.has("step")) {
        display.resumed(state.number("step")?);
    }
    for note in network.keys.notes.iter().chain(&network.notes) {
        display.note(note);
    }
    let mut journal = Journal::open(
        &dir,
        state.as_ref(),
        display,
        SaveOptions {
            requests,
            save_interval: locations.save_interval(),
            engine: network.network.engine(),
            board: board_options(&run.spec, network, locations)?,
        },
    )?;
    let means = TrainingContext {
        run,
        locations,
        dir: &dir,
        network,
        state: state.as_ref(),
    };
    let adapted = adapter(&run.spec).adapt(&means, &mut journal);
    let adapted = adapted.map_err(|error| match error {
        Error::Adapt(rut_adapt::Error::Stopped { .. }) => Error::Stopped {
            dir: dir.path().into(),
        },
        error => error,
    })?;
    journal.sync()?;
    let engine = network.network.engine();
    let record = record(
        run,
        network,
        &adapted,
        Cost {
            data_dir: std::path::absolute(&locations.data_dir).ok(),
            ..journal.cost(threads)
        },
        Environment::current(commit, engine.name, engine.isa),
    )?;
    journal.finish(&record);
    let record = keep(&dir, &adapted, record, &journal)?;
    dir.forget_state()?;
    Ok((dir, record))
}

fn board_options(
    spec: &RunSpec,
    network: &LoadedNetwork,
    locations: &Locations,
) -> Result<Option<BoardOptions>> {
    if locations.tensorboard == Tensorboard::Off {
        return Ok(None);
    }
    Ok(Some(BoardOptions {
        source_classes: network.network.classes(),
        fields: fields(spec)?,
        specification: spec.to_toml()?,
    }))
}

fn saved_state(dir: &RunDir) -> Result<Option<TrainingState>> {
    let path = dir.state();
    if !path.exists() {
        return Ok(None);
    }
    let bytes = regular::read(&path, regular::WEIGHTS).map_err(file("read", &path))?;
    TrainingState::from_bytes(&bytes)
        .map(Some)
        .map_err(|e| broken(&path, format!("{e}; {UNFINISHED_REMEDY}")))
}

/// Writes everything, the record last, which gets the checksums of the rest.
fn keep(dir: &RunDir, adapted: &Adapted, record: Record, journal: &Journal<'_>) -> Result<Record> {
    let mut splits = vec![("test", &adapted.test)];
    splits.extend(
        adapted
            .validation
            .as_ref()
            .map(|logits| ("validation", logits)),
    );
    splits.extend(
        adapted
            .test_before_remap
            .as_ref()
            .map(|logits| ("test_before_remap", logits)),
    );
    write_splits(&dir.logits(), &splits)?;
    let (path, bytes) = &adapted.trained;
    write_whole(path, bytes)?;
    if let Some(picture) = &adapted.picture {
        write_whole(&dir.prompt_picture(), &rut_images::encode_png(picture)?)?;
    }
    let svg = reliability::svg(&record.test.raw, &record.run_id)?;
    write_whole(&dir.reliability(), svg.as_bytes())?;
    let record = Record {
        files: dir.checksums(record.spec.method())?,
        ..record
    };
    journal.check_events(&record.files)?;
    dir.write_record(&record)?;
    Ok(record)
}

fn record(
    run: &CheckedRunSpec,
    network: &LoadedNetwork,
    adapted: &Adapted,
    cost: Cost,
    environment: Environment,
) -> Result<Record> {
    let fitted = adapted.validation.as_ref().map(temperature).transpose()?;
    let (fit, temperature_intervals) = fitted.unzip();
    let at = fit.as_ref().map(|fit| fit.temperature);
    let all_right = adapted
        .validation
        .as_ref()
        .is_some_and(is_every_image_right);
    Ok(Record {
        format_version: Record::FORMAT_VERSION,
        run_id: run.id.to_string(),
        spec: run.spec.clone(),
        data: data_record(run, &adapted.preprocessing)?,
        network: network_record(run, network),
        training: TrainingRecord {
            notes: adapted
                .training
                .notes
                .iter()
                .cloned()
                .chain(
                    fit.as_ref()
                        .and_then(|fit| temperature_note(fit, all_right)),
                )
                .collect(),
            ..adapted.training.clone()
        },
        mapping: adapted.mapping.clone(),
        temperature: fit,
        temperature_intervals,
        test: score(&adapted.test, at, "test")?,
        test_before_remap: adapted
            .test_before_remap
            .as_ref()
            .map(|logits| score(logits, at, "test"))
            .transpose()?,
        validation: adapted
            .validation
            .as_ref()
            .map(|logits| score(logits, at, "validation"))
            .transpose()?,
        published_ece: published_ece(&run.spec, &adapted.test)?,
        files: BTreeMap::new(),
        environment,
        cost,
    })
}

fn data_record(run: &CheckedRunSpec, preprocessing: &str) -> Result<DataRecord> {
    let dataset = &run.dataset;
    let short = run
        .draw
        .short_classes
        .iter()
        .map(|&(class, found, wanted)| {
            let class = dataset.class_names[class as usize].clone();
            ShortClassRecord {
                class,
                found,
                wanted,
            }
        });
    Ok(DataRecord {
        name: dataset.name.clone(),
        class_names: dataset.class_names.clone(),
        train_digest: run.train.digest()?.to_string(),
        test_digest: dataset.test.digest()?.to_string(),
        validation_digest: run.validation.digest()?.to_string(),
        train_indices: run.draw.train.clone(),
        validation_indices: run.draw.validation.clone(),
        test_images: dataset.test.len(),
        labels_used: run.labels_used(),
        short_classes: short.collect(),
        skipped: dataset.skipped.iter().map(skipped_record).collect(),
        image_size: run.image_size,
        preprocessing: preprocessing.into(),
    })
}

fn skipped_record(skipped: &Skipped) -> SkippedRecord {
    SkippedRecord {
        part: skipped.part.to_owned(),
        image: skipped.image.clone(),
        problem: skipped.problem.clone(),
    }
}

fn network_record(run: &CheckedRunSpec, loaded: &LoadedNetwork) -> NetworkRecord {
    let density = &loaded.density;
    let overall = density.overall.value();
    let width = loaded.network.width();
    NetworkRecord {
        model: run.model.name.into(),
        checkpoint: loaded.checkpoint.clone(),
        mask: loaded.mask.clone(),
        density: overall,
        density_without_stem_and_classifier: density.without_stem_and_classifier.value(),
        density_adapted: if adapter(&run.spec).is_on_features() {
            density_with_new_head(density, width, run.targets())
        } else {
            overall
        },
        quantization: loaded.quantization.clone(),
        source_classes: loaded.classes,
        width,
        keys: Some(loaded.keys.clone()),
    }
}

/// Whether no logit of an image is above that of its class.
fn is_every_image_right(split: &SplitLogits) -> bool {
    let mut rows = split.values.chunks(split.classes).zip(&split.labels);
    rows.all(|(row, &label)| {
        let own = row.get(label as usize);
        own.is_some_and(|own| row.iter().all(|other| other <= own))
    })
}

/// A temperature that is no minimum means nothing: few validation images, all right, say so often, and logits like cosines.
fn temperature_note(fit: &TemperatureFit, all_right: bool) -> Option<String> {
    let why = match fit.minimum {
        Minimum::Inside => return None,
        Minimum::AtLower if all_right => {
            "every validation image is right, and no sharpness is enough"
        }
        Minimum::AtLower => "a smaller one would fit better: the logits differ by little",
        Minimum::AtUpper => "the validation logits are worse than saying nothing",
        Minimum::Flat => "the validation logits say nothing",
    };
    let t = fit.temperature.get();
    Some(format!(
        "the fitted temperature is no minimum ({why}): the figures at T = {t} mean little"
    ))
}

#[cfg(test)]
mod tests {
    use rut_metrics::Temperature;

    use super::*;

    #[test]
    fn only_where_all_validation_images_are_right_the_note_says_so() {
        let fit = TemperatureFit {
            temperature: Temperature::new(0.01).unwrap(),
            minimum: Minimum::AtLower,
            nll_before: 1.0,
            nll_after: 0.5,
            evaluations: 9,
        };
        let note = |labels: [u32; 2]| {
            let split = SplitLogits {
                values: vec![0.1, 0.2, 0.3, 0.3],
                labels: labels.to_vec(),
                classes: 2,
            };
            temperature_note(&fit, is_every_image_right(&split)).unwrap()
        };
        assert!(note([1, 0]).contains("every validation image is right"));
        let wrong = note([0, 0]);
        assert!(wrong.contains("a smaller one would fit better"), "{wrong}");
        assert!(wrong.ends_with("T = 0.01 mean little"), "{wrong}");
        let minimum = Minimum::Inside;
        assert_eq!(
            temperature_note(&TemperatureFit { minimum, ..fit }, true),
            None
        );
    }
}
