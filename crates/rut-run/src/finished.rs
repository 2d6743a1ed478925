//! A finished run taken up again: the same figures from its files, and predictions for a user's images.

use std::path::{Path, PathBuf};

use rut_adapt::{LabelledImages, Observer};
use rut_data::{ImageSet, Transform};
use rut_formats::regular;
use rut_models::{Engine, ModelSpec};
use rut_record::{
    Content, FINISHED_REMEDY, KeyRule, Locations, Record, RunDir, RunSpec, SplitLogits,
    ValidationFrom, Verification,
};

use crate::adaptation::{Trained, adapter, transform};
use crate::computing::Computing;
use crate::earlier_network;
use crate::error::{Error, Result, broken, file, refused};
use crate::files::{WeightFiles, network_files, open_dataset};
use crate::images::prepare;
use crate::network::{LoadOptions, LoadedNetwork, load_recorded};

/// A run that can be asked again.
pub struct FinishedRun {
    /// What was recorded.
    pub record: Record,
    /// Whether its files are what was written.
    pub verification: Verification,
    model: &'static ModelSpec,
    network: LoadedNetwork,
    trained: Box<dyn Trained>,
}

/// Where a run's weights lie now, if not where it found them. Their digests must be the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeightPlaces {
    /// The folder that they are looked for in, by model and state.
    pub pretrained_dir: Option<PathBuf>,
    /// The checkpoint.
    pub checkpoint: Option<PathBuf>,
    /// The mask beside it.
    pub mask: Option<PathBuf>,
}

impl WeightPlaces {
    fn put_into(&self, spec: &RunSpec) -> RunSpec {
        let mut spec = spec.clone();
        if let Some(dir) = &self.pretrained_dir {
            spec.network.pretrained_dir.clone_from(dir);
            spec.network.checkpoint = None;
            spec.network.mask = None;
        }
        if self.checkpoint.is_some() {
            spec.network.checkpoint.clone_from(&self.checkpoint);
            spec.network.mask.clone_from(&self.mask);
            spec.network.sparsity = None;
            spec.network.bits = None;
            spec.network.activation_bits = None;
        }
        spec
    }
}

/// A split of a run's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The images trained on.
    Train,
    /// The images validated on.
    Validation,
    /// The test images.
    Test,
}

impl FinishedRun {
    /// Opens the run in `dir`; its weights are looked for where `weights` says, else where the run found them, and computed
    /// by `engine`, or by the run's own, in its precision and on its device. Its data are not looked for yet.
    ///
    /// # Errors
    /// If the run is not finished, or its checkpoint or mask is not what it was.
    pub fn open(dir: &Path, weights: &WeightPlaces, engine: Option<Engine>) -> Result<Self> {
        let dir = RunDir::at(dir);
        let record = dir.read_record()?;
        let verification = dir.check_files(&record)?;
        let (_, files) = network_files(&weights.put_into(&record.spec))?;
        let mut computing = Computing::of(&record.spec, &dir.device()?)?;
        if let Some(engine) = engine {
            computing = computing.by(engine)?;
        }
        let options = LoadOptions {
            rule: match record.network.keys {
                Some(_) => KeyRule::Fitting,
                None => KeyRule::Earlier,
            },
            ..LoadOptions::of(&record.spec)
        };
        let classes = record.network.source_classes;
        let (model, network) = load_recorded(&record.spec, &files, classes, options, &computing)?;
        check_unchanged(&dir, &record, &network, &files)?;
        let trained = trained(&dir, &record, model, &network)?;
        Ok(Self {
            record,
            verification,
            model,
            network,
            trained,
        })
    }

