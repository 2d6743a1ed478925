//! Visual prompting with a label map (ILM-VP, Chen et al., CVPR 2023, arXiv 2211.11635). The prompt itself and the maps
//! stand in `prompt` and `label_map`, the loop in `epochs`.

mod passes;

pub use passes::{PromptedNetwork, mapped};

use std::sync::Arc;

use candle_core::Var;
use rut_data::Seed;
use rut_models::{FrozenNetwork, logits_window};
use rut_record::{Phase, Select, SplitLogits, Ties};

use crate::epochs::{Finished, LoopOptions, Method, train};
use crate::error::{Error, Result};
use crate::evaluate::Pass;
use crate::images::{LabelledImages, image_tensor};
use crate::label_map::{
    FrequencyMap, LabelMap, LabelMappingSpec, Refresh, check_classes, random_map,
};
use crate::loss::{Scored, cross_entropy, gradients, label_tensor, score};
use crate::observer::Observer;
use crate::optimizer::Adam;
use crate::progress::Reporter;
use crate::prompt::PaddingPrompt;
use crate::schedule::Rate;
use crate::state::State;

/// How labels are mapped.
#[derive(Clone, Copy, Debug)]
pub struct MappingOptions {
    /// Which mapping.
    pub mapping: &'static LabelMappingSpec,
    /// What decides between equal counts.
    pub ties: Ties,
    /// Make the map again every so many epochs (where the mapping is made again at all); at least 1.
    pub interval: u32,
}

/// How a prompt is trained.
#[derive(Clone, Debug)]
pub struct PromptOptions {
    /// As any loop.
    pub training: LoopOptions,
    /// Beside a label map.
    pub mapping: MappingOptions,
}

/// What a prompt is trained and looked at on. Labels are below `classes`.
#[derive(Clone, Copy)]
pub struct PromptSplits<'a> {
    /// Trained on, and mapped on.
    pub train: &'a dyn LabelledImages,
    /// Scored while training; chosen on with `best-val`.
    pub validation: Option<&'a dyn LabelledImages>,
    /// Looked at while training with `best-test` only.
    pub test: &'a dyn LabelledImages,
    /// Number of target classes.
    pub classes: usize,
}

/// A prompt and the label map that it was trained with.
#[derive(Clone, Debug)]
pub struct Prompted {
    /// The prompt.
    pub prompt: PaddingPrompt,
    /// The map; `None` before the first one was made.
    pub map: Option<LabelMap>,
}

/// Trains the prompt of `start` for its network, or goes on from `resume`.
///
/// # Errors
/// If an option is out of range, there are more target than source classes, an image cannot be read, the loss is not
/// finite, or the observer stops the loop.
pub fn visual_prompt(
    start: PromptedNetwork,
    splits: PromptSplits<'_>,
    options: &PromptOptions,
    resume: Option<&State>,
    observer: &mut dyn Observer,
) -> Result<Finished<Prompted>> {
    let PromptedNetwork { network, prompt } = start;
    let PromptOptions { training, mapping } = options;
    training.check_watched(splits.validation.map_or(0, LabelledImages::len))?;
    check_classes(network.classes(), splits.classes)?;
    if mapping.interval == 0 {
        return Err(Error::Option {
            field: "mapping_interval",
            expected: "at least 1".into(),
            found: "0".into(),
        });
    }
    let (select, seed, mapping) = (training.select, training.seed, *mapping);
    let now = Prompted { prompt, map: None };
    let mut prompting = Prompting {
        network,
        splits,
        mapping,
        select,
        seed,
        now,
        adam: Adam::new(),
    };
    train(
        &mut prompting,
        training,
        resume,
        &mut Reporter::new(observer),
    )
}

/// A prompt in training.
struct Prompting<'a> {
    network: Arc<dyn FrozenNetwork>,
    splits: PromptSplits<'a>,
    mapping: MappingOptions,
    select: Select,
    seed: Seed,
    now: Prompted,
    adam: Adam,
}

impl Prompting<'_> {
    fn prompted(&self) -> PromptedNetwork {
        PromptedNetwork {
            network: self.network.clone(),
            prompt: self.now.prompt.clone(),
        }
    }
}

