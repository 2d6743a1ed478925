//! Visual prompting: prompt, label map, their logits. The loop is `rut_adapt::visual_prompt`.

use std::sync::Arc;

use rut_adapt::{
    Finished, LabelMap, LabelledImages, MadeMap, Mapped, Observer, Pass, Prompt, PromptOptions,
    PromptShape, PromptSplits, PromptedNetwork, Refresh, Reporter, TrainingState, mapped,
    visual_prompt,
};
use rut_data::{Dataset, ImageRegion};
use rut_formats::regular;
use rut_images::{ColorOrder, Transform};
use rut_models::{ModelSpec, Normalization, Placement};
use rut_record::{
    MappingRecord, Phase, PromptSpec, Record, RunDir, RunSpec, SplitLogits, TrainingRecord,
};

use super::{Adapted, Adapter, ImageCounts, Trained, TrainingContext, Workload, epochs, notes};
use crate::checked::CheckedRunSpec;
use crate::error::{Error, Result, file, refused};
use crate::fields::mapping_of;
use crate::images::{describe, prepare};
use crate::journal::Journal;
use crate::names::{find_model, find_prompt};
use crate::network::LoadedNetwork;
use crate::transform::normalization;

pub(super) struct Prompting;

/// What `spec` says of the prompt.
fn prompt(spec: &RunSpec) -> PromptSpec {
    spec.prompt().cloned().unwrap_or_default()
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
        let prompt = prompt(spec);
        let row = find_prompt(&prompt.prompt)?;
        // What is wrong with the mapping's options is found before the run, too.
        mapping_of(&prompt)?.refresh()?;
        let own = dataset.prompt_size.map(|side| side as usize);
        let side = (row.image_size)(&prompt.options, model.input_size as usize, own)?;
        Ok(Some(side))
    }

    fn transform(&self, _: &RunSpec, model: &ModelSpec, image_size: Option<usize>) -> Transform {
        let side = image_size.map_or(model.input_size, |side| side as u32);
        Transform::squash(side, ColorOrder::RgbThenResize)
    }

    fn describe(&self, run: &CheckedRunSpec) -> String {
        format!(
            "visual prompting: {}-pixel images on a {}-pixel canvas, mapping {}",
            run.image_size.unwrap_or(0),
            run.model.input_size,
            prompt(&run.spec).mapping
        )
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
        let untrained = recorded(record, model, network.normalization, &placement)?;
        let (prompt, map) = untrained.from_bytes(bytes, network.network.classes())?;
        Ok(Box::new(TrainedPrompt { prompt, map }))
    }

    fn workload(&self, spec: &RunSpec, images: ImageCounts) -> Workload {
        let (train, epochs) = (images.train as f64, epochs(spec, images.train));
        let (maps, remaps) = match mapping_of(&prompt(spec)).and_then(|m| Ok(m.refresh()?)) {
            Ok(Refresh::Every {
                epochs: every,
                at_the_end,
            }) => (
                epochs / f64::from(every),
                if at_the_end { 1.0 } else { 0.0 },
            ),
            Ok(Refresh::Once) => (1.0, 0.0),
            Ok(Refresh::Never) | Err(_) => (0.0, 0.0),
        };
        let validations = match spec.eval_interval(epochs.ceil() as u32) {
            0 => 0.0,
            every => epochs / f64::from(every),
        };
        Workload {
            own: vec![
                (Phase::Train, epochs * train),
                (Phase::Map, (maps + remaps) * train),
                (
                    Phase::Validate,
                    (validations + 1.0) * images.validation as f64,
                ),
                (Phase::Test, (1.0 + remaps) * images.test as f64),
            ],
            shared: Vec::new(),
            decisive: Phase::Train,
        }
    }

    fn published_test_batch(&self, spec: &RunSpec) -> usize {
        match spec.data.dataset.as_str() {
            "abide" | "oxfordpets" => 64,
            _ => 128,
        }
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
        let pass = Pass {
            phase: Phase::Test,
            step: 0,
            state: &TrainingState::default,
        };
        let source = prompted.source_logits(images, &pass, &mut Reporter::new(observer))?;
        Ok(self
            .map
            .target_logits(&source)
            .map_err(rut_adapt::Error::from)?)
    }
}

