//! `rut upstream`, and what it shares with `rut extract`: a source network and images, without a run.

use anyhow::Result;
use rut_formats::escape;
use rut_models::{Classifier, ModelSpec};
use rut_record::{Locations, Method, RunSpec, Settings};
use rut_run::{
    canonicalize, check_transform, find_model, load_named, source_images, weights_transform,
    Computing, LoadOptions, LoadedNetwork, UpstreamMeasurement,
};

use crate::args::{LayerFlags, UpstreamArgs};
use crate::cached;
use crate::exit::Usage;
use crate::layers::{resolve, variables, Overrides};
use crate::output::{json, note, result};
use crate::progress::Progress;
use crate::table::{percent, scores};
use crate::{diagram, set_threads, COMMIT};

/// A network, and the specification that named it.
pub struct Source {
    /// The fields that name network and data set.
    pub spec: RunSpec,
    /// Where it reads and writes.
    pub locations: Locations,
    /// The model of the table.
    pub model: &'static ModelSpec,
    /// The network.
    pub network: LoadedNetwork,
}

/// The specification that flags of a network and of images make, and where it reads.
///
/// # Errors
/// If a flag is out of range or names what is not there.
pub fn named(flags: &Settings) -> Result<(RunSpec, Locations)> {
    let overrides = Overrides {
        flags,
        layers: &LayerFlags::default(),
    };
    let resolved = resolve(Method::Lp, overrides, &variables()).map_err(Usage)?;
    set_threads(resolved.locations.threads);
    let (mut spec, locations) = (resolved.spec, resolved.locations);
    let cached = cached::find(&mut spec, &variables()).map_err(Usage)?;
    cached.iter().for_each(|text| note(text));
    canonicalize(&mut spec);
    check_transform(&spec, find_model(&spec.network.model)?)?;
    Ok((spec, locations))
}

/// Finds and loads the network that the flags name.
///
/// # Errors
/// If it cannot be found or loaded.
pub fn source(flags: &Settings, classifier: Classifier) -> Result<Source> {
    let (spec, locations) = named(flags)?;
    let options = LoadOptions {
        classifier,
        ..LoadOptions::default()
    };
    let (model, network) = load_named(&spec, options, &Computing::of(&spec, &locations.device)?)?;
    note(&format!(
        "{}: {} of its weights kept",
        model.name, network.density.overall
    ));
    let notes = network.keys.notes.iter().chain(&network.notes);
    notes.for_each(|text| note(text));
    Ok(Source {
        spec,
        locations,
        model,
        network,
    })
}

/// Scores a network on its own source data.
pub fn run(args: &UpstreamArgs) -> Result<()> {
    let flags = &args.fields.settings;
    let Source {
        spec,
        locations,
        model,
        network,
    } = source(flags, Classifier::Needed)?;
    let own = model.upstream.name();
    if !flags.has("dataset") && rut_data::find(own).is_none() {
        let expected = format!(
            "a folder with the {} class folders of {own}",
            network.network.classes()
        );
        return Err(rut_record::Error::field("dataset", expected, "none").into());
    }
    let mut spec = spec;
    if !flags.has("dataset") {
        own.clone_into(&mut spec.data.dataset);
    }
    let (images, classes) = source_images(&spec, &locations)?;
    let transform = weights_transform(&spec, model, args.weights.as_deref())?;
    let measurement = UpstreamMeasurement {
        spec: &spec,
        model,
        network: &network,
        images: &images,
        classes,
        transform: &transform,
    };
    let found = measurement.scores(&mut Progress::new(0))?;
    if let Some(results) = &args.record {
        let record = measurement.record(found.clone(), COMMIT)?;
        note(&escape(&record.write(results)?).whole().to_string());
    }
    if args.json {
        return json(&found);
    }
    let head = format!(
        "{} on {}, {}",
        model.name,
        spec.data.dataset,
        transform.describe()
    );
    let precision = spec.network.precision_suffix();
    let top5 = format!("top-5 accuracy  {}", percent(found.raw.top5));
    result(&format!(
        "{head}{precision}\n\n{}\n{top5}\n\n{}",
        scores(&found, None, None),
        diagram::reliability(&found.raw)
    ))
}
