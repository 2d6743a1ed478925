//! Linear probing and baselines: features from the cache, a head, its logits. The loop is `rut_adapt::linear_probe`.

use candle_core::{DType, Device};
use rut_adapt::{
    Baseline, Extractor, LabelledFeatures, LabelledImages, LinearHead, Observer, Pass, ProbeHead,
    ProbeSplits, Reporter, Seed, linear_probe_grid, logistic_probe, logistic_search,
};
use rut_data::Dataset;
use rut_images::{ColorOrder, Geometry, Transform};
use rut_models::{Evaluation, ModelSpec};
use rut_record::{
    CSearchRule, FeatureType, HeadKind, LbfgsRecord, Optimizer, Phase, ProbeSpec, Record, RunSpec,
    SplitLogits, TrainingRecord,
};

use super::{Adapted, Adapter, ImageCounts, Trained, TrainingContext, Workload, epochs, notes};
use crate::checked::CheckedRunSpec;
use crate::error::{Error, Result, refused};
use crate::features::Features;
use crate::grid::{baseline, fits_record, grid_record, logistic_options, members, rates};
use crate::images::describe;
use crate::journal::Journal;
use crate::network::LoadedNetwork;
use crate::transform::middle;

pub(super) struct Probe;

/// What `spec` says of the head.
fn probe(spec: &RunSpec) -> ProbeSpec {
    spec.probe().cloned().unwrap_or_default()
}

impl Adapter for Probe {
    fn is_on_features(&self) -> bool {
        true
    }

    fn image_size(&self, spec: &RunSpec, _: &ModelSpec, _: &Dataset) -> Result<Option<usize>> {
        if let optimizer @ (Optimizer::Sgd | Optimizer::Spsa) = spec.optimizer() {
            return Err(no_optimizer(optimizer));
        }
        match probe(spec).first_resize {
            Some(0) => Err(refused("image_size", "at least 1 pixel", "0")),
            side => Ok(side.map(|side| side as usize)),
        }
    }

    fn transform(&self, spec: &RunSpec, model: &ModelSpec, image_size: Option<usize>) -> Transform {
        let probe = probe(spec);
        if let (Some(resize), Some(crop)) = (probe.resize, probe.crop) {
            return middle(Evaluation { resize, crop });
        }
        let before = image_size.map(|side| side as u32);
        let sides = before.into_iter().chain([model.input_size]);
        Transform {
            geometry: sides.map(|side| Geometry::Squash { side }).collect(),
            ..Transform::squash(1, ColorOrder::ResizeThenRgb)
        }
    }

    fn describe(&self, run: &CheckedRunSpec) -> String {
        let what = match probe(&run.spec).head {
            HeadKind::Linear => "linear probing",
            HeadKind::Knn => "k nearest neighbours",
            HeadKind::Prototype => "class means",
            HeadKind::Ridge => "ridge regression",
        };
        match run.image_size {
            None => what.to_owned(),
            Some(side) => format!("{what} on images first resized to {side} pixels"),
        }
    }

    fn adapt(&self, means: &TrainingContext<'_>, journal: &mut Journal<'_>) -> Result<Adapted> {
        adapt(means, journal)
    }

    fn reload(
        &self,
        record: &Record,
        _: &ModelSpec,
        _: &LoadedNetwork,
        bytes: &[u8],
    ) -> Result<Box<dyn Trained>> {
        Ok(Box::new(TrainedHead {
            head: ProbeHead::from_bytes(bytes)?,
            kept: probe(&record.spec).cache_dtype,
        }))
    }

    fn workload(&self, spec: &RunSpec, images: ImageCounts) -> Workload {
        let trained = epochs(spec, images.train) * images.train as f64;
        let all = images.train + images.validation + images.test;
        Workload {
            own: vec![(Phase::Train, trained * members(spec) as f64)],
            shared: vec![(Phase::Extract, all as f64)],
            // A probe whose features came from the cache has no rate of extraction.
            decisive: Phase::Extract,
        }
    }

    fn published_test_batch(&self, spec: &RunSpec) -> usize {
        spec.training.batch_size
    }
}

/// Heads are trained by two optimisers.
fn no_optimizer(found: Optimizer) -> Error {
    let found = match found {
        Optimizer::Spsa => "spsa",
        _ => "sgd",
    };
    refused("optimizer", "adam or lbfgs: others train prompts", found)
}

/// A head of a finished run.
struct TrainedHead {
    head: ProbeHead,
    /// The precision that its features had.
    kept: FeatureType,
}

impl Trained for TrainedHead {
    fn logits(
        &self,
        network: &LoadedNetwork,
        images: &dyn LabelledImages,
        observer: &mut dyn Observer,
    ) -> Result<SplitLogits> {
        let extractor = Extractor {
            network: &*network.network,
            normalization: network.normalization,
            kept: self.kept,
        };
        let pass = Pass::test();
        let mut reporter = Reporter::new(observer);
        let extracted = extractor.extract(images, &pass, &mut reporter)?;
        let split = extracted.labelled(images.labels())?;
        Ok(self.head.reported_logits(&split, &pass, &mut reporter)?)
    }
}