/// The prompt of `spec` before training.
///
/// # Errors
/// If it leaves nothing to train.
fn untrained(spec: &RunSpec, shape: PromptShape, placement: &Placement) -> Result<Arc<dyn Prompt>> {
    let prompt = prompt(spec);
    let row = find_prompt(&prompt.prompt)?;
    Ok((row.new)(shape, &prompt.options, placement)?)
}

/// The prompt of a finished run before it was trained.
fn recorded(
    record: &Record,
    model: &ModelSpec,
    normalization: Normalization,
    placement: &Placement,
) -> Result<Arc<dyn Prompt>> {
    let known = rut_data::find(&record.spec.data.dataset);
    let shape = PromptShape {
        canvas: model.input_size as usize,
        image_size: record.data.image_size.unwrap_or(model.input_size as usize),
        region: known.map_or(ImageRegion::Whole, |dataset| dataset.region),
        normalization,
    };
    untrained(&record.spec, shape, placement)
}

/// The prompt of the finished run in `dir` as a PNG file, drawn from what it trained. `prompt.png` beside it is for people: no
/// checksum covers it.
///
/// # Errors
/// If its file cannot be read.
pub fn draw_prompt(dir: &RunDir, record: &Record) -> rut_record::Result<Vec<u8>> {
    let path = dir.prompt();
    let draw = || -> Result<Vec<u8>> {
        let bytes = regular::read(&path, regular::WEIGHTS).map_err(file("read", &path))?;
        let model = find_model(&record.spec.network.model)?;
        let normalization = normalization(&record.spec, model);
        let untrained = recorded(record, model, normalization, &Placement::default())?;
        let sources = record.network.source_classes.unwrap_or(1);
        let (prompt, _) = untrained.from_bytes(&bytes, sources)?;
        Ok(rut_images::encode_png(&prompt.picture()?)?)
    };
    draw().map_err(|error| match error {
        Error::Record(error) => error,
        error => rut_record::Error::broken(&path, error.to_string()),
    })
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
    let train = prepare(&run.train, transform)?;
    let validation = if run.validation.is_empty() {
        None
    } else {
        Some(prepare(&run.validation, transform)?)
    };
    let test = prepare(&run.dataset.test, transform)?;
    let splits = PromptSplits {
        train: &train,
        validation: validation
            .as_ref()
            .map(|images| images as &dyn LabelledImages),
        test: &test,
        classes: run.targets(),
    };
    let canvas = run.model.input_size as usize;
    let shape = PromptShape {
        canvas,
        image_size: run.image_size.unwrap_or(canvas),
        region: run.dataset.region,
        normalization: network.normalization,
    };
    let start = PromptedNetwork {
        network: network.network.clone(),
        prompt: untrained(&run.spec, shape, &run.computing.placement)?,
    };
    let options = PromptOptions {
        training: run.loop_options(),
        mapping: mapping_of(&prompt(&run.spec))?,
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
            trained_values: prompt.trainable(),
            steps: finished.steps,
            final_loss: finished.final_loss,
            kept_epoch: finished.epoch,
            selected_accuracy: finished.selected_accuracy,
            grid: None,
            lbfgs: None,
            notes: notes(run, network),
        },
        preprocessing: describe(run.dataset.test.depth(), transform, network.normalization),
        trained: (dir.prompt(), prompt.to_bytes(&scored.map)?),
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
    let mut logits = |images, phase| prompted.source_logits(images, &pass(phase), &mut reporter);
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
    let names = run.model.upstream.class_names();
    let name = |&source: &u32| {
        names
            .get(source as usize)
            .map_or_else(|| source.to_string(), |name| (*name).to_owned())
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
