//! The networks of a plan on their own source data, measured beside its runs for the report. No run depends on it.

use std::collections::BTreeSet;

use rut_adapt::Observer;
use rut_models::Classifier;
use rut_record::{Adaptation, DataSpec, Locations, Plan, ProbeSpec, RunSpec, UpstreamRecord};
use rut_run::{
    Computing, LoadOptions, UpstreamMeasurement, canonicalize, describe, find_model, load_named,
    source_images, weights_transform,
};

use crate::error::{Result, file};

/// How a network's measurement ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamOutcome {
    /// It was made and written down.
    Measured,
    /// Its record was there.
    Known,
}

/// The networks of `plan` whose source data is a data set of the table that `locations` have, each once: specifications of
/// them on that data.
pub fn upstreams(plan: &Plan, locations: &Locations) -> Vec<RunSpec> {
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for run in &plan.runs {
        let network = &run.spec.network;
        let input = (
            &network.precision,
            network.mean,
            network.std,
            network.interpolation,
        );
        if !known.insert(format!("{} {input:?}", network.weights_key())) {
            continue;
        }
        let Ok(model) = find_model(&network.model) else {
            continue;
        };
        let dataset = model.upstream.name();
        if !rut_data::is_there(dataset, &locations.data_dir) {
            continue;
        }
        let mut spec = RunSpec {
            data: DataSpec {
                dataset: dataset.to_owned(),
                ..DataSpec::default()
            },
            network: network.clone(),
            adaptation: Adaptation::Probe(ProbeSpec::default()),
            ..RunSpec::default()
        };
        canonicalize(&mut spec);
        found.push(spec);
    }
    found
}

/// Measures the network of `spec`, which is one of [`upstreams`], unless its record is among the results; writes it there as the
/// program of `commit`.
///
/// # Errors
/// If the network cannot be loaded or has other classes, an image cannot be read, `observer` stops it, or the record cannot be
/// written.
pub fn measure_upstream(
    spec: &RunSpec,
    locations: &Locations,
    commit: &str,
    observer: &mut dyn Observer,
) -> Result<UpstreamOutcome> {
    let options = LoadOptions {
        classifier: Classifier::Needed,
        ..LoadOptions::default()
    };
    let computing = Computing::of(spec, &locations.device)?;
    let (model, network) = load_named(spec, options, &computing)?;
    let (images, classes) = source_images(spec, locations)?;
    let transform = weights_transform(spec, model, None)?;
    let preprocessing = describe(images.depth(), &transform, network.normalization);
    let images_digest = images.digest()?.to_string();
    let results = &locations.results_path;
    let precision = spec.network.unusual_precision();
    let is_it = |record: &UpstreamRecord| {
        record.model == model.name
            && record.checkpoint == network.checkpoint
            && record.mask == network.mask
            && record.masking == spec.network.masking
            && record.precision.as_deref() == precision
            && record.images_digest == images_digest
            && record.preprocessing == preprocessing
    };
    let files = UpstreamRecord::files(results).map_err(file("look through", results))?;
    // One that cannot be read is measured again under its own name.
    let mut records = files
        .iter()
        .filter_map(|path| UpstreamRecord::read(path).ok());
    if records.any(|record| is_it(&record)) {
        return Ok(UpstreamOutcome::Known);
    }
    let measurement = UpstreamMeasurement {
        spec,
        model,
        network: &network,
        images: &images,
        classes,
        transform: &transform,
    };
    let scores = measurement.scores(observer)?;
    measurement.record(scores, commit)?.write(results)?;
    Ok(UpstreamOutcome::Measured)
}