fn adapt(means: &TrainingContext<'_>, journal: &mut Journal<'_>) -> Result<Adapted> {
    let &TrainingContext {
        run,
        locations,
        dir,
        network,
        state,
    } = means;
    let transform = &run.transform;
    let mut features = Features::new(run, network, locations);
    features.state = state;
    let train = features.of(&run.train, journal)?;
    let validation = if run.validation.is_empty() {
        None
    } else {
        Some(features.of(&run.validation, journal)?)
    };
    let test = features.of(&run.dataset.test, journal)?;
    for note in features.notes() {
        journal.note(&note);
    }
    let of_probe = probe(&run.spec);
    let (head, training) = match (baseline(&of_probe), of_probe.optimizer) {
        (Some(baseline), _) => computed(means, baseline, train)?,
        (None, optimizer) => {
            let splits = ProbeSplits {
                train: &train,
                validation: validation.as_ref(),
                test: &test,
            };
            let (head, training) = match optimizer {
                Optimizer::Adam => by_adam(means, splits, journal)?,
                Optimizer::Lbfgs => by_lbfgs(means, splits, journal)?,
                Optimizer::Sgd | Optimizer::Spsa => return Err(no_optimizer(optimizer)),
            };
            (ProbeHead::Linear(head), training)
        }
    };
    let state = || means.state.cloned().unwrap_or_default();
    let mut logits = |split: &LabelledFeatures, phase| {
        let pass = Pass {
            phase,
            step: training.steps,
            state: &state,
        };
        head.reported_logits(split, &pass, &mut Reporter::new(&mut *journal))
    };
    Ok(Adapted {
        test: logits(&test, Phase::Test)?,
        test_before_remap: None,
        validation: validation
            .as_ref()
            .map(|split| logits(split, Phase::Validate))
            .transpose()?,
        training: TrainingRecord {
            trained_values: head.values(),
            ..training
        },
        mapping: None,
        preprocessing: describe(run.dataset.test.depth(), transform, network.normalization),
        trained: (dir.head(), head.to_bytes()?),
        picture: None,
    })
}

fn computed(
    means: &TrainingContext<'_>,
    baseline: Baseline,
    train: LabelledFeatures,
) -> Result<(ProbeHead, TrainingRecord)> {
    let mut notes = notes(means.run, means.network);
    if matches!(baseline, Baseline::Ridge { .. }) {
        notes.push(
            "the scores of ridge regression are no logits: the ECE at T = 1 is of no probability; that at the fitted temperature is"
                .into(),
        );
    }
    let training = TrainingRecord {
        trained_values: 0,
        steps: 0,
        final_loss: 0.0,
        kept_epoch: 0,
        selected_accuracy: None,
        grid: None,
        lbfgs: None,
        notes,
    };
    Ok((baseline.fit(train, means.run.targets())?, training))
}

fn by_adam(
    means: &TrainingContext<'_>,
    splits: ProbeSplits<'_>,
    journal: &mut Journal<'_>,
) -> Result<(LinearHead, TrainingRecord)> {
    let run = means.run;
    let head = LinearHead::init(
        means.network.network.width(),
        run.targets(),
        Seed(run.spec.training.seed),
        DType::F32,
        &Device::Cpu,
    )?;
    let (options, grid) = (run.loop_options(), rates(&run.spec));
    let probed = linear_probe_grid(splits, head, &options, &grid, means.state, journal)?;
    let grid = grid_record(&probe(&run.spec), &probed);
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
    means: &TrainingContext<'_>,
    splits: ProbeSplits<'_>,
    journal: &mut Journal<'_>,
) -> Result<(LinearHead, TrainingRecord)> {
    let run = means.run;
    if means.state.is_some() {
        journal
            .note("L-BFGS keeps nothing of a stopped run: it starts again, on the kept features");
    }
    let options = logistic_options(&run.spec, &probe(&run.spec), run.targets());
    let fitted = match probe(&run.spec).c_search {
        Some(CSearchRule::Coop) => logistic_search(splits, &options, journal)?,
        None => logistic_probe(splits, &options, journal)?,
    };
    let grid = fits_record(&probe(&run.spec), &fitted);
    let kept = fitted.fits.into_iter().nth(fitted.chosen);
    let fit = kept.ok_or_else(|| refused("weight_decay_grid", "at least one number", "none"))?;
    let mut notes = notes(run, means.network);
    if !fit.solved.converged {
        let share = fit.solved.gradient_norm / fit.solved.first_gradient_norm;
        notes.push(format!(
            "L-BFGS did not converge in {} iterations: the gradient is still {share:.1e} of the first one (more with field `epochs`; \
             without weight decay, classes that are separable on the training images have no optimum)",
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
