//! A source network without adaptation: its accuracy and calibration on its own source data, what is written down of them,
//! and its features.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use rut_adapt::{
    Extracted, Extractor, FeatureMatrix, Observer, Pass, Reporter, TrainingState, serialize,
};
use rut_data::{ImageSet, Transform};
use rut_models::ModelSpec;
use rut_record::{FeatureType, Locations, Phase, RunSpec, SplitScores, score, write_whole};

use crate::error::{Result, refused};
use crate::files::open_dataset;
use crate::images::prepare;
use crate::network::LoadedNetwork;

/// The images that a network is scored on without adaptation, and how many classes they have: the test images of a data
/// set; of a folder of class folders without `train` above them, all images.
///
/// # Errors
/// If the data set is unknown or missing, or a class is.
pub fn source_images(spec: &RunSpec, locations: &Locations) -> Result<(ImageSet, usize)> {
    let folder = Path::new(&spec.data.dataset);
    let whole = rut_data::find(&spec.data.dataset).is_none()
        && folder.is_dir()
        && !folder.join("train").is_dir();
    if whole && spec.data.classes.is_empty() {
        let (classes, images) = rut_data::open_class_folders(folder)?;
        return Ok((images, classes.len()));
    }
    let dataset = open_dataset(spec, locations)?;
    Ok((dataset.test, dataset.class_names.len()))
}

/// Figures of a network on `images` of its own source data, which have `classes` classes.
///
/// # Errors
/// If the images do not have the network's classes, or one cannot be read.
pub fn upstream(
    model: &ModelSpec,
    network: &LoadedNetwork,
    images: &ImageSet,
    classes: usize,
    transform: &Transform,
    observer: &mut dyn Observer,
) -> Result<SplitScores> {
    let expected = network.network.classes();
    if expected != classes {
        return Err(refused(
            "dataset",
            format!(
                "the source data of {} ({}, {expected} classes)",
                model.name,
                model.upstream.name()
            ),
            format!("{classes} classes"),
        ));
    }
    let extracted = source_features(network, images, transform, observer)?;
    let logits = extracted.source_logits(images.labels());
    Ok(score(&logits, None, "test")?)
}

/// Features and logits of `images`.
///
/// # Errors
/// If there are no images, or one cannot be read.
pub fn source_features(
    network: &LoadedNetwork,
    images: &ImageSet,
    transform: &Transform,
    observer: &mut dyn Observer,
) -> Result<Extracted> {
    if images.is_empty() {
        let (expected, found) = ("images".to_owned(), "none".to_owned());
        return Err(refused("dataset", expected, found));
    }
    let images = prepare(images, transform)?;
    let extractor = Extractor {
        network: &*network.network,
        normalization: network.normalization,
        kept: FeatureType::F32,
    };
    let pass = Pass {
        phase: Phase::Extract,
        step: 0,
        state: &TrainingState::default,
    };
    Ok(extractor.extract(&images, &pass, &mut Reporter::new(observer))?)
}

/// What is written of extracted images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrittenPart {
    /// Features and logits.
    All,
    /// Features alone: of a network without a classifier there is nothing else.
    Features,
}

/// Writes `features` (n × width), `logits` (n × source classes), if they are wanted, and, where the images have any, `labels`
/// (n) to a safetensors file. Its metadata entry `rut.extract` holds `text`.
///
/// # Errors
/// If the file cannot be written.
pub fn write_features(
    path: &Path,
    extracted: &Extracted,
    part: WrittenPart,
    labels: Option<&[u32]>,
    text: &str,
) -> Result<()> {
    let n = extracted.len();
    let tensor = |matrix: &FeatureMatrix| {
        Tensor::from_vec(matrix.to_f32(), (n, matrix.width()), &Device::Cpu)
            .map_err(rut_adapt::Error::from)
    };
    let mut tensors = BTreeMap::from([("features".to_owned(), tensor(&extracted.features)?)]);
    if part == WrittenPart::All {
        tensors.insert("logits".to_owned(), tensor(&extracted.logits)?);
    }
    if let Some(labels) = labels {
        let wide: Vec<i64> = labels.iter().map(|&label| label.into()).collect();
        let wide = Tensor::new(wide, &Device::Cpu).map_err(rut_adapt::Error::from)?;
        tensors.insert("labels".to_owned(), wide);
    }
    Ok(write_whole(
        path,
        &serialize(&tensors, "rut.extract", text)?,
    )?)
}
