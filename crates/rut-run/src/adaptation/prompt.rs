//! Visual prompting: prompt, label map, their logits. The loop is `rut_adapt::visual_prompt`.

use std::sync::Arc;

use rut_adapt::{
    Descent, EvidenceFrom, Finished, LabelMap, LabelledImages, MadeMap, Mapped, Observer, Pass,
    Prompt, PromptOptions, PromptSplits, PromptedNetwork, Refresh, Reporter, mapped, visual_prompt,
};
use rut_data::Dataset;
use rut_images::Transform;
use rut_models::ModelSpec;
use rut_record::{
    Adaptation, MappedSpec, MappingRecord, Phase, Record, RunSpec, SplitLogits, TrainingRecord,
};

use super::prompted::{self, PreparedSplits};
use super::{Adapted, Adapter, ImageCounts, Trained, TrainingContext, Workload, epochs, notes};
use crate::checked::CheckedRunSpec;
use crate::error::{Error, Result, refused};
use crate::fields::mapping_of;
use crate::images::describe;
use crate::journal::Journal;
use crate::names::source_name;
use crate::network::LoadedNetwork;

pub(super) struct Prompting;

/// What `spec` says of prompt and label map.
fn mapped_spec(spec: &RunSpec) -> MappedSpec {
    match &spec.adaptation {
        Adaptation::Prompt(mapped) => mapped.clone(),
        Adaptation::Probe(_) | Adaptation::Joint(_) => MappedSpec::default(),
    }
}

impl Adapter for Prompting {
    fn is_on_features(&self) -> bool {
        false
    }

    fn image_size(
        &self,
        spec: &RunSpec,
        model: &ModelSpec,
        dataset: &Dataset,
    ) -> Result<Option<usize>> {
        // What is wrong with the mapping's options is found before the run, too.
        mapping_of(&mapped_spec(spec))?.refresh()?;
        Ok(Some(prompted::image_size(spec, model, dataset)?))
    }

    fn transform(&self, _: &RunSpec, model: &ModelSpec, image_size: Option<usize>) -> Transform {
        prompted::transform(model, image_size)
    }

    fn describe(&self, run: &CheckedRunSpec) -> String {
        let mapping = mapped_spec(&run.spec).mapping;
        format!(
            "visual prompting: {}, mapping {mapping}",
            prompted::describe(run)
        )
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
        let (prompt, tensors) = untrained.from_bytes(bytes)?;
        let map = LabelMap::from_tensors(&tensors, network.network.classes())?;
        Ok(Box::new(TrainedPrompt { prompt, map }))
    }

