//! What specifications name, looked up once for all that name it: data sets, draws, digests of files. `check` compares what
//! is found with a specification.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use rut_data::{Dataset, Digest, Draw, DrawOptions, Seed, draw, draw_beside_validation};
use rut_models::{ModelSpec, bundled};
use rut_record::{Locations, RunSpec, ValidationFrom};

use crate::error::{Result, file};
use crate::files::{WeightFiles, network_files, open_dataset};

/// Images of draws that are kept: some tens of megabytes.
const MOST_DRAWN: usize = 4_000_000;

/// Data sets, draws and digests that were asked for. A look-up that failed is tried again when it is asked for again.
pub struct InputCache<'a> {
    locations: &'a Locations,
    /// Whether of draws only their sizes are asked for, which are the same for all seeds.
    sizes_only: bool,
    datasets: HashMap<String, Dataset>,
    draws: HashMap<String, Draw>,
    /// Images of all these draws.
    drawn: usize,
    images: HashMap<String, String>,
    files: HashMap<PathBuf, String>,
    networks: HashMap<String, (&'static ModelSpec, WeightFiles)>,
}

impl<'a> InputCache<'a> {
    /// Nothing yet, to be found in `locations`.
    pub fn new(locations: &'a Locations) -> Self {
        Self {
            locations,
            sizes_only: false,
            datasets: HashMap::new(),
            draws: HashMap::new(),
            drawn: 0,
            images: HashMap::new(),
            files: HashMap::new(),
            networks: HashMap::new(),
        }
    }

    /// The same, for runs that are planned and not run: of what they draw only the sizes are right.
    pub fn for_sizes(locations: &'a Locations) -> Self {
        Self {
            sizes_only: true,
            ..Self::new(locations)
        }
    }

    /// Where runs' folders are.
    pub fn results_path(&self) -> &'a Path {
        &self.locations.results_path
    }

    /// Where runs compute, by name.
    pub(crate) fn device(&self) -> &str {
        &self.locations.device
    }

    /// The data set of `spec`, restricted to the chosen classes.
    pub fn dataset(&mut self, spec: &RunSpec) -> Result<&Dataset> {
        match self.datasets.entry(key(spec)) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(open_dataset(spec, self.locations)?)),
        }
    }

    /// Which of its images a run draws: validation images from where `from` says.
    pub fn draw(
        &mut self,
        spec: &RunSpec,
        from: ValidationFrom,
        options: &DrawOptions,
    ) -> Result<Draw> {
        let seed = if self.sizes_only {
            Seed(0)
        } else {
            options.seed
        };
        let options = &DrawOptions { seed, ..*options };
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
        // Each seed has a draw of its own: as many as there are would not fit.
        let images = drawn.train.len() + drawn.validation.len();
        if self.drawn + images > MOST_DRAWN {
            self.draws.clear();
            self.drawn = 0;
        }
        self.drawn += images;
        self.draws.insert(key, drawn.clone());
        Ok(drawn)
    }

    /// Digest of the images of a user's own data.
    pub fn images_digest(&mut self, spec: &RunSpec) -> Result<String> {
        let key = key(spec);
        if let Some(known) = self.images.get(&key) {
            return Ok(known.clone());
        }
        let dataset = self.dataset(spec)?;
        let both = format!("{} {}", dataset.train.digest()?, dataset.test.digest()?);
        let digest = Digest::of_bytes(both.as_bytes()).to_string();
        self.images.insert(key, digest.clone());
        Ok(digest)
    }

    /// Digest of the validation images of a user's own data.
    pub fn validation_digest(&mut self, spec: &RunSpec) -> Result<String> {
        let key = format!("validation of {}", key(spec));
        if let Some(known) = self.images.get(&key) {
            return Ok(known.clone());
        }
        let own = self.dataset(spec)?.own_validation();
        let digest = own.digest()?.to_string();
        self.images.insert(key, digest.clone());
        Ok(digest)
    }

    /// The model that `spec` names, and the files of its weights.
    pub fn network_files(&mut self, spec: &RunSpec) -> Result<(&'static ModelSpec, WeightFiles)> {
        let key = spec.network.weights_key();
        if let Some((model, files)) = self.networks.get(&key) {
            return Ok((model, files.clone()));
        }
        let found = network_files(spec)?;
        self.networks.insert(key, found.clone());
        Ok(found)
    }

    /// SHA-256 of a file.
    pub fn file_digest(&mut self, path: &Path) -> Result<String> {
        if let Some(known) = self.files.get(path) {
            return Ok(known.clone());
        }
        let digest = match bundled(path) {
            Some(bytes) => Digest::of_bytes(bytes),
            None => Digest::of_file(path).map_err(file("read", path))?,
        };
        let digest = digest.to_string();
        self.files.insert(path.into(), digest.clone());
        Ok(digest)
    }
}

/// What decides which images a data set has.
fn key(spec: &RunSpec) -> String {
    format!("{:?}", spec.data)
}
