//! Visual prompting with a label map (ILM-VP, Chen et al., CVPR 2023, arXiv 2211.11635). The prompt itself and the maps
//! stand in `prompt` and `label_map`, the loop in `epochs`.

mod passes;

pub use passes::{PromptedNetwork, mapped};

use std::sync::Arc;

use candle_core::{Tensor, Var};
use rut_data::Seed;
use rut_models::FrozenNetwork;
use rut_record::{Phase, Select, SplitLogits};

use crate::epochs::{Finished, LoopOptions, Trainer, train};
use crate::error::{Error, Result};
use crate::evaluate::Pass;
use crate::images::{LabelledImages, image_tensor};
use crate::label_map::{LabelMap, MappingChoice, Refresh, check_classes};
use crate::loss::{Scored, cross_entropy, gradients, label_tensor, score};
use crate::observer::Observer;
use crate::optimizer::Adam;
use crate::progress::Reporter;
use crate::prompt::Prompt;
use crate::schedule::Rate;
use crate::state::TrainingState;

/// How a prompt is trained.
#[derive(Clone, Debug)]
pub struct PromptOptions {
    /// Options of the training loop.
    pub training: LoopOptions,
    /// Beside a label map.
    pub mapping: MappingChoice,
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
pub struct Mapped {
    /// The prompt.
    pub prompt: Arc<dyn Prompt>,
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
    resume: Option<&TrainingState>,
    observer: &mut dyn Observer,
) -> Result<Finished<Mapped>> {
    let PromptedNetwork { network, prompt } = start;
    let PromptOptions { training, mapping } = options;
    training.check_watched(splits.validation.map_or(0, LabelledImages::len))?;
    check_classes(network.classes(), splits.classes)?;
    let refresh = mapping.refresh()?;
    let (select, seed) = (training.select, training.seed);
    let now = Mapped { prompt, map: None };
    let mut prompting = Prompting {
        network,
        splits,
        mapping,
        refresh,
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
    mapping: &'a MappingChoice,
    refresh: Refresh,
    select: Select,
    seed: Seed,
    now: Mapped,
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

impl Trainer for Prompting<'_> {
    type Trained = Mapped;

    fn images(&self) -> usize {
        self.splits.train.len()
    }

    fn before_epoch(
        &mut self,
        epoch: u32,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<()> {
        let due = match self.refresh {
            Refresh::Every { epochs, .. } => epoch.is_multiple_of(epochs),
            Refresh::Once | Refresh::Never => self.now.map.is_none(),
        };
        if !due {
            return Ok(());
        }
        let made =
            self.prompted()
                .label_map(self.mapping, &self.splits, self.seed, pass, reporter)?;
        reporter.event(&mapped(epoch, &made, self.now.map.as_ref())?)?;
        self.now.map = Some(made.map);
        Ok(())
    }

    fn step(&mut self, indices: &[usize], rate: Rate, scored: &mut Vec<Scored>) -> Result<()> {
        let batch = self.splits.train.batch(indices)?;
        let Mapped {
            prompt,
            map: Some(map),
        } = &self.now
        else {
            return Err(Error::TrainingState {
                field: "map".into(),
                expected: "a label map".into(),
                found: "none".into(),
            });
        };
        let (side, placement) = (self.splits.train.side(), self.network.placement());
        let images = image_tensor(&batch, side, &placement)?;
        let (own, of_map) = (prompt.values(), map.parameters());
        let parameters: Vec<Tensor> = own.iter().chain(of_map).cloned().collect();
        let vars: Vec<Var> = parameters
            .iter()
            .map(Var::from_tensor)
            .collect::<Result<_, _>>()?;
        let traced: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
        let (for_prompt, for_map) = traced.split_at(own.len());
        let source = self.prompted().traced_logits(for_prompt, &images)?;
        let logits = map.with_parameters(for_map.to_vec()).apply(&source)?;
        let loss = cross_entropy(&logits, &label_tensor(&batch.labels, &logits)?)?;
        scored.clear();
        scored.push(score(&loss, &logits, &batch.labels)?);
        let gradients = gradients(&loss, &vars.iter().collect::<Vec<_>>())?;
        let mut stepped = self
            .adam
            .step(&parameters, &gradients, rate.learning_rate())?;
        let for_map = stepped.split_off(own.len());
        self.now = Mapped {
            prompt: prompt.with_parameters(&stepped),
            map: Some(map.with_parameters(for_map)),
        };
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
        Ok(Some((map.target_logits(&source)?, phase)))
    }

    fn trained(&self, _: usize) -> Result<Mapped> {
        Ok(self.now.clone())
    }

    fn save_trained(&self, name: &str, trained: &Mapped, state: &mut TrainingState) {
        trained.prompt.save(name, state);
        if let Some(map) = &trained.map {
            map.save(name, state);
        }
    }

    fn restore_trained(&self, name: &str, state: &TrainingState) -> Result<Mapped> {
        Ok(Mapped {
            prompt: self.now.prompt.restore(name, state)?,
            map: LabelMap::restore(name, state, self.network.classes())?,
        })
    }

    fn save(&self, state: &mut TrainingState) -> Result<()> {
        self.adam.save(state);
        Ok(())
    }

    fn restore(&mut self, trained: Vec<Mapped>, state: &TrainingState) -> Result<()> {
        for trained in trained {
            let mut parameters = trained.prompt.values();
            let of_map = trained.map.iter().flat_map(LabelMap::parameters);
            parameters.extend(of_map.cloned());
            self.adam = Adam::restore(state, &parameters)?;
            self.now = trained;
        }
        Ok(())
    }
}
