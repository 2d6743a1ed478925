//! A run of linear probing: features from the cache, a head, its logits. The loop is `rut_adapt::linear_probe`.

use candle_core::{DType, Device};
use rut_adapt::Seed;
use rut_adapt::evaluate::Pass;
use rut_adapt::event::Phase;
use rut_adapt::features::{
    Extracted, Extractor, FeatureCache, FeatureKey, FeatureShape, FeatureType, Wanted,
};
use rut_adapt::head::LinearHead;
use rut_adapt::linear_probe::{
    LabelledFeatures, ProbeSplits, linear_probe_grid, logistic_probe, probe_logits,
};
use rut_adapt::progress::Reporter;
use rut_adapt::state::State;
use rut_data::{ImageSet, Transform};

use super::{Adapted, Means, notes};
use crate::checked::refused;
use crate::error::Result;
use crate::images::{describe, prepare_once, transform};
use crate::journal::Journal;
use crate::network::LoadedNetwork;
use crate::places::Places;
use crate::record::{LbfgsRecord, TrainingRecord};
use crate::spec::Optimizer;

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
        kept: run.spec.cache_dtype,
        from_cache: 0,
        extracted: 0,
    };
    let train = extraction.features(&run.train)?;
    let validation = match run.validation.is_empty() {
        true => None,
        false => Some(extraction.features(&run.validation)?),
    };
    let test = extraction.features(&run.dataset.test)?;
    extraction.tell();
    let width = network.network.width();
    let splits = ProbeSplits {
        train: &train,
        validation: validation.as_ref(),
        test: &test,
    };
    let (head, training) = match run.spec.optimizer {
        Optimizer::Adam => by_adam(means, splits, journal)?,
        Optimizer::Lbfgs => by_lbfgs(means, splits, journal)?,
    };
    Ok(Adapted {
        test: probe_logits(&head, &test)?,
        test_before_remap: None,
        validation: validation
            .as_ref()
            .map(|split| probe_logits(&head, split))
            .transpose()?,
        training: TrainingRecord {
            trained_values: (width + 1) * run.targets(),
            ..training
        },
        mapping: None,
        preprocessing: describe(run.dataset.test.depth(), &transform, network.normalization),
        trained: (dir.head(), head.to_bytes()?),
    })
}

fn by_adam(
    means: &Means<'_>,
    splits: ProbeSplits<'_>,
    journal: &mut Journal<'_>,
) -> Result<(LinearHead, TrainingRecord)> {
    let run = means.run;
    let head = LinearHead::init(
        means.network.network.width(),
        run.targets(),
        Seed(run.spec.seed),
        DType::F32,
        &Device::Cpu,
    )?;
    let (options, grid) = (run.loop_options(), run.spec.grid());
    let probed = linear_probe_grid(splits, head, (&options, &grid), means.state, journal)?;
    let grid = run.spec.grid_record(&probed);
    let finished = probed.finished;
    let training = TrainingRecord {
        trained_values: 0,
        steps: finished.steps,
        final_loss: finished.final_loss,
        kept_epoch: finished.epoch,
        selected_accuracy: finished.selected_accuracy,
        grid,
        lbfgs: None,
        notes: notes(run, means.network),
    };
    Ok((finished.trained, training))
}

fn by_lbfgs(
    means: &Means<'_>,
    splits: ProbeSplits<'_>,
    journal: &mut Journal<'_>,
) -> Result<(LinearHead, TrainingRecord)> {
    let run = means.run;
    if means.state.is_some() {
        journal
            .note("L-BFGS keeps nothing of a stopped run: it starts again, on the kept features");
    }
    let fitted = logistic_probe(splits, &run.spec.logistic_options(run.targets()), journal)?;
    let grid = run.spec.fits_record(&fitted);
    let kept = fitted.fits.into_iter().nth(fitted.chosen);
    let fit = kept.ok_or_else(|| refused("weight_decay_grid", "at least one number", "none"))?;
    let mut notes = notes(run, means.network);
    if !fit.solved.converged {
        let share = fit.solved.gradient_norm / fit.solved.first_gradient_norm;
        notes.push(format!(
            "L-BFGS did not converge in {} iterations: the gradient is still {share:.1e} of the first one (more with `--epochs`; \
             without weight decay, classes that can be told apart on the training images have no optimum)",
            fit.solved.iterations
        ));
    }
    let training = TrainingRecord {
        trained_values: 0,
        steps: fit.solved.iterations.into(),
        final_loss: fit.loss,
        kept_epoch: fit.solved.iterations.saturating_sub(1),
        selected_accuracy: None,
        grid,
        lbfgs: Some(LbfgsRecord {
            iterations: fit.solved.iterations,
            evaluations: fit.solved.evaluations,
            gradient_norm: fit.solved.gradient_norm,
            first_gradient_norm: fit.solved.first_gradient_norm,
            converged: fit.solved.converged,
        }),
        notes,
    };
    Ok((fit.head, training))
}

/// What all splits' extraction shares.
struct Extraction<'a, 'j> {
    network: &'a LoadedNetwork,
    places: &'a Places,
    transform: &'a Transform,
    /// Where the run goes on: a save meanwhile must not lose it.
    state: Option<&'a State>,
    journal: &'a mut Journal<'j>,
    /// The precision that features are kept in.
    kept: FeatureType,
    /// Images whose features came from the cache.
    from_cache: usize,
    /// Images that the network was run on.
    extracted: usize,
}

impl Extraction<'_, '_> {
    fn features(&mut self, set: &ImageSet) -> Result<LabelledFeatures> {
        let loaded = self.network;
        let key = FeatureKey {
            checkpoint: loaded.checkpoint.clone(),
            mask: loaded.mask.clone().unwrap_or_else(|| "none".into()),
            network: loaded.title.clone(),
            images: set.digest()?.to_string(),
            preprocessing: describe(set.depth(), self.transform, loaded.normalization),
        };
        let cache = FeatureCache::new(&self.places.cache_dir, self.places.cache_bytes());
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
            None => self.extract(&cache, &key, set)?,
        };
        Ok(extracted.labelled(set.labels())?)
    }

    fn extract(
        &mut self,
        cache: &FeatureCache,
        key: &FeatureKey,
        set: &ImageSet,
    ) -> Result<Extracted> {
        self.extracted += set.len();
        let images = prepare_once(set, self.transform)?;
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
        match cache.get(&wanted, &pass, &mut Reporter::new(self.journal)) {
            Err(error @ rut_adapt::Error::Cache { .. }) => {
                self.journal.note(&format!(
                    "no feature cache (failed to {error}); name another with --cache-dir"
                ));
                Ok(extractor.extract(&images, &pass, &mut Reporter::new(self.journal))?)
            }
            found => Ok(found?),
        }
    }

    /// Says so if the network had nothing to do.
    fn tell(&mut self) {
        if self.extracted > 0 {
            return;
        }
        let loaded = match &self.network.lazy {
            Some(lazy) if !lazy.is_loaded() => "the network was not loaded",
            _ => "the network was not run",
        };
        let images = self.from_cache;
        self.journal.note(&format!(
            "features of all {images} images came from the cache: {loaded}"
        ));
    }
}
