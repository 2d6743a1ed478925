//! One training step of a prompt and of what follows the network: a label map or a head.

mod options;

pub use options::DESCENT_OPTIONS;

use std::sync::Arc;

use candle_core::{Tensor, Var};
use rut_data::Seed;

use crate::error::Result;
use crate::loss::{Scored, cross_entropy, gradients, label_tensor, score};
use crate::optimizer::{Adam, GradientDescent, GradientRule, Sgd, Spsa, SpsaOptions};
use crate::prompt::{Prompt, Prompted};
use crate::schedule::Rate;
use crate::state::TrainingState;

/// What trains a prompt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PromptOptimizer {
    /// Adam.
    Adam {
        /// Times the parameters, added to their gradients.
        weight_decay: f64,
    },
    /// Stochastic gradient descent.
    Sgd {
        /// μ.
        momentum: f64,
        /// Times the parameters, added to their gradients.
        weight_decay: f64,
    },
    /// Simultaneous perturbation: the network is asked for outputs alone.
    Spsa(SpsaOptions),
}

/// How a prompt is trained, but for the loop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Descent {
    /// What trains it.
    pub optimizer: PromptOptimizer,
    /// What is done to gradients before.
    pub gradient: GradientRule,
}

impl Default for Descent {
    fn default() -> Self {
        Self {
            optimizer: PromptOptimizer::Adam { weight_decay: 0.0 },
            gradient: GradientRule::default(),
        }
    }
}

/// A prompt and a batch of images that it is put on.
pub(crate) struct PromptedBatch<'a> {
    pub(crate) prompt: &'a Arc<dyn Prompt>,
    /// [n, 3, s, s]
    pub(crate) images: &'a Tensor,
    pub(crate) labels: &'a [u32],
    /// What is trained behind the network.
    pub(crate) tail: &'a [Tensor],
}

/// Target logits [n, T] of a prompted batch, with these values of what is trained behind the network.
pub(crate) type Follow<'a> = &'a dyn Fn(&Prompted, &[Tensor]) -> Result<Tensor>;

/// What a step made.
pub(crate) struct Stepped {
    pub(crate) prompt: Arc<dyn Prompt>,
    pub(crate) tail: Vec<Tensor>,
    pub(crate) scored: Scored,
}

/// An optimiser in use.
#[derive(Clone, Debug)]
enum Running {
    Gradient(GradientDescent),
    Spsa(Spsa),
}

/// A descent on its way.
#[derive(Clone, Debug)]
pub(crate) struct Descending {
    running: Running,
    rule: GradientRule,
}

impl Descending {
    pub(crate) fn new(descent: &Descent, seed: Seed) -> Self {
        let running = match descent.optimizer {
            PromptOptimizer::Adam { weight_decay } => {
                Running::Gradient(GradientDescent::Adam(Adam::with_decay(weight_decay)))
            }
            PromptOptimizer::Sgd {
                momentum,
                weight_decay,
            } => Running::Gradient(GradientDescent::Sgd(Sgd::new(momentum, weight_decay))),
            PromptOptimizer::Spsa(options) => Running::Spsa(Spsa::new(options, seed)),
        };
        Self {
            running,
            rule: descent.gradient,
        }
    }

    /// One step on `batch`.
    pub(crate) fn step(
        &mut self,
        batch: &PromptedBatch<'_>,
        rate: Rate,
        follow: Follow<'_>,
    ) -> Result<Stepped> {
        match &mut self.running {
            Running::Gradient(descent) => by_gradient(descent, self.rule, batch, rate, follow),
            Running::Spsa(spsa) => by_losses(spsa, batch, rate, follow),
        }
    }

    pub(crate) fn save(&self, state: &mut TrainingState) {
        match &self.running {
            Running::Gradient(descent) => descent.save(state),
            Running::Spsa(spsa) => spsa.save(state),
        }
    }

