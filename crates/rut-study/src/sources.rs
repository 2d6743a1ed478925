//! What specifications name, looked up once for all that name it: data sets, draws, digests of files. What is found is held
//! against a specification by `checked`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use rut_data::{Dataset, Draw, DrawOptions, draw, draw_beside_validation};

use crate::error::Result;
use crate::places::Places;
use crate::spec::{RunSpec, ValidationFrom};

/// Data sets, draws and digests that were asked for. A look-up that failed is tried again when it is asked for again.
pub struct Sources<'a> {
    places: &'a Places,
    datasets: HashMap<String, Dataset>,
    draws: HashMap<String, Draw>,
    images: HashMap<String, String>,
    files: HashMap<PathBuf, String>,
}

impl<'a> Sources<'a> {
    /// Nothing yet, to be found in `places`.
    pub fn new(places: &'a Places) -> Self {
        Self {
            places,
            datasets: HashMap::new(),
            draws: HashMap::new(),
            images: HashMap::new(),
            files: HashMap::new(),
        }
    }

    /// Where runs' folders are.
    pub(crate) fn results_path(&self) -> &'a Path {
        &self.places.results_path
    }

    /// The data set of `spec`, restricted to the chosen classes.
    pub(crate) fn dataset(&mut self, spec: &RunSpec) -> Result<&Dataset> {
        match self.datasets.entry(key(spec)) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(spec.open_dataset(self.places)?)),
        }
    }

    /// Which of its images a run draws: validation images from where `from` says.
    pub(crate) fn draw(
        &mut self,
        spec: &RunSpec,
        from: ValidationFrom,
        options: &DrawOptions,
    ) -> Result<Draw> {
        let key = format!("{} {from:?} {options:?}", key(spec));
        if let Some(known) = self.draws.get(&key) {
            return Ok(known.clone());
        }
        let dataset = self.dataset(spec)?;
        let (labels, names) = (dataset.train.labels(), &dataset.class_names);
        let drawn = match (from, &dataset.validation) {
            (ValidationFrom::Own, Some(own)) => {
                draw_beside_validation(labels, own.labels(), names, options)?
            }
            _ => draw(labels, names, options)?,
        };
        self.draws.insert(key, drawn.clone());
        Ok(drawn)
    }

    /// Digest of the images of a user's own data.
    pub(crate) fn images_digest(&mut self, spec: &RunSpec) -> Result<String> {
        let key = key(spec);
        if let Some(known) = self.images.get(&key) {
            return Ok(known.clone());
        }
        let dataset = self.dataset(spec)?;
        let both = format!("{} {}", dataset.train.digest()?, dataset.test.digest()?);
        let digest = rut_data::Digest::of_bytes(both.as_bytes()).to_string();
        self.images.insert(key, digest.clone());
        Ok(digest)
    }

    /// Digest of the validation images of a user's own data.
    pub(crate) fn validation_digest(&mut self, spec: &RunSpec) -> Result<String> {
        let key = format!("validation of {}", key(spec));
        if let Some(known) = self.images.get(&key) {
            return Ok(known.clone());
        }
        let own = self.dataset(spec)?.own_validation();
        let digest = own.digest()?.to_string();
        self.images.insert(key, digest.clone());
        Ok(digest)
    }

    /// SHA-256 of a file.
    pub(crate) fn file_digest(&mut self, path: &Path) -> Result<String> {
        if let Some(known) = self.files.get(path) {
            return Ok(known.clone());
        }
        let digest = rut_data::Digest::of_file(path)?.to_string();
        self.files.insert(path.into(), digest.clone());
        Ok(digest)
    }
}

/// What decides which images a data set has.
fn key(spec: &RunSpec) -> String {
    let RunSpec {
        dataset,
        split,
        classes,
        skip_unreadable,
        ..
    } = spec;
    format!("{:?}", (dataset, split, classes, skip_unreadable))
}
