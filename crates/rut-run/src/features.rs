//! Features of a probe's images, from the cache or extracted now. For what is trained on them, see
//! `run`.

use rut_adapt::{
    Extracted, Extractor, FeatureCache, FeatureKey, FeatureShape, LabelledFeatures, Observer, Pass,
    Reporter, TrainingState, Wanted,
};
use rut_data::{ImageSet, Transform};
use rut_models::Engine;
use rut_record::{FeatureType, Locations, Phase};

use crate::checked::CheckedRunSpec;
use crate::error::Result;
use crate::images::{describe, prepare_once};
use crate::network::LoadedNetwork;

/// What the extraction of all splits shares.
pub struct Features<'a> {
    network: &'a LoadedNetwork,
    locations: &'a Locations,
    transform: Transform,
    /// The precision that features are kept in.
    kept: FeatureType,
    engine: Engine,
    checkpoint_key: Option<String>,
    /// Where a run goes on: a save meanwhile must not lose it.
    pub(crate) state: Option<&'a TrainingState>,
    /// Images whose features came from the cache.
    from_cache: usize,
    /// Images that the network was run on.
    extracted: usize,
    /// Why there was no cache.
    troubles: Vec<String>,
}

impl<'a> Features<'a> {
    /// Those that `run` needs of `network`; none are extracted yet.
    pub fn new(run: &CheckedRunSpec, network: &'a LoadedNetwork, locations: &'a Locations) -> Self {
        Self {
            network,
            locations,
            transform: run.transform.clone(),
            kept: run
                .spec
                .probe()
                .map_or_else(FeatureType::default, |probe| probe.cache_dtype),
            engine: run.computing.engine,
            checkpoint_key: run.spec.network.checkpoint_key.clone(),
            state: None,
            from_cache: 0,
            extracted: 0,
            troubles: Vec::new(),
        }
    }

    /// Features of `set`, with its labels.
    ///
    /// # Errors
    /// If an image cannot be read, the network fails, or the observer stops the pass.
    pub fn of(&mut self, set: &ImageSet, observer: &mut dyn Observer) -> Result<LabelledFeatures> {
        let loaded = self.network;
        let key = FeatureKey {
            checkpoint: match &self.checkpoint_key {
                None => loaded.checkpoint.clone(),
                Some(key) => format!("{} {key}", loaded.checkpoint),
            },
            mask: loaded.mask.clone().unwrap_or_else(|| "none".into()),
            network: loaded.title.clone(),
            images: set.digest()?.to_string(),
            preprocessing: describe(set.depth(), &self.transform, loaded.normalization),
            contents: if self.engine.spec().same_in_every_batch {
                set.contents()?
            } else {
                Vec::new()
            },
        };
        let cache = FeatureCache::new(&self.locations.cache_dir, self.locations.cache_bytes());
        let shape = FeatureShape {
            images: set.len(),
            width: loaded.network.width(),
            classes: loaded.network.classes(),
            kept: self.kept,
        };
        let extracted = match cache.find(&key, shape) {
            Some(found) => {
                self.from_cache += found.len();
                found
            }
            None => self.extract(&cache, &key, set, observer)?,
        };
        Ok(extracted.labelled(set.labels())?)
    }

    fn extract(
        &mut self,
        cache: &FeatureCache,
        key: &FeatureKey,
        set: &ImageSet,
        observer: &mut dyn Observer,
    ) -> Result<Extracted> {
        self.extracted += set.len();
        let images = prepare_once(set, &self.transform)?;
        let extractor = Extractor {
            network: &*self.network.network,
            normalization: self.network.normalization,
            kept: self.kept,
        };
        let state = || self.state.cloned().unwrap_or_default();
        let step = self
            .state
            .and_then(|state| state.number("step").ok())
            .unwrap_or(0);
        let pass = Pass {
            phase: Phase::Extract,
            step,
            state: &state,
        };
        let wanted = Wanted {
            key,
            extractor,
            images: &images,
        };
        match cache.get(&wanted, &pass, &mut Reporter::new(observer)) {
            Err(error @ rut_adapt::Error::Cache { .. }) => {
                self.troubles.push(format!(
                    "no feature cache (failed to {error}); name another with `cache_dir`"
                ));
                Ok(extractor.extract(&images, &pass, &mut Reporter::new(observer))?)
            }
            found => Ok(found?),
        }
    }

    /// What a person should know: why there was no cache, or that the network had nothing to do.
    pub fn notes(self) -> Vec<String> {
        let mut notes = self.troubles;
        if self.extracted == 0 {
            let images = self.from_cache;
            notes.push(format!(
                "features of all {images} images came from the cache: the network was not run"
            ));
        }
        notes
    }
}
