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
use rut_record::{
    Environment, FeatureType, Locations, Phase, RunSpec, SplitScores, UpstreamRecord, score,
    write_whole,
};

use crate::error::{Result, refused};
use crate::files::open_dataset;
use crate::images::{describe, prepare};
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

/// A network, and images of its own source data to score it on without adaptation.
pub struct UpstreamMeasurement<'a> {
    /// The fields that name them.
    pub spec: &'a RunSpec,
    /// The model of the table.
    pub model: &'a ModelSpec,
    /// The network.
    pub network: &'a LoadedNetwork,
    /// The images.
    pub images: &'a ImageSet,
    /// How many classes they have.
    pub classes: usize,
    /// What they are transformed by.
    pub transform: &'a Transform,
}

impl UpstreamMeasurement<'_> {
    /// Figures of the network on the images.
    ///
    /// # Errors
    /// If the images do not have the network's classes, or one cannot be read.
    pub fn scores(&self, observer: &mut dyn Observer) -> Result<SplitScores> {
        let expected = self.network.network.classes();
        if expected != self.classes {
            return Err(refused(
                "dataset",
                format!(
                    "the source data of {} ({}, {expected} classes)",
                    self.model.name,
                    self.model.upstream.name()
                ),
                format!("{} classes", self.classes),
            ));
        }
        let extracted = source_features(self.network, self.images, self.transform, observer)?;
        let logits = extracted.source_logits(self.images.labels());
        Ok(score(&logits, None, "test")?)
    }

    /// What is written down of them, by the program of `commit`.
    ///
    /// # Errors
    /// If an image cannot be read.
    pub fn record(&self, scores: SplitScores, commit: &str) -> Result<UpstreamRecord> {
        let (spec, network) = (self.spec, self.network);
        let engine = network.network.engine();
        Ok(UpstreamRecord {
            format_version: UpstreamRecord::FORMAT_VERSION,
            model: self.model.name.into(),
            checkpoint: network.checkpoint.clone(),
            mask: network.mask.clone(),
            masking: spec.network.masking,
            precision: spec.network.unusual_precision().map(str::to_owned),
            recipe: spec.network.recipe.clone(),
            density: network.density.overall.value(),
            dataset: spec.data.dataset.clone(),
            images_digest: self.images.digest()?.to_string(),
            preprocessing: describe(self.images.depth(), self.transform, network.normalization),
            scores,
            environment: Environment::current(commit, engine.name, engine.isa),
        })
    }
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
