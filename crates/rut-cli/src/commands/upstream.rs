//! `rut upstream`, and what it shares with `rut extract`: a source network and images, without a run.

use anyhow::Result;
use rut_formats::escape;
use rut_models::{Classifier, ModelSpec};
use rut_record::{Environment, Method, Places, RunSpec, UpstreamRecord};
use rut_run::checked::settle;
use rut_run::images::describe;
use rut_run::names::find_model;
use rut_run::network::{load_named, How, LoadedNetwork};
use rut_run::transform::{check_transform, weights_transform};
use rut_run::upstream::{source_images, upstream};

use crate::args::{RunArgs, SourceArgs, UpstreamArgs};
use crate::exit::Usage;
use crate::layers::{resolve, variables};
use crate::output::{json, note, result};
use crate::progress::Progress;
use crate::table::{percent, scores};
use crate::{diagram, set_threads, COMMIT};

/// A network, and the specification that named it.
pub struct Source {
    /// The fields that name network and data set.
    pub spec: RunSpec,
    /// Where.
    pub places: Places,
    /// The model of the table.
    pub model: &'static ModelSpec,
    /// The network.
    pub network: LoadedNetwork,
}

/// Finds and loads the network that the flags name.
///
/// # Errors
/// If it cannot be found or loaded.
pub fn source(args: &SourceArgs, classifier: Classifier) -> Result<Source> {
    let run = RunArgs {
        data: args.data.clone(),
        network: args.network.clone(),
        transform: args.transform.clone(),
        engine: args.engine,
        ..RunArgs::default()
    };
    let resolved = resolve(Method::Lp, &run, &variables()).map_err(Usage)?;
    set_threads(args.threads.or(resolved.places.threads));
    let (mut spec, places) = (resolved.spec, resolved.places);
    settle(&mut spec);
    check_transform(&spec, find_model(&spec.model)?)?;
    let how = How {
        classifier,
        ..How::default()
    };
    let (model, network) = load_named(&spec, how)?;
    note(&format!(
        "{}: {} of its weights kept",
        model.name, network.density.overall
    ));
    let notes = network.keys.notes.iter().chain(&network.notes);
    notes.for_each(|text| note(text));
    Ok(Source {
        spec,
        places,
        model,
        network,
    })
}

/// Scores a network on its own source data.
pub fn run(args: &UpstreamArgs) -> Result<()> {
    let UpstreamArgs {
        source: args,
        recipe,
        record,
    } = args;
    let Source {
        spec,
        places,
        model,
        network,
    } = source(args, Classifier::Needed)?;
    let own = model.upstream.name();
    if args.data.dataset.is_none() && rut_data::find(own).is_none() {
        let expected = format!(
            "a folder with the {} class folders of {own}",
            network.network.classes()
        );
        return Err(rut_record::Error::field("dataset", expected, "none").into());
    }
    let dataset = args.data.dataset.clone().unwrap_or_else(|| own.to_owned());
    let spec = RunSpec { dataset, ..spec };
    let (images, classes) = source_images(&spec, &places)?;
    let transform = weights_transform(&spec, model, args.weights.as_deref())?;
    let found = upstream(
        model,
        &network,
        (&images, classes),
        &transform,
        &mut Progress::new(0),
    )?;
    if let Some(results) = record {
        let engine = network.network.engine();
        let record = UpstreamRecord {
            format_version: UpstreamRecord::FORMAT_VERSION,
            model: model.name.into(),
            checkpoint: network.checkpoint.clone(),
            mask: network.mask.clone(),
            masking: spec.masking,
            recipe: recipe.recipe.clone(),
            density: network.density.overall.value(),
            dataset: spec.dataset.clone(),
            images_digest: images.digest()?.to_string(),
            preprocessing: describe(images.depth(), &transform, network.normalization),
            scores: found.clone(),
            environment: Environment::current(COMMIT, engine.name, engine.isa),
        };
        note(&escape(&record.write(results)?).whole().to_string());
    }
    if args.json {
        return json(&found);
    }
    let head = format!(
        "{} on {}, {}",
        model.name,
        spec.dataset,
        transform.describe()
    );
    let top5 = format!("top-5 accuracy  {}", percent(found.raw.top5));
    result(&format!(
        "{head}\n\n{}\n{top5}\n\n{}",
        scores(&found, None, None),
        diagram::reliability(&found.raw)
    ))
}
