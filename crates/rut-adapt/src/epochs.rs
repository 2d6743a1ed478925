//! The one training loop: epochs, batches, learning rate, scores, the best epoch, and going on after a stop. What a step
//! is, `linear_probe` and `visual_prompt` say.

mod method;
mod options;
mod position;

pub use method::Method;
pub use options::{LoopOptions, Shuffle};

use rut_data::{Order, batches};

use crate::error::{Error, Result};
use crate::evaluate::Pass;
use crate::event::{Event, Phase};
use crate::progress::{At, Reporter};
use crate::schedule::MultiStep;
use crate::select::{Best, Select};
use crate::state::State;
use position::Position;

/// A trained method.
#[derive(Clone, Debug)]
pub struct Finished<T> {
    /// What is kept, by the rule of selection.
    pub trained: T,
    /// The epoch that it is from, from 0.
    pub epoch: u32,
    /// Its accuracy on the split that the rule looked at; `None` for `last`.
    pub selected_accuracy: Option<f64>,
    /// Optimiser steps taken.
    pub steps: u64,
    /// Mean loss of the last epoch, nats.
    pub final_loss: f64,
    /// The state at the end, for passes that follow.
    pub state: State,
}

/// Trains `method` from the start, or from `resume`.
///
/// # Errors
/// If an option is out of range, a step fails, the loss is not finite, or the observer stops the loop.
pub fn train<M: Method>(
    method: &mut M,
    options: &LoopOptions,
    resume: Option<&State>,
    reporter: &mut Reporter<'_>,
) -> Result<Finished<M::Trained>> {
    let schedule = options.check()?;
    if method.images() == 0 {
        let (expected, found) = ("at least one training image".into(), "none".into());
        return Err(Error::Option {
            field: "training images",
            expected,
            found,
        });
    }
    let mut training = Training {
        options,
        schedule,
        at: Position::default(),
        best: None,
        final_loss: 0.0,
    };
    if let Some(state) = resume.filter(|state| state.has("epoch")) {
        training.restore(method, state)?;
    }
    while training.at.epoch < options.epochs {
        training.epoch(method, reporter)?;
    }
    Ok(training.finish(method))
}

struct Training<'a, T> {
    options: &'a LoopOptions,
    schedule: MultiStep,
    at: Position,
    best: Option<Best<T>>,
    final_loss: f64,
}

impl<T: Clone> Training<'_, T> {
    fn epoch<M: Method<Trained = T>>(
        &mut self,
        method: &mut M,
        reporter: &mut Reporter<'_>,
    ) -> Result<()> {
        let epoch = self.at.epoch;
        if self.at.batch == 0 {
            let state = self.state(method);
            let pass = Pass {
                phase: Phase::Map,
                step: self.at.step,
                state: &|| state.clone(),
            };
            method.before_epoch(epoch, &pass, reporter)?;
        }
        let order = match self.options.shuffle {
            Shuffle::On => Order::Shuffled {
                seed: self.options.seed,
                epoch,
            },
            Shuffle::Off => Order::Sequential,
        };
        let done = self.at.batch as usize;
        for indices in batches(method.images(), self.options.batch_size, order)
            .iter()
            .skip(done)
        {
            self.step(method, indices, reporter)?;
        }
        self.end_epoch(method, reporter)
    }

    fn step<M: Method<Trained = T>>(
        &mut self,
        method: &mut M,
        indices: &[usize],
        reporter: &mut Reporter<'_>,
    ) -> Result<()> {
        let epoch = self.at.epoch;
        let learning_rate = self.schedule.learning_rate(epoch);
        let scored = method.step(indices, learning_rate)?;
        if !scored.loss.is_finite() {
            return Err(Error::NonFiniteLoss {
                loss: scored.loss,
                step: self.at.step,
                epoch,
                learning_rate,
            });
        }
        self.at.batch += 1;
        self.at.step += 1;
        self.at.loss_sum += scored.loss * indices.len() as f64;
        self.at.correct += scored.correct as u64;
        reporter.event(&Event::Step {
            epoch,
            step: self.at.step,
            loss: scored.loss,
        })?;
        let total = method.images();
        let done = (self.at.batch as usize * self.options.batch_size).min(total);
        reporter.batch(
            At {
                phase: Phase::Train,
                done,
                total,
                step: self.at.step,
            },
            || self.state(method),
        )
    }

    /// Events come last: a state saved while the split is scored must not have told them already.
    fn end_epoch<M: Method<Trained = T>>(
        &mut self,
        method: &mut M,
        reporter: &mut Reporter<'_>,
    ) -> Result<()> {
        let (epoch, images) = (self.at.epoch, method.images() as f64);
        let scored = if self.options.scores_after(epoch) {
            self.watch(method, reporter)?
        } else {
            None
        };
        self.final_loss = self.at.loss_sum / images;
        reporter.event(&Event::Epoch {
            epoch,
            loss: self.final_loss,
            accuracy: self.at.correct as f64 / images,
            learning_rate: self.schedule.learning_rate(epoch),
        })?;
        if let Some(scored) = scored {
            reporter.event(&scored)?;
        }
        self.at = Position {
            epoch: epoch + 1,
            step: self.at.step,
            ..Position::default()
        };
        Ok(())
    }

    fn watch<M: Method<Trained = T>>(
        &mut self,
        method: &M,
        reporter: &mut Reporter<'_>,
    ) -> Result<Option<Event>> {
        let state = self.state(method);
        let pass = Pass {
            phase: Phase::Validate,
            step: self.at.step,
            state: &|| state.clone(),
        };
        let Some((logits, phase)) = method.watch(&pass, reporter)? else {
            return Ok(None);
        };
        let scores = logits.scores()?;
        if self.options.select != Select::Last {
            Best::offer(
                &mut self.best,
                scores.accuracy,
                self.at.epoch,
                &method.trained(),
            );
        }
        let split = if phase == Phase::Test {
            "test"
        } else {
            "validation"
        }
        .to_owned();
        Ok(Some(Event::Scored {
            epoch: self.at.epoch,
            split,
            accuracy: scores.accuracy,
            nll: scores.nll,
            ece: scores.ece,
        }))
    }

    fn state<M: Method<Trained = T>>(&self, method: &M) -> State {
        let mut state = State::default();
        self.at.save(&mut state);
        state.put_float("final_loss", self.final_loss);
        method.save_trained("trained", &method.trained(), &mut state);
        method.save(&mut state);
        if let Some(best) = &self.best {
            best.save(&mut state);
            method.save_trained("best", &best.trained, &mut state);
        }
        state
    }

    fn restore<M: Method<Trained = T>>(&mut self, method: &mut M, state: &State) -> Result<()> {
        self.at = Position::restore(state)?;
        self.final_loss = state.float("final_loss")?;
        self.best = Best::restore(state, || method.restore_trained("best", state))?;
        let trained = method.restore_trained("trained", state)?;
        method.restore(trained, state)
    }

    fn finish<M: Method<Trained = T>>(self, method: &M) -> Finished<T> {
        let state = self.state(method);
        let last = Best {
            accuracy: f64::NAN,
            epoch: self.options.epochs - 1,
            trained: method.trained(),
        };
        let selected_accuracy = self.best.as_ref().map(|best| best.accuracy);
        let kept = self.best.unwrap_or(last);
        let (steps, final_loss) = (self.at.step, self.final_loss);
        Finished {
            trained: kept.trained,
            epoch: kept.epoch,
            selected_accuracy,
            steps,
            final_loss,
            state,
        }
    }
}