    /// Target logits of a split, computed again from the data set below `locations.data_dir`.
    ///
    /// # Errors
    /// If the split is empty, the data are not what they were, or an image cannot be read.
    pub fn evaluate(
        &self,
        split: Split,
        locations: &Locations,
        observer: &mut dyn Observer,
    ) -> Result<SplitLogits> {
        let dataset = open_dataset(&self.record.spec, locations)?;
        let data = &self.record.data;
        let chosen = |set: &ImageSet, what: &str, indices: &[usize]| match indices.iter().max() {
            Some(&last) if last >= set.len() => Err(self.changed(what, last + 1, set.len())),
            _ => Ok(set.select(indices)),
        };
        let train = |indices: &[usize]| chosen(&dataset.train, "training images", indices);
        let own = dataset.own_validation();
        let validation = |indices: &[usize]| match self.record.spec.labels.validation {
            Some(ValidationFrom::Own) => chosen(&own, "validation images", indices),
            _ => train(indices),
        };
        let (images, digest) = match split {
            Split::Train => (train(&data.train_indices)?, &data.train_digest),
            Split::Validation => (
                validation(&data.validation_indices)?,
                &data.validation_digest,
            ),
            Split::Test => (dataset.test.clone(), &data.test_digest),
        };
        if images.is_empty() {
            let (expected, found) = ("a split with images".to_owned(), "an empty one".to_owned());
            return Err(refused("split", expected, found));
        }
        let now = images.digest()?.to_string();
        if *digest != now {
            return Err(self.changed("the images' digest", digest, now));
        }
        self.logits(&prepare(&images, &self.transform())?, observer)
    }

    fn changed(&self, field: &str, expected: impl ToString, found: impl ToString) -> Error {
        let (expected, found) = (expected.to_string(), found.to_string());
        Error::Changed {
            run: self.record.run_id.clone(),
            field: field.into(),
            expected,
            found,
        }
    }

    /// How the run's images become its input.
    pub fn transform(&self) -> Transform {
        let spec = &self.record.spec;
        transform(spec, self.model, self.record.data.image_size)
    }

    pub(crate) fn logits(
        &self,
        images: &dyn LabelledImages,
        observer: &mut dyn Observer,
    ) -> Result<SplitLogits> {
        self.trained.logits(&self.network, images, observer)
    }
}

/// Checks that `network`, read from `files`, is the one that the run was made from.
fn check_unchanged(
    dir: &RunDir,
    record: &Record,
    network: &LoadedNetwork,
    files: &WeightFiles,
) -> Result<()> {
    let made_from = Content {
        checkpoint: record.network.checkpoint.clone(),
        mask: record.network.mask.clone(),
        ..Content::default()
    };
    let name = |mask: &Option<String>| mask.clone().unwrap_or_else(|| "none".into());
    for (field, expected, found) in [
        (
            "the checkpoint's SHA-256",
            made_from.checkpoint.clone(),
            network.checkpoint.clone(),
        ),
        (
            "the mask's SHA-256",
            name(&made_from.mask),
            name(&network.mask),
        ),
    ] {
        if expected != found {
            earlier_network::check_files(dir.path(), &made_from, files)?;
            let run = dir.path().display().to_string();
            return Err(Error::Changed {
                run,
                field: field.into(),
                expected,
                found,
            });
        }
    }
    Ok(())
}

/// Whether the finished run in `dir` still has all its files, and what was trained can be used with `network`.
///
/// # Errors
/// [`Error::Broken`] if not, with what is missing and what to do.
pub(crate) fn check_complete(
    dir: &RunDir,
    record: &Record,
    model: &ModelSpec,
    network: &LoadedNetwork,
) -> Result<Verification> {
    let kept = dir.kept(record.spec.method());
    let missing: Vec<_> = kept
        .iter()
        .filter(|path| !path.exists())
        .filter_map(|path| Some(path.file_name()?.to_string_lossy()))
        .collect();
    if !missing.is_empty() {
        return Err(broken(
            dir.path(),
            format!(
                "the run is finished, but without {}; {FINISHED_REMEDY}",
                missing.join(" and ")
            ),
        ));
    }
    let verification = dir.check_files(record)?;
    trained(dir, record, model, network)?;
    Ok(verification)
}

/// What training left behind in `dir`.
fn trained(
    dir: &RunDir,
    record: &Record,
    model: &ModelSpec,
    network: &LoadedNetwork,
) -> Result<Box<dyn Trained>> {
    let path = dir.trained(record.spec.method());
    let read = || {
        let bytes = regular::read(&path, regular::WEIGHTS).map_err(file("read", &path))?;
        adapter(&record.spec).reload(record, model, network, &bytes)
    };
    read().map_err(|error| {
        broken(
            &path,
            match error {
                Error::Record(rut_record::Error::File { source, .. }) => {
                    format!("{source}; {FINISHED_REMEDY}")
                }
                error => format!("{error}; {FINISHED_REMEDY}"),
            },
        )
    })
}
