//! `rut extract`.

use std::path::Path;

use anyhow::{anyhow, Result};
use rut_data::{ImageSet, Transform};
use rut_formats::escape;
use rut_models::Classifier;
use rut_record::{Locations, RunSpec};
use serde::Serialize;

use crate::args::{ExtractArgs, ExtractPart, TransformChoice};
use crate::commands::upstream::{source, Source};
use crate::exit::Usage;
use crate::output::{json, note, result};
use crate::progress::Progress;
use rut_run::{
    describe, open_dataset, source_features, source_images, transform as probing_transform,
    weights_transform, write_features, WrittenPart,
};

/// The written file, as JSON.
#[derive(Serialize)]
struct Written {
    file: String,
    images: usize,
    width: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<usize>,
    labelled: bool,
}

/// Writes features and logits of a network over images.
pub fn run(args: &ExtractArgs) -> Result<()> {
    check_output(&args.output)?;
    let (classifier, part) = if args.features {
        (Classifier::Optional, WrittenPart::Features)
    } else {
        (Classifier::Needed, WrittenPart::All)
    };
    let source = source(&args.fields.settings, classifier)?;
    let (images, labelled) = images(&source.spec, &source.locations, args.part)?;
    let transform = transform(args, &source)?;
    let extracted = source_features(&source.network, &images, &transform, &mut Progress::new(0))?;
    let names: Vec<String> = (0..images.len()).map(|i| images.source(i)).collect();
    let text = format!(
        "{}\ncheckpoint {}\nmask {}\n{}\nimages\n{}\n",
        source.network.title,
        source.network.checkpoint,
        source.network.mask.as_deref().unwrap_or("none"),
        describe(images.depth(), &transform, source.network.normalization),
        names.join("\n")
    );
    write_features(
        &args.output,
        &extracted,
        part,
        labelled.then_some(images.labels()),
        &text,
    )?;
    let (file, n) = (args.output.display().to_string(), extracted.len());
    let width = extracted.features.width();
    let classes = (part == WrittenPart::All).then(|| extracted.logits.width());
    if args.json {
        return json(&Written {
            file,
            images: n,
            width,
            classes,
            labelled,
        });
    }
    let labels = if labelled {
        format!(", labels [{n}]")
    } else {
        String::new()
    };
    let logits = classes.map_or_else(String::new, |classes| format!(", logits [{n}, {classes}]"));
    let file = escape(&file).whole();
    result(&format!("{file}: features [{n}, {width}]{logits}{labels}"))
}

/// The transform of `rut lp`, or the one that the weights were published with.
fn transform(args: &ExtractArgs, source: &Source) -> Result<Transform> {
    let weights = args.weights.as_deref();
    let published = || anyhow::Ok(weights_transform(&source.spec, source.model, weights)?);
    let side = source.spec.probe().and_then(|probe| probe.first_resize);
    let side = side.map(|side| side as usize);
    let probing = probing_transform(&source.spec, source.model, side);
    match (args.transform, weights) {
        (Some(TransformChoice::Weights), _) | (None, Some(_)) => Ok(published()?),
        (Some(TransformChoice::Lp), _) => Ok(probing),
        (None, None) => {
            note(&format!(
                "images are resized as for `rut lp` ({}); --transform weights takes what the weights were published with ({}), \
                 as earlier versions did",
                probing.describe(),
                published()?.describe()
            ));
            Ok(probing)
        }
    }
}

/// What would fail at the end fails at the beginning.
fn check_output(output: &Path) -> Result<()> {
    let folder = output
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if output
        .extension()
        .is_none_or(|ending| ending != "safetensors")
    {
        return Err(Usage(anyhow!(
            "write {}: expected a name that ends in .safetensors",
            escape(output).whole()
        ))
        .into());
    }
    match folder {
        Some(folder) if !folder.is_dir() => Err(Usage(anyhow!(
            "write {}: there is no folder {}",
            escape(output).whole(),
            escape(folder).whole()
        ))
        .into()),
        _ => Ok(()),
    }
}

/// A part of a data set; of a folder of class folders, all images; of another folder, all images, without labels.
///
/// # Errors
/// If there are none, or the data set is unknown or missing.
pub fn images(
    spec: &RunSpec,
    locations: &Locations,
    part: ExtractPart,
) -> Result<(ImageSet, bool)> {
    let folder = Path::new(&spec.data.dataset);
    if rut_data::find(&spec.data.dataset).is_none() && folder.is_dir() && !has_folders(folder)? {
        let images = ImageSet::from_folder(folder).map_err(rut_run::Error::from)?;
        return Ok((images, false));
    }
    match part {
        ExtractPart::Train => Ok((open_dataset(spec, locations)?.train, true)),
        ExtractPart::Test => Ok((source_images(spec, locations)?.0, true)),
    }
}

fn has_folders(folder: &Path) -> Result<bool> {
    Ok(std::fs::read_dir(folder)?
        .flatten()
        .any(|entry| entry.path().is_dir()))
}
