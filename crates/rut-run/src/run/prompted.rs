//! A run of visual prompting: prompt, label map, their logits. The loop is `rut_adapt::visual_prompt`.

use candle_core::{DType, Device};
use rut_adapt::epochs::Finished;
use rut_adapt::evaluate::Pass;
use rut_adapt::images::LabelledImages;
use rut_adapt::label_map::{FrequencyMap, LabelMap, Refresh};
use rut_adapt::observer::Observer;
use rut_adapt::progress::Reporter;
use rut_adapt::prompt::{PaddingOptions, PaddingPrompt};
use rut_adapt::visual_prompt::{
    PromptOptions, PromptSplits, Prompted, PromptedNetwork, mapped, visual_prompt,
};
use rut_data::Window;
use rut_models::ModelSpec;
use rut_record::{MappingRecord, Phase, Remap, SplitLogits, TrainingRecord};

use super::{Adapted, Means, notes};
use crate::checked::CheckedRunSpec;
use crate::error::{Error, Result, refused};
use crate::images::{describe, prepare};
use crate::journal::Journal;
use crate::network::LoadedNetwork;

/// The prompt before training, around images of `image_size` pixels that fill their square as `window` says.
///
/// # Errors
/// If the image leaves no border.
pub(crate) fn untrained_prompt(
    model: &ModelSpec,
    (image_size, window): (Option<usize>, Window),
    network: &LoadedNetwork,
) -> Result<PaddingPrompt> {
    let canvas = model.input_size as usize;
    let options = PaddingOptions {
        canvas,
        image_size: image_size.unwrap_or(canvas),
        window,
        normalization: network.normalization,
    };
    Ok(PaddingPrompt::new(options, DType::F32, &Device::Cpu)?)
}

pub(super) fn adapt(means: &Means<'_>, journal: &mut Journal<'_>) -> Result<Adapted> {
    let &Means {
        run,
        dir,
        network,
        state,
        ..
    } = means;
    let transform = run.transform();
    let train = prepare(&run.train, &transform)?;
    let validation = match run.validation.is_empty() {
        true => None,
        false => Some(prepare(&run.validation, &transform)?),
    };
    let test = prepare(&run.dataset.test, &transform)?;
    let splits = PromptSplits {
        train: &train,
        validation: validation
            .as_ref()
            .map(|images| images as &dyn LabelledImages),
        test: &test,
        classes: run.targets(),
    };
    let start = PromptedNetwork {
        network: network.network.clone(),
        prompt: untrained_prompt(run.model, (run.image_size, run.dataset.window), network)?,
    };
    let options = PromptOptions {
        training: run.loop_options(),
        mapping: run.mapping_options(),
    };
    let finished = visual_prompt(start, splits, &options, state, journal)?;
    let scored = scored(run, network, &splits, &finished, journal)?;
    let prompt = &finished.trained.prompt;
    journal.show_prompt(prompt);
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
        preprocessing: describe(run.dataset.test.depth(), &transform, network.normalization),
        trained: (dir.prompt(), prompt.to_bytes(&scored.mapping.sources)?),
        mapping: Some(scored.mapping),
    })
}

struct Scored {
    test: SplitLogits,
    test_before_remap: Option<SplitLogits>,
    validation: Option<SplitLogits>,
    mapping: MappingRecord,
}

/// The passes after training. Events come last: a state saved on the way must not have told them already.
fn scored(
    run: &CheckedRunSpec,
    network: &LoadedNetwork,
    splits: &PromptSplits<'_>,
    finished: &Finished<Prompted>,
    journal: &mut Journal<'_>,
) -> Result<Scored> {
    let Prompted {
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
        network: network.network.clone(),
        prompt: prompt.clone(),
    };
    let again = run.spec.remap == Remap::On && run.mapping.refresh == Refresh::EveryEpoch;
    let made = match again {
        true => Some(prompted.remap(splits, run.spec.ties, &pass(Phase::Map), &mut reporter)?),
        false => None,
    };
    let map = made.as_ref().map_or(before, |made| &made.map);
    let mut logits = |images, phase| prompted.source_logits(images, &pass(phase), &mut reporter);
    let validation = splits
        .validation
        .map(|images| logits(images, Phase::Validate))
        .transpose()?;
    let test = logits(splits.test, Phase::Test)?;
    if let Some(made) = &made {
        let event = mapped(run.loop_options().epochs, made, Some(before));
        journal
            .event(&event)
            .map_err(|error| Error::from(rut_adapt::Error::Observer(error)))?;
    }
    Ok(Scored {
        test: map.target_logits(&test),
        test_before_remap: made.as_ref().map(|_| before.target_logits(&test)),
        validation: validation.map(|source| map.target_logits(&source)),
        mapping: mapping_record(run, map, before, made.as_ref()),
    })
}

fn mapping_record(
    run: &CheckedRunSpec,
    map: &LabelMap,
    before: &LabelMap,
    made: Option<&FrequencyMap>,
) -> MappingRecord {
    let names = run.model.upstream.class_names();
    let name = |&source: &u32| {
        names
            .get(source as usize)
            .map_or_else(|| source.to_string(), |name| (*name).to_owned())
    };
    MappingRecord {
        sources: map.sources().to_vec(),
        source_names: map.sources().iter().map(name).collect(),
        sources_before_remap: before.sources().to_vec(),
        churn: made.map(|made| made.map.churn(before)),
        ties: made.map(|made| made.ties),
        without_evidence: made.map(|made| made.without_evidence.clone()),
    }
}
