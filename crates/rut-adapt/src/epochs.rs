//! The one training loop: epochs, batches, learning rate, scores, the best epoch, and going on after a stop. What a step
//! is, `linear_probe` and `visual_prompt` say.

use rut_data::{Order, Seed, batches};

use crate::error::{Error, Result};
use crate::evaluate::{Pass, SplitLogits};
use crate::event::{Event, Phase};
use crate::loss::Scored;
use crate::progress::{At, Reporter};
use crate::schedule::MultiStep;
use crate::select::{Best, Select, position};
use crate::state::State;

/// In which order the images of an epoch come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shuffle {
    /// Another seeded order every epoch.
    #[default]
    On,
    /// As they are.
    Off,
}

/// How long and how a loop trains.
#[derive(Clone, Debug, PartialEq)]
pub struct LoopOptions {
    /// Passes over the training images.
    pub epochs: u32,
    /// Images per step; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Adam's learning rate at the start.
    pub learning_rate: f64,
    /// Seeds the order of the images and what the method draws.
    pub seed: Seed,
    /// Order of the images.
    pub shuffle: Shuffle,
    /// Which epoch's parameters are kept.
    pub select: Select,
    /// Score the validation split (with `best-test` the test split) every so many epochs, and after the last; 0 for never.
    pub eval_every: u32,
}

impl LoopOptions {
    /// The learning-rate schedule.
    ///
    /// # Errors
    /// If an option lies outside its range.
    pub fn check(&self) -> Result<MultiStep> {
        let refuse = |field, expected: &str, found: String| {
            Err(Error::Option {
                field,
                expected: expected.into(),
                found,
            })
        };
        if self.epochs == 0 {
            return refuse("epochs", "at least 1", "0".into());
        }
        if self.batch_size == 0 {
            return refuse("batch_size", "at least 1", "0".into());
        }
        if self.select != Select::Last && self.eval_every == 0 {
            return refuse(
                "eval_every",
                "at least 1, for the best epoch is looked for",
                "0".into(),
            );
        }
        MultiStep::new(self.learning_rate, self.epochs)
    }

    fn scores_after(&self, epoch: u32) -> bool {
        self.eval_every > 0
            && ((epoch + 1).is_multiple_of(self.eval_every) || epoch + 1 == self.epochs)
    }
}

/// What a method does in the loop.
pub trait Method {
    /// What is trained, as much of it as a selected epoch needs.
    type Trained: Clone;

    /// Number of training images.
    fn images(&self) -> usize;

    /// Called before the first batch of `epoch`.
    ///
    /// # Errors
    /// If the method's preparation fails.
    fn before_epoch(
        &mut self,
        epoch: u32,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<()>;

    /// One optimiser step on the images at `indices`; loss and hits are those before it.
    ///
    /// # Errors
    /// If a tensor operation or reading an image fails.
    fn step(&mut self, indices: &[usize], learning_rate: f64) -> Result<Scored>;

    /// Target logits of the split that is looked at while training, and its name; `None` if there is none.
    ///
    /// # Errors
    /// If a tensor operation or reading an image fails.
    fn watch(
        &self,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<Option<(SplitLogits, Phase)>>;

    /// What is trained, as it is now.
    fn trained(&self) -> Self::Trained;

    /// Writes `trained` into a state under `name`.
    fn save_trained(&self, name: &str, trained: &Self::Trained, state: &mut State);

    /// What [`save_trained`](Self::save_trained) wrote.
    ///
    /// # Errors
    /// If it is missing or of another shape.
    fn restore_trained(&self, name: &str, state: &State) -> Result<Self::Trained>;

    /// Writes everything but what is trained into a state (the optimiser, say).
    fn save(&self, state: &mut State);

    /// Takes over what is trained and what [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// If something is missing or of another shape.
    fn restore(&mut self, trained: Self::Trained, state: &State) -> Result<()>;
}

/// Where the loop is: `batch` batches of `epoch` are done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Position {
    epoch: u32,
    batch: u32,
    step: u64,
    loss_sum: f64,
    correct: u64,
}

impl Position {
    fn save(&self, state: &mut State) {
        state.put_number("epoch", self.epoch.into());
        state.put_number("batch", self.batch.into());
        state.put_number("step", self.step);
        state.put_float("loss_sum", self.loss_sum);
        state.put_number("correct", self.correct);
    }

    fn restore(state: &State) -> Result<Self> {
        Ok(Self {
            epoch: position(state, "epoch")?,
            batch: position(state, "batch")?,
            step: state.number("step")?,
            loss_sum: state.float("loss_sum")?,
            correct: state.number("correct")?,
        })
    }
}

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
