//! A prompt and a new linear head on the pooled features, trained together (SMM, table 14; LoR-VP).

use std::sync::Arc;

use candle_core::Tensor;
use rut_models::{FrozenNetwork, outputs, outputs_window};
use rut_record::{Phase, Select, SplitLogits};

use crate::descent::{Descending, Descent, PromptedBatch};
use crate::epochs::{Batched, Finished, LoopOptions, Trainer, train};
use crate::error::Result;
use crate::evaluate::Pass;
use crate::head::LinearHead;
use crate::images::{LabelledImages, image_tensor};
use crate::loss::Scored;
use crate::observer::Observer;
use crate::progress::Reporter;
use crate::prompt::{Prompt, Prompted};
use crate::state::TrainingState;
use crate::visual_prompt::{PromptSplits, PromptedNetwork};

/// How prompt and head are trained.
#[derive(Clone, Debug)]
pub struct JointOptions {
    /// Options of the training loop.
    pub training: LoopOptions,
    /// What trains them.
    pub descent: Descent,
}

/// A prompt and the head that it was trained with.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The prompt.
    pub prompt: Arc<dyn Prompt>,
    /// The head.
    pub head: LinearHead,
}

impl Joined {
    /// Target logits of all `images` by `network`.
    ///
    /// # Errors
    /// If an image cannot be read, the network fails, or the observer stops the pass.
    pub fn logits(
        &self,
        network: &Arc<dyn FrozenNetwork>,
        images: &dyn LabelledImages,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<SplitLogits> {
        let prompted = PromptedNetwork {
            network: network.clone(),
            prompt: self.prompt.clone(),
        };
        let classes = self.head.classes();
        prompted.split_logits(images, classes, pass, reporter, |outputs| {
            self.head.logits(&outputs.features)
        })
    }
}

/// Trains the prompt of `start` and `head` together for its network, or goes on from `resume`.
///
/// # Errors
/// If an option is out of range, an image cannot be read, the loss is not finite, or the observer stops the loop.
pub fn joint(
    (start, head): (PromptedNetwork, LinearHead),
    splits: PromptSplits<'_>,
    options: &JointOptions,
    resume: Option<&TrainingState>,
    observer: &mut dyn Observer,
) -> Result<Finished<Joined>> {
    let JointOptions { training, descent } = options;
    training.check_watched(splits.validation.map_or(0, LabelledImages::len))?;
    let PromptedNetwork { network, prompt } = start;
    let mut joining = Joining {
        network,
        splits,
        select: training.select,
        now: Joined { prompt, head },
        descending: Descending::new(descent, training.seed),
    };
    train(&mut joining, training, resume, &mut Reporter::new(observer))
}

/// A prompt and a head in training.
struct Joining<'a> {
    network: Arc<dyn FrozenNetwork>,
    splits: PromptSplits<'a>,
    select: Select,
    now: Joined,
    descending: Descending,
}

/// Features [n, width] of a prompted batch; differentiable in what it depends on.
fn features(network: &Arc<dyn FrozenNetwork>, input: &Prompted) -> Result<Tensor> {
    let both = match input {
        Prompted::Window(input) => outputs_window(
            network,
            &input.canvas,
            &input.patches,
            input.top,
            input.left,
        )?,
        Prompted::Images(images) => outputs(network, images)?,
    };
    Ok(both.narrow(1, 0, network.width())?)
}

impl Trainer for Joining<'_> {
    type Trained = Joined;

    fn images(&self) -> usize {
        self.splits.train.len()
    }

    fn before_epoch(&mut self, _: u32, _: &Pass<'_>, _: &mut Reporter<'_>) -> Result<()> {
        Ok(())
    }

    fn step(&mut self, batched: Batched<'_>, scored: &mut Vec<Scored>) -> Result<()> {
        let train = self.splits.train;
        let batch = train.training_batch(batched.indices, batched.epoch)?;
        let images = image_tensor(&batch, train.side(), &self.network.placement())?;
        let [weight, bias] = self.now.head.parameters();
        let follow = |input: &Prompted, tail: &[Tensor]| {
            let head = LinearHead {
                weight: tail[0].clone(),
                bias: tail[1].clone(),
            };
            Ok(head.logits(&features(&self.network, input)?)?)
        };
        let prompted = PromptedBatch {
            prompt: &self.now.prompt,
            images: &images,
            labels: &batch.labels,
            tail: &[weight, bias],
        };
        let stepped = self.descending.step(&prompted, batched.rate, &follow)?;
        scored.clear();
        scored.push(stepped.scored);
        self.now = Joined {
            prompt: stepped.prompt,
            head: LinearHead {
                weight: stepped.tail[0].clone(),
                bias: stepped.tail[1].clone(),
            },
        };
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
        let pass = Pass { phase, ..*pass };
        let logits = self.now.logits(&self.network, split, &pass, reporter)?;
        Ok(Some((logits, phase)))
    }

    fn trained(&self, _: usize) -> Result<Joined> {
        Ok(self.now.clone())
    }

    fn save_trained(&self, name: &str, trained: &Joined, state: &mut TrainingState) {
        trained.prompt.save(name, state);
        trained.head.save(&format!("{name}.head"), state);
    }

    fn restore_trained(&self, name: &str, state: &TrainingState) -> Result<Joined> {
        let head = format!("{name}.head");
        Ok(Joined {
            prompt: self.now.prompt.restore(name, state)?,
            head: LinearHead::restore(&head, state, &self.now.head)?,
        })
    }

    fn save(&self, state: &mut TrainingState) -> Result<()> {
        self.descending.save(state);
        Ok(())
    }

    fn restore(&mut self, trained: Vec<Joined>, state: &TrainingState) -> Result<()> {
        for trained in trained {
            let mut parameters = trained.prompt.values();
            parameters.extend(trained.head.parameters());
            self.descending.restore(state, &parameters)?;
            self.now = trained;
        }
        Ok(())
    }
}