impl Method for Prompting<'_> {
    type Trained = Prompted;

    fn images(&self) -> usize {
        self.splits.train.len()
    }

    fn before_epoch(
        &mut self,
        epoch: u32,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<()> {
        let due = match self.mapping.mapping.refresh {
            Refresh::EveryEpoch => epoch.is_multiple_of(self.mapping.interval),
            Refresh::Once | Refresh::Never => self.now.map.is_none(),
        };
        if !due {
            return Ok(());
        }
        let made = match self.mapping.mapping.refresh {
            Refresh::Never => {
                let map = random_map(self.network.classes(), self.splits.classes, self.seed)?;
                FrequencyMap {
                    map,
                    ties: 0,
                    without_evidence: Vec::new(),
                }
            }
            Refresh::Once | Refresh::EveryEpoch => {
                self.prompted()
                    .remap(&self.splits, self.mapping.ties, pass, reporter)?
            }
        };
        reporter.event(&mapped(epoch, &made, self.now.map.as_ref()))?;
        self.now.map = Some(made.map);
        Ok(())
    }

    fn step(&mut self, indices: &[usize], rate: Rate, scored: &mut Vec<Scored>) -> Result<()> {
        let batch = self.splits.train.batch(indices)?;
        let Prompted {
            prompt,
            map: Some(map),
        } = &self.now
        else {
            return Err(Error::State {
                field: "map".into(),
                expected: "a label map".into(),
                found: "none".into(),
            });
        };
        let images = image_tensor(
            &batch,
            self.splits.train.side(),
            self.network.dtype(),
            self.network.device(),
        )?;
        let program = Var::from_tensor(&prompt.program)?;
        let input = prompt.apply(program.as_tensor(), &images)?;
        let source = logits_window(
            &self.network,
            &input.canvas,
            &input.patches,
            input.top,
            input.left,
        )?;
        let logits = map.apply(&source)?;
        let loss = cross_entropy(&logits, &label_tensor(&batch.labels, &logits)?)?;
        scored.clear();
        scored.push(score(&loss, &logits, &batch.labels)?);
        let gradients = gradients(&loss, &[&program])?;
        let stepped = self.adam.step(
            std::slice::from_ref(&prompt.program),
            &gradients,
            rate.learning_rate(),
        )?;
        if let Some(program) = stepped.into_iter().next() {
            self.now.prompt = prompt.with_program(program);
        }
        Ok(())
    }

    fn watch(
        &self,
        _: usize,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<Option<(SplitLogits, Phase)>> {
        let (split, phase) = match (self.select, self.splits.validation) {
            (Select::BestTest, _) => (self.splits.test, Phase::Test),
            (_, Some(validation)) => (validation, Phase::Validate),
            (_, None) => return Ok(None),
        };
        let Some(map) = &self.now.map else {
            return Ok(None);
        };
        let pass = Pass { phase, ..*pass };
        let source = self.prompted().source_logits(split, &pass, reporter)?;
        Ok(Some((map.target_logits(&source), phase)))
    }

    fn trained(&self, _: usize) -> Result<Prompted> {
        Ok(self.now.clone())
    }

    fn save_trained(&self, name: &str, trained: &Prompted, state: &mut State) {
        trained.prompt.save(&format!("{name}.program"), state);
        if let Some(map) = &trained.map {
            state.put_classes(&format!("{name}.sources"), map.sources());
        }
    }

    fn restore_trained(&self, name: &str, state: &State) -> Result<Prompted> {
        let prompt = self.now.prompt.restore(&format!("{name}.program"), state)?;
        let sources = format!("{name}.sources");
        let map = match state.has(&sources) {
            true => Some(LabelMap::new(
                state.classes(&sources)?,
                self.network.classes(),
            )?),
            false => None,
        };
        Ok(Prompted { prompt, map })
    }

    fn save(&self, state: &mut State) -> Result<()> {
        self.adam.save(state);
        Ok(())
    }

    fn restore(&mut self, trained: Vec<Prompted>, state: &State) -> Result<()> {
        for trained in trained {
            self.adam = Adam::restore(state, std::slice::from_ref(&trained.prompt.program))?;
            self.now = trained;
        }
        Ok(())
    }
}