    fn workload(&self, spec: &RunSpec, images: ImageCounts) -> Workload {
        let (train, epochs) = (images.train as f64, epochs(spec, images.train));
        let refresh = mapping_of(&mapped_spec(spec)).and_then(|m| Ok(m.refresh()?));
        let (maps, remaps) = match refresh {
            Ok(Refresh::Every {
                epochs: every,
                at_the_end,
                from,
            }) => (
                match from {
                    EvidenceFrom::Pass => epochs / f64::from(every),
                    EvidenceFrom::Training => 1.0,
                },
                if at_the_end { 1.0 } else { 0.0 },
            ),
            Ok(Refresh::Once) => (1.0, 0.0),
            Ok(Refresh::Never) | Err(_) => (0.0, 0.0),
        };
        // The last of these is the one after training.
        let validated = prompted::validated(spec, epochs, images.validation);
        Workload {
            own: vec![
                (Phase::Train, epochs * train),
                (Phase::Map, (maps + remaps) * train),
                (Phase::Validate, validated.max(images.validation as f64)),
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

/// Images in a batch of the reference's test of prompts (defect D3).
pub(super) fn published_batch(spec: &RunSpec) -> usize {
    match spec.data.dataset.as_str() {
        "abide" | "oxfordpets" => 64,
        _ => 128,
    }
}

/// A prompt and a label map of a finished run.
struct TrainedPrompt {
    prompt: Arc<dyn Prompt>,
    map: LabelMap,
}

impl Trained for TrainedPrompt {
    fn logits(
        &self,
        network: &LoadedNetwork,
        images: &dyn LabelledImages,
        observer: &mut dyn Observer,
    ) -> Result<SplitLogits> {
        let prompted = PromptedNetwork {
            network: network.network.clone(),
            prompt: self.prompt.clone(),
        };
        let pass = Pass::test();
        let source = prompted.source_logits(images, &pass, &mut Reporter::new(observer))?;
        Ok(self
            .map
            .target_logits(&source)
            .map_err(rut_adapt::Error::from)?)
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
    let transform = &run.transform;
    let prepared = PreparedSplits::of(run)?;
    let splits = prepared.splits(run);
    let start = prompted::start(means)?;
    let spec = mapped_spec(&run.spec);
    let options = PromptOptions {
        training: run.loop_options(),
        descent: Descent::of(&spec.prompt)?,
        mapping: mapping_of(&spec)?,
    };
    let finished = visual_prompt(start, splits, &options, state, journal)?;
    let scored = scored(means, &splits, &options, &finished, journal)?;
    let prompt = &finished.trained.prompt;
    let picture = prompt.picture()?;
    journal.show_prompt(&picture);
    Ok(Adapted {
        test: scored.test,
        test_before_remap: scored.test_before_remap,
        validation: scored.validation,
        training: TrainingRecord {
            trained_values: prompt.trainable() + scored.map.trained_values(),
            steps: finished.steps,
            final_loss: finished.final_loss,
            kept_epoch: finished.epoch,
            selected_accuracy: finished.selected_accuracy,
            grid: None,
            lbfgs: None,
            notes: notes(run, network),
        },
        preprocessing: describe(run.dataset.test.depth(), transform, network.normalization),
        trained: (dir.prompt(), prompt.to_bytes(scored.map.to_tensors()?)?),
        mapping: Some(scored.mapping),
        picture: Some(picture),
    })
}

struct Scored {
    test: SplitLogits,
    test_before_remap: Option<SplitLogits>,
    validation: Option<SplitLogits>,
    map: LabelMap,
    mapping: MappingRecord,
}

/// The passes after training. Events come last: a state saved on the way must not contain them already.
fn scored(
    means: &TrainingContext<'_>,
    splits: &PromptSplits<'_>,
    options: &PromptOptions,
    finished: &Finished<Mapped>,
    journal: &mut Journal<'_>,
) -> Result<Scored> {
    let run = means.run;
    let Mapped {
        prompt,
        map: Some(before),
        watched,
    } = &finished.trained
    else {
        return Err(refused("epochs", "at least 1", "no label map was made"));
    };
    let state = || finished.state.clone();
    let pass = |phase| Pass {
        phase,
        step: finished.steps,
        state: &state,
    };
    let mut reporter = Reporter::new(journal);
    let prompted = PromptedNetwork {
        network: means.network.network.clone(),
        prompt: prompt.clone(),
    };
    let made = match options.mapping.refresh()? {
        Refresh::Every {
            at_the_end: true, ..
        } => Some(prompted.label_map(
            &options.mapping,
            splits,
            options.training.seed,
            &pass(Phase::Map),
            &mut reporter,
        )?),
        _ => None,
    };
    let map = made.as_ref().map_or(before, |made| &made.map);
    let looked_at = splits.watched(options.training.select);
    let mut logits = |images, phase| match (watched, looked_at) {
        (Some(watched), Some((_, of))) if of == phase => Ok(SplitLogits::clone(watched)),
        _ => prompted.source_logits(images, &pass(phase), &mut reporter),
    };
    let validation = splits
        .validation
        .map(|images| logits(images, Phase::Validate))
        .transpose()?;
    let test = logits(splits.test, Phase::Test)?;
    if let Some(made) = &made {
        let event = mapped(options.training.epochs, made, Some(before))?;
        journal
            .event(&event)
            .map_err(|error| Error::from(rut_adapt::Error::Observer(error)))?;
    }
    let target = |source| map.target_logits(source).map_err(rut_adapt::Error::from);
    let test_before = made.as_ref().map(|_| before.target_logits(&test));
    Ok(Scored {
        test_before_remap: test_before.transpose().map_err(rut_adapt::Error::from)?,
        validation: validation.as_ref().map(target).transpose()?,
        test: target(&test)?,
        mapping: mapping_record(run, map, before, made.as_ref())?,
        map: map.clone(),
    })
}

fn mapping_record(
    run: &CheckedRunSpec,
    map: &LabelMap,
    before: &LabelMap,
    made: Option<&MadeMap>,
) -> Result<MappingRecord> {
    let name = |&source: &u32| {
        source_name(&run.spec, source).map_or_else(|| source.to_string(), str::to_owned)
    };
    let sources = map.sources().unwrap_or_default();
    Ok(MappingRecord {
        sources: sources.to_vec(),
        source_names: sources.iter().map(name).collect(),
        sources_before_remap: before.sources().unwrap_or_default().to_vec(),
        weights: map.weights()?,
        weights_before_remap: before.weights()?,
        churn: made.map(|made| made.map.churn(before)).transpose()?,
        ties: made.map(|made| made.ties),
        without_evidence: made.map(|made| made.without_evidence.clone()),
    })
}
