//! A prompt and a linear head trained together. The loop is `rut_adapt::joint`.

use rut_adapt::{
    Descent, Joined, JointOptions, LabelledImages, LinearHead, Observer, Pass, PromptOptimizer,
    Reporter, Seed, joint,
};
use rut_data::Dataset;
use rut_images::Transform;
use rut_models::ModelSpec;
use rut_record::{Phase, Record, RunSpec, SplitLogits, TrainingRecord};

use super::prompt::published_batch;
use super::prompted::{self, PreparedSplits};
use super::{Adapted, Adapter, ImageCounts, Trained, TrainingContext, Workload, epochs, notes};
use crate::checked::CheckedRunSpec;
use crate::error::{Result, refused};
use crate::images::describe;
use crate::journal::Journal;
use crate::network::LoadedNetwork;

pub(super) struct Joint;

/// Tensors of the head beside the prompt's in the file of a run.
const HEAD: [&str; 2] = ["head.weight", "head.bias"];

impl Adapter for Joint {
    fn is_on_features(&self) -> bool {
        false
    }

    fn image_size(
        &self,
        spec: &RunSpec,
        model: &ModelSpec,
        dataset: &Dataset,
    ) -> Result<Option<usize>> {
        if let PromptOptimizer::Spsa(_) = Descent::of(&prompted::prompt(spec))?.optimizer {
            let expected =
                "adam or sgd: a head is trained on features, which a black box does not give";
            return Err(refused("optimizer", expected, "spsa"));
        }
        Ok(Some(prompted::image_size(spec, model, dataset)?))
    }

    fn transform(&self, _: &RunSpec, model: &ModelSpec, image_size: Option<usize>) -> Transform {
        prompted::transform(model, image_size)
    }

    fn describe(&self, run: &CheckedRunSpec) -> String {
        format!("prompt and head together: {}", prompted::describe(run))
    }

    fn window(&self, run: &CheckedRunSpec) -> Result<Option<String>> {
        prompted::window(run).map(Some)
    }

    fn adapt(&self, means: &TrainingContext<'_>, journal: &mut Journal<'_>) -> Result<Adapted> {
        adapt(means, journal)
    }

    fn reload(
        &self,
        record: &Record,
        model: &ModelSpec,
        network: &LoadedNetwork,
        bytes: &[u8],
    ) -> Result<Box<dyn Trained>> {
        let placement = network.network.placement();
        let untrained = prompted::recorded(record, model, network.normalization, &placement)?;
        let (prompt, mut tensors) = untrained.from_bytes(bytes)?;
        let [weight, bias] = HEAD.map(|name| tensors.remove(name));
        let head = LinearHead::of_tensors(weight, bias)?;
        Ok(Box::new(TrainedJointly(Joined { prompt, head })))
    }

    fn workload(&self, spec: &RunSpec, images: ImageCounts) -> Workload {
        let epochs = epochs(spec, images.train);
        Workload {
            own: vec![
                (Phase::Train, epochs * images.train as f64),
                (
                    Phase::Validate,
                    prompted::validated(spec, epochs, images.validation) + images.validation as f64,
                ),
                (Phase::Test, images.test as f64),
            ],
            shared: Vec::new(),
            decisive: Phase::Train,
        }
    }

    fn published_test_batch(&self, spec: &RunSpec) -> usize {
        published_batch(spec)
    }
}

/// A prompt and a head of a finished run.
struct TrainedJointly(Joined);

impl Trained for TrainedJointly {
    fn logits(
        &self,
        network: &LoadedNetwork,
        images: &dyn LabelledImages,
        observer: &mut dyn Observer,
    ) -> Result<SplitLogits> {
        let pass = Pass::test();
        let mut reporter = Reporter::new(observer);
        Ok(self
            .0
            .logits(&network.network, images, &pass, &mut reporter)?)
    }
}

fn adapt(means: &TrainingContext<'_>, journal: &mut Journal<'_>) -> Result<Adapted> {
    let &TrainingContext {
        run,
        dir,
        network,
        state,
        ..
    } = means;
    let prepared = PreparedSplits::of(run)?;
    let splits = prepared.splits(run);
    let start = prompted::start(means)?;
    let options = JointOptions {
        training: run.loop_options(),
        descent: Descent::of(&prompted::prompt(&run.spec))?,
    };
    let placement = network.network.placement();
    let head = LinearHead::init(
        network.network.width(),
        run.targets(),
        Seed(run.spec.training.seed),
        placement.dtype,
        &placement.device,
    )?;
    let finished = joint((start, head), splits, &options, state, journal)?;
    let Joined { prompt, head } = &finished.trained;
    let state = || finished.state.clone();
    let mut reporter = Reporter::new(journal);
    let mut logits = |images, phase| {
        let pass = Pass {
            phase,
            step: finished.steps,
            state: &state,
        };
        let network = &network.network;
        finished
            .trained
            .logits(network, images, &pass, &mut reporter)
    };
    let validation = splits
        .validation
        .map(|images| logits(images, Phase::Validate))
        .transpose()?;
    let test = logits(splits.test, Phase::Test)?;
    let picture = prompt.picture()?;
    journal.show_prompt(&picture);
    let tensors = HEAD.map(str::to_owned).into_iter().zip(head.parameters());
    Ok(Adapted {
        test,
        test_before_remap: None,
        validation,
        training: TrainingRecord {
            trained_values: prompt.trainable() + (network.network.width() + 1) * run.targets(),
            steps: finished.steps,
            final_loss: finished.final_loss,
            kept_epoch: finished.epoch,
            selected_accuracy: finished.selected_accuracy,
            grid: None,
            lbfgs: None,
            notes: notes(run, network),
        },
        mapping: None,
        preprocessing: describe(
            run.dataset.test.depth(),
            &run.transform,
            network.normalization,
        ),
        trained: (dir.prompt(), prompt.to_bytes(tensors.collect())?),
        picture: Some(picture),
    })
}
