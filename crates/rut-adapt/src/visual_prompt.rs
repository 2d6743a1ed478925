//! Visual prompting with a label map (ILM-VP, Chen et al., CVPR 2023, arXiv 2211.11635). The prompt itself and the maps
//! stand in `prompt` and `label_map`, the loop in `epochs`.

mod passes;

use passes::source_logits;
pub use passes::{PromptedNetwork, mapped};

use std::cell::RefCell;
use std::sync::Arc;

use candle_core::Tensor;
use rut_data::Seed;
use rut_models::FrozenNetwork;
use rut_record::{Phase, Select, SplitLogits};

use crate::descent::{Descending, Descent, PromptedBatch};
use crate::epochs::{Batched, Finished, LoopOptions, Trainer, train};
use crate::error::{Error, Result};
use crate::evaluate::Pass;
use crate::images::{LabelledImages, image_tensor};
use crate::label_map::{Evidence, EvidenceFrom, LabelMap, MappingChoice, Refresh};
use crate::loss::Scored;
use crate::observer::Observer;
use crate::progress::Reporter;
use crate::prompt::{Prompt, Prompted};
use crate::state::TrainingState;

/// How a prompt is trained.
#[derive(Clone, Debug)]
pub struct PromptOptions {
    /// Options of the training loop.
    pub training: LoopOptions,
    /// What trains it.
    pub descent: Descent,
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
    /// Their names, for maps that are made of names.
    pub target_names: &'a [String],
    /// The names of the source classes, where they are known; else empty.
    pub source_names: &'a [String],
}

impl<'a> PromptSplits<'a> {
    /// The split that is looked at while training, by the rule of selection.
    pub fn watched(&self, select: Select) -> Option<(&'a dyn LabelledImages, Phase)> {
        match (select, self.validation) {
            (Select::BestTest, _) => Some((self.test, Phase::Test)),
            (_, Some(validation)) => Some((validation, Phase::Validate)),
            (_, None) => None,
        }
    }
}

/// A prompt and the label map that it was trained with.
#[derive(Clone, Debug)]
pub struct Mapped {
    /// The prompt.
    pub prompt: Arc<dyn Prompt>,
    /// The map; `None` before the first one was made.
    pub map: Option<LabelMap>,
    /// Source logits [n, source classes] of the split that was looked at with this prompt, so that no pass is made again. A saved
    /// state does not have them.
    pub watched: Option<Arc<SplitLogits>>,
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
    let PromptOptions {
        training,
        descent,
        mapping,
    } = options;
    training.check_watched(splits.validation.map_or(0, LabelledImages::len))?;
    mapping.check_classes(network.classes(), splits.classes)?;
    let refresh = mapping.refresh()?;
    let (select, seed) = (training.select, training.seed);
    let now = Mapped {
        prompt,
        map: None,
        watched: None,
    };
    let mut prompting = Prompting {
        network,
        splits,
        mapping,
        refresh,
        select,
        seed,
        now,
        descending: Descending::new(descent, seed),
        collected: None,
        watched: RefCell::new(None),
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
    descending: Descending,
    /// What training gave of the epoch at hand, where the next map is made of it.
    collected: Option<Evidence>,
    /// Source logits that the prompt as it is gave for the split that is looked at.
    watched: RefCell<Option<Arc<SplitLogits>>>,
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
        let prompted = self.prompted();
        let collected = self.collected.take();
        let mut evidence = |asked: Evidence| match collected.clone() {
            Some(collected) => Ok(collected),
            None => prompted.evidence(asked, self.splits.train, pass, reporter),
        };
        let (made, asked) = prompted.made(self.mapping, &self.splits, self.seed, &mut evidence)?;
        reporter.event(&mapped(epoch, &made, self.now.map.as_ref())?)?;
        self.now.map = Some(made.map);
        if matches!(
            self.refresh,
            Refresh::Every {
                from: EvidenceFrom::Training,
                ..
            }
        ) {
            self.collected = asked;
        }
        Ok(())
    }

    fn step(&mut self, batched: Batched<'_>, scored: &mut Vec<Scored>) -> Result<()> {
        let batch = self
            .splits
            .train
            .training_batch(batched.indices, batched.epoch)?;
        let Mapped {
            prompt,
            map: Some(map),
            ..
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
        let seen = RefCell::new(None);
        let follow = |input: &Prompted, tail: &[Tensor]| {
            let source = source_logits(&self.network, input)?;
            seen.borrow_mut().get_or_insert_with(|| source.detach());
            Ok(map.with_parameters(tail.to_vec()).apply(&source)?)
        };
        let prompted = PromptedBatch {
            prompt,
            images: &images,
            labels: &batch.labels,
            tail: map.parameters(),
        };
        let stepped = self.descending.step(&prompted, batched.rate, &follow)?;
        let map = map.with_parameters(stepped.tail);
        scored.clear();
        scored.push(stepped.scored);
        if let (Some(collected), Some(source)) = (&mut self.collected, seen.into_inner()) {
            collected.add(&source, &batch.labels)?;
        }
        self.now = Mapped {
            prompt: stepped.prompt,
            map: Some(map),
            watched: None,
        };
        *self.watched.get_mut() = None;
        Ok(())
    }

    fn watch(
        &self,
        _: usize,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<Option<(SplitLogits, Phase)>> {
        let Some((split, phase)) = self.splits.watched(self.select) else {
            return Ok(None);
        };
        let Some(map) = &self.now.map else {
            return Ok(None);
        };
        let pass = Pass { phase, ..*pass };
        let source = self.prompted().source_logits(split, &pass, reporter)?;
        let target = map.target_logits(&source)?;
        *self.watched.borrow_mut() = Some(Arc::new(source));
        Ok(Some((target, phase)))
    }

    fn trained(&self, _: usize) -> Result<Mapped> {
        Ok(Mapped {
            watched: self.watched.borrow().clone(),
            ..self.now.clone()
        })
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
            watched: None,
        })
    }

    fn save(&self, state: &mut TrainingState) -> Result<()> {
        self.descending.save(state);
        match &self.collected {
            Some(collected) => collected.save("collected", state),
            None => Ok(()),
        }
    }

    fn restore(&mut self, trained: Vec<Mapped>, state: &TrainingState) -> Result<()> {
        for trained in trained {
            let mut parameters = trained.prompt.values();
            let of_map = trained.map.iter().flat_map(LabelMap::parameters);
            parameters.extend(of_map.cloned());
            self.descending.restore(state, &parameters)?;
            self.now = trained;
        }
        let classes = (self.network.classes(), self.splits.classes);
        self.collected = Evidence::restore("collected", state, classes)?;
        Ok(())
    }
}
