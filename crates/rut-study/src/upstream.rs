//! A source network without adaptation: its accuracy and calibration on its own source data, what is written down of them,
//! and its features.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use rut_adapt::evaluate::Pass;
use rut_adapt::event::{Observer, Phase};
use rut_adapt::features::{Extracted, Extractor, FeatureMatrix, FeatureType};
use rut_adapt::progress::Reporter;
use rut_adapt::state::{State, serialize};
use rut_data::{ImageSet, Transform};
use rut_models::ModelSpec;
use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::error::{Error, Result, file};
use crate::images::prepare;
use crate::logits_archive::label_tensor;
use crate::network::LoadedNetwork;
use crate::places::Places;
use crate::run_dir::write_whole;
use crate::score::{SplitScores, score};
use crate::sealed;
use crate::spec::{Masking, RunSpec};
use crate::text_file;
use crate::versioned::parse;

/// The layout of an [`UpstreamRecord`]; a file of another one is refused.
pub const FORMAT_VERSION: u32 = 1;

/// What is written down of a network on its own source data, in the folder `upstream` of a folder of results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamRecord {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Name in the table.
    pub model: String,
    /// SHA-256 of the checkpoint.
    pub checkpoint: String,
    /// SHA-256 of the mask.
    pub mask: Option<String>,
    /// Whether the mask was applied.
    pub masking: Masking,
    /// How the network was trained, in words.
    pub recipe: Option<String>,
    /// Share of non-zero weights over all convolutions and linear layers, 0–1.
    pub density: f64,
    /// The data set, as it was named.
    pub dataset: String,
    /// SHA-256 over pixels and labels of the images.
    pub images_digest: String,
    /// How pixels became the network's input.
    pub preprocessing: String,
    /// The figures.
    pub scores: SplitScores,
    /// What they were made with.
    pub environment: Environment,
}

impl UpstreamRecord {
    /// The file at `path`.
    ///
    /// # Errors
    /// If it cannot be read, is broken, or is of another format version.
    pub fn read(path: &Path) -> Result<Self> {
        let text = text_file::read_json(path)?;
        let read = sealed::from_bytes(text.into_bytes())
            .and_then(|(text, _)| parse(&text, FORMAT_VERSION));
        read.map_err(|problem| Error::Broken {
            path: path.into(),
            problem: format!("{problem}; measure it again with `rut upstream`, or delete it"),
        })
    }

    /// Writes it into the folder `upstream` of `results`, under a name of its content, and gives the file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, results: &Path) -> Result<PathBuf> {
        let identity = format!(
            "{} {} {:?} {:?} {} {}",
            self.model,
            self.checkpoint,
            self.mask,
            self.masking,
            self.images_digest,
            self.preprocessing
        );
        let hash = rut_data::Digest::of_bytes(identity.as_bytes()).to_string();
        let folder = results.join("upstream");
        let path = folder.join(format!("{}-{}.json", self.model, &hash[..10]));
        std::fs::create_dir_all(&folder).map_err(file("make the folder", &folder))?;
        let text = sealed::to_text(self, 1).map_err(|problem| Error::Broken {
            path: path.clone(),
            problem,
        })?;
        write_whole(&path, text.as_bytes())?;
        Ok(path)
    }
}

/// The images that a network is scored on without adaptation, and how many classes they have: the test images of a data
/// set; of a folder of class folders without `train` above them, all images.
///
/// # Errors
/// If the data set is unknown or missing, or a class is.
pub fn source_images(spec: &RunSpec, places: &Places) -> Result<(ImageSet, usize)> {
    let folder = Path::new(&spec.dataset);
    let whole = rut_data::find(&spec.dataset).is_none()
        && folder.is_dir()
        && !folder.join("train").is_dir();
    if whole && spec.classes.is_empty() {
        let (classes, images) = rut_data::open_class_folders(folder)?;
        return Ok((images, classes.len()));
    }
    let dataset = spec.open_dataset(places)?;
    Ok((dataset.test, dataset.class_names.len()))
}

/// Figures of a network on `images` of its own source data, which have `classes` classes.
///
/// # Errors
/// If the images do not have the network's classes, or one cannot be read.
pub fn upstream(
    model: &ModelSpec,
    network: &LoadedNetwork,
    (images, classes): (&ImageSet, usize),
    transform: &Transform,
    observer: &mut dyn Observer,
) -> Result<SplitScores> {
    let expected = network.network.classes();
    if expected != classes {
        return Err(Error::Field {
            field: "dataset",
            expected: format!(
                "the source data of {} ({}, {expected} classes)",
                model.name,
                model.upstream.name()
            ),
            found: format!("{classes} classes"),
        });
    }
    let extracted = features(network, images, transform, observer)?;
    score(&extracted.source_logits(images.labels()), None, "test")
}

/// Features and logits of `images`.
///
/// # Errors
/// If there are no images, or one cannot be read.
pub fn features(
    network: &LoadedNetwork,
    images: &ImageSet,
    transform: &Transform,
    observer: &mut dyn Observer,
) -> Result<Extracted> {
    if images.is_empty() {
        let (expected, found) = ("images".to_owned(), "none".to_owned());
        return Err(Error::Field {
            field: "dataset",
            expected,
            found,
        });
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
        state: &State::default,
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
    (extracted, part): (&Extracted, WrittenPart),
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
        tensors.insert("labels".to_owned(), label_tensor(labels)?);
    }
    write_whole(path, &serialize(&tensors, "rut.extract", text)?)
}