    pub(crate) fn restore(&mut self, state: &TrainingState, parameters: &[Tensor]) -> Result<()> {
        match &mut self.running {
            Running::Gradient(descent) => descent.restore(state, parameters),
            Running::Spsa(spsa) => spsa.restore(state, parameters),
        }
    }
}

impl PromptedBatch<'_> {
    /// Values of the prompt, then of what is trained behind the network.
    fn parameters(&self) -> Vec<Tensor> {
        let own = self.prompt.values().into_iter();
        own.chain(self.tail.iter().cloned()).collect()
    }

    fn loss(&self, logits: &Tensor) -> Result<Tensor> {
        Ok(cross_entropy(logits, &label_tensor(self.labels, logits)?)?)
    }

    /// What is left of the step, with `stepped` values of all parameters.
    fn stepped(&self, mut stepped: Vec<Tensor>, buffers: &[Tensor], scored: Scored) -> Stepped {
        let tail = stepped.split_off(stepped.len() - self.tail.len());
        let prompt = self.prompt.with_parameters(&stepped);
        Stepped {
            prompt: prompt.with_buffers(buffers).unwrap_or(prompt),
            tail,
            scored,
        }
    }
}

fn by_gradient(
    descent: &mut GradientDescent,
    rule: GradientRule,
    batch: &PromptedBatch<'_>,
    rate: Rate,
    follow: Follow<'_>,
) -> Result<Stepped> {
    let parameters = batch.parameters();
    let own = parameters.len() - batch.tail.len();
    let vars = parameters.iter().map(Var::from_tensor);
    let vars: Vec<Var> = vars.collect::<Result<_, _>>()?;
    let traced: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
    let (for_prompt, for_tail) = traced.split_at(own);
    let (prompted, buffers) = batch.prompt.train(for_prompt, batch.images)?;
    let logits = follow(&prompted, for_tail)?;
    let loss = batch.loss(&logits)?;
    let scored = score(&loss, &logits, batch.labels)?;
    let mut of_prompt = gradients(&loss, &vars.iter().collect::<Vec<_>>())?;
    let of_tail = of_prompt.split_off(own);
    let of_prompt = batch.prompt.mask_gradients(rule.of_prompt(of_prompt)?)?;
    let all = rule.clipped([of_prompt, of_tail].concat())?;
    let mut rates = batch.prompt.rates(rate);
    rates.resize(parameters.len(), rate.learning_rate());
    let stepped = descent.step(&parameters, &all, &rates)?;
    Ok(batch.stepped(stepped, &buffers, scored))
}

fn by_losses(
    spsa: &mut Spsa,
    batch: &PromptedBatch<'_>,
    rate: Rate,
    follow: Follow<'_>,
) -> Result<Stepped> {
    let parameters = batch.parameters();
    let own = parameters.len() - batch.tail.len();
    let (prompted, buffers) = batch.prompt.train(&parameters[..own], batch.images)?;
    let logits = follow(&prompted, batch.tail)?;
    let scored = score(&batch.loss(&logits)?, &logits, batch.labels)?;
    let loss = |values: &[Tensor]| -> Result<f64> {
        let prompted = batch.prompt.apply(&values[..own], batch.images)?;
        let logits = follow(&prompted, &values[own..])?;
        Ok(score(&batch.loss(&logits)?, &logits, batch.labels)?.loss)
    };
    let mut stepped = spsa.step(&parameters, rate.learning_rate(), loss)?;
    // What is not trained stays.
    let of_tail = stepped.split_off(own);
    let moved = stepped.iter().zip(&parameters).map(|(new, old)| new - old);
    let moved = batch
        .prompt
        .mask_gradients(moved.collect::<Result<_, _>>()?)?;
    let kept = moved
        .iter()
        .zip(&parameters)
        .map(|(moved, old)| old + moved);
    stepped = kept.collect::<Result<_, _>>()?;
    stepped.extend(of_tail);
    Ok(batch.stepped(stepped, &buffers, scored))
}
