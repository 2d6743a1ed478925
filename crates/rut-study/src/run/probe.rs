//! A run of linear probing: features from the cache, a head, its logits. The loop is `rut_adapt::linear_probe`.

use candle_core::{DType, Device};
use rut_adapt::Seed;
use rut_adapt::evaluate::Pass;
use rut_adapt::event::Phase;
use rut_adapt::features::{Extractor, FeatureCache, FeatureKey, Wanted};
use rut_adapt::head::LinearHead;
use rut_adapt::linear_probe::{LabelledFeatures, ProbeSplits, linear_probe, probe_logits};
use rut_adapt::progress::Reporter;
use rut_adapt::state::State;
use rut_data::{ImageSet, Transform};

use super::{Adapted, Means, notes};
use crate::error::Result;
use crate::images::{describe, prepare, transform};
use crate::journal::Journal;
use crate::network::LoadedNetwork;
use crate::places::Places;
use crate::record::TrainingRecord;

pub(super) fn adapt(means: &Means<'_>, journal: &mut Journal<'_>) -> Result<Adapted> {
    let &Means {
        run,
        places,
        dir,
        network,
        state,
    } = means;
    let transform = transform(run.spec.method, run.model, run.image_size);
    let mut extraction = Extraction {
        network,
        places,
        transform: &transform,
        state,
        journal,
    };
    let train = extraction.features(&run.train)?;
    let validation = match run.validation.is_empty() {
        true => None,
        false => Some(extraction.features(&run.validation)?),
    };
    let test = extraction.features(&run.dataset.test)?;
    let width = network.network.width();
    let head = LinearHead::init(
        width,
        run.targets(),
        Seed(run.spec.seed),
        DType::F32,
        &Device::Cpu,
    )?;
    let splits = ProbeSplits {
        train: &train,
        validation: validation.as_ref(),
        test: &test,
    };
    let finished = linear_probe(splits, head, &run.loop_options(), state, journal)?;
    let head = finished.trained;
    Ok(Adapted {
        test: probe_logits(&head, &test)?,
        test_before_remap: None,
        validation: validation
            .as_ref()
            .map(|split| probe_logits(&head, split))
            .transpose()?,
        training: TrainingRecord {
            trained_values: (width + 1) * run.targets(),
            steps: finished.steps,
            final_loss: finished.final_loss,
            kept_epoch: finished.epoch,
            selected_accuracy: finished.selected_accuracy,
            notes: notes(run, network),
        },
        mapping: None,
        preprocessing: describe(&transform, network.normalization),
        trained: (dir.head(), head.to_bytes()?),
    })
}

/// What all splits' extraction shares.
struct Extraction<'a, 'j> {
    network: &'a LoadedNetwork,
    places: &'a Places,
    transform: &'a Transform,
    /// Where the run goes on: a save meanwhile must not lose it.
    state: Option<&'a State>,
    journal: &'a mut Journal<'j>,
}

impl Extraction<'_, '_> {
    fn features(&mut self, set: &ImageSet) -> Result<LabelledFeatures> {
        let loaded = self.network;
        let key = FeatureKey {
            checkpoint: loaded.checkpoint.clone(),
            mask: loaded.mask.clone().unwrap_or_else(|| "none".into()),
            network: loaded.title.clone(),
            images: set.digest()?.to_string(),
            preprocessing: describe(self.transform, loaded.normalization),
        };
        let cache = FeatureCache::new(&self.places.cache_dir, self.places.cache_bytes());
        let images = prepare(set, self.transform)?;
        let extractor = Extractor {
            network: &*loaded.network,
            normalization: loaded.normalization,
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
            key: &key,
            extractor,
            images: &images,
        };
        let extracted = match cache.get(&wanted, &pass, &mut Reporter::new(self.journal)) {
            Err(error @ rut_adapt::Error::Cache { .. }) => {
                self.journal.note(&format!(
                    "no feature cache (failed to {error}); name another with --cache-dir"
                ));
                extractor.extract(&images, &pass, &mut Reporter::new(self.journal))?
            }
            found => found?,
        };
        Ok(extracted.labelled(set.labels(), DType::F32)?)
    }
}
