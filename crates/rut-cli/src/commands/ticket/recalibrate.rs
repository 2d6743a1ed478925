//! Recalibrates the batch norms of a pruned network on images of a data set or a folder.

use std::collections::BTreeMap;

use anyhow::{anyhow, Result};
use rut_data::{ImageSet, Seed};
use rut_models::{Array, Weights};
use rut_run::{describe, normalization, weights_transform, CalibrationInput};

use super::about::Recalibrated;
use super::source::Network;
use crate::args::{ExtractPart, RecalibrateFlags};
use crate::commands::extract::images;
use crate::exit::Usage;
use crate::output::note;

/// Whether the flags are in range.
///
/// # Errors
/// If one is 0.
pub fn check(flags: &RecalibrateFlags) -> Result<()> {
    let counts = [
        ("--recalibrate-images", flags.recalibrate_images),
        ("--recalibrate-batch", flags.recalibrate_batch),
    ];
    match counts.iter().find(|(_, count)| *count == 0) {
        Some((flag, _)) => {
            Err(Usage(anyhow!("read `{flag}`: expected at least 1 image, found 0")).into())
        }
        None => Ok(()),
    }
}

/// Puts new statistics into `arrays`; says what they were estimated on.
///
/// # Errors
/// If the network has no batch norm, or an image cannot be read.
pub fn recalibrate(
    network: &Network,
    arrays: &mut BTreeMap<String, Array>,
    flags: &RecalibrateFlags,
    seed: u64,
) -> Result<Recalibrated> {
    let (spec, model, graph) = (&network.spec, network.model, &network.graph);
    let weights = with_classifier(network, arrays)?;
    let (all, _) = images(spec, &network.locations, ExtractPart::Train)?;
    let drawn = drawn(&all, flags.recalibrate_images, seed, "recalibration");
    let input = CalibrationInput {
        transform: weights_transform(spec, model, None)?,
        normalization: normalization(spec, model),
        batch_size: flags.recalibrate_batch,
    };
    arrays.extend(rut_run::recalibrate(graph, &weights, &drawn, &input)?);
    Ok(Recalibrated {
        dataset: spec.data.dataset.clone(),
        images: drawn.len(),
        digest: drawn.digest().map_err(rut_run::Error::from)?.to_string(),
        batch_size: flags.recalibrate_batch,
        seed,
        preprocessing: describe(drawn.depth(), &input.transform, input.normalization),
    })
}

/// The weights for a pass; a classifier that the files do not have is zeros, and changes nothing before it.
///
/// # Errors
/// If `arrays` are not the network's.
pub fn with_classifier(network: &Network, arrays: &BTreeMap<String, Array>) -> Result<Weights> {
    let mut arrays = arrays.clone();
    for parameter in network.graph.parameters() {
        arrays.entry(parameter.name).or_insert_with(|| Array {
            data: vec![0.0; parameter.shape.iter().product()],
            shape: parameter.shape,
        });
    }
    let weights = Weights::from_arrays(&network.graph, arrays);
    Ok(weights.map_err(rut_run::Error::from)?)
}

/// `count` images in a random order, so that a batch holds many classes, by a stream of the seed; all where there are fewer.
pub fn drawn(all: &ImageSet, count: usize, seed: u64, stream: &str) -> ImageSet {
    let mut order = Seed(seed).stream(stream).permutation(all.len());
    if order.len() < count {
        note(&format!(
            "there are {} images, fewer than the {count} asked for: all are used",
            order.len()
        ));
    }
    order.truncate(count);
    all.select(&order)
}
