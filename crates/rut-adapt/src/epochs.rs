//! The one training loop: epochs, batches, learning rate, scores, the best epoch, and going on after a stop. What a step
//! is, `linear_probe` and `visual_prompt` say.

mod member;
mod options;
mod position;
mod trainer;

pub use options::LoopOptions;
pub use trainer::{Batched, Trainer};

use rut_data::{Order, batches};
use rut_record::{Event, MemberEpoch, MemberScore, Phase, Scores, Select, Shuffle};

use crate::error::{Error, Result};
use crate::evaluate::Pass;
use crate::loss::Scored;
use crate::progress::{At, Reporter};
use crate::schedule::{Rate, Schedule};
use crate::select::{Best, is_better};
use crate::state::TrainingState;
use member::{Member, Names};
use position::Position;

/// A trained method, or a member of one.
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
    /// Whether its loss stopped being a number (of a member beside others; alone, it is an error).
    pub diverged: bool,
    /// The state at the end, for passes that follow.
    pub state: TrainingState,
}

/// Trains `trainer`, which has one member, from the start, or from `resume`.
///
/// # Errors
/// As [`train_members`].
pub fn train<M: Trainer>(
    trainer: &mut M,
    options: &LoopOptions,
    resume: Option<&TrainingState>,
    reporter: &mut Reporter<'_>,
) -> Result<Finished<M::Trained>> {
    let mut members = train_members(trainer, options, resume, reporter)?;
    match (members.pop(), members.len()) {
        (Some(only), 0) => Ok(only),
        (_, others) => Err(Error::Option {
            field: "members",
            expected: "one".into(),
            found: (others + 1).to_string(),
        }),
    }
}

/// Trains all members of `trainer` on the same batches, from the start, or from `resume`. There is at least one.
///
/// # Errors
/// If an option is out of range, a step fails, no member's loss is finite, or the observer stops the loop.
pub fn train_members<M: Trainer>(
    trainer: &mut M,
    options: &LoopOptions,
    resume: Option<&TrainingState>,
    reporter: &mut Reporter<'_>,
) -> Result<Vec<Finished<M::Trained>>> {
    options.check()?;
    for (field, count) in [
        ("training images", trainer.images()),
        ("members", trainer.members()),
    ] {
        if count == 0 {
            let (expected, found) = ("at least one".into(), "none".into());
            return Err(Error::Option {
                field,
                expected,
                found,
            });
        }
    }
    let mut training = Training {
        options,
        schedule: options.schedule(trainer.images())?,
        at: Position::default(),
        members: vec![Member::default(); trainer.members()],
        scored: Vec::new(),
    };
    if let Some(state) = resume.filter(|state| state.has("epoch")) {
        training.restore(trainer, state)?;
    }
    // A run that was stopped behind its last step has the end of that step's epoch before it.
    while training.at.epoch < options.epochs
        && (training.at.batch > 0 || !options.ends_at(training.at.step))
    {
        training.epoch(trainer, reporter)?;
    }
    training.finish(trainer)
}

struct Training<'a, T> {
    options: &'a LoopOptions,
    schedule: Schedule,
    at: Position,
    members: Vec<Member<T>>,
    /// What the members scored in the last step.
    scored: Vec<Scored>,
}

impl<T: Clone> Training<'_, T> {
    fn epoch<M: Trainer<Trained = T>>(
        &mut self,
        trainer: &mut M,
        reporter: &mut Reporter<'_>,
    ) -> Result<()> {
        let epoch = self.at.epoch;
        if self.at.batch == 0 {
            let state = self.state(trainer)?;
            let pass = Pass {
                phase: Phase::Map,
                step: self.at.step,
                state: &|| state.clone(),
            };
            trainer.before_epoch(epoch, &pass, reporter)?;
        }
        let order = match self.options.shuffle {
            Shuffle::On => Order::Shuffled {
                seed: self.options.seed,
                epoch,
            },
            Shuffle::Off => Order::Sequential,
        };
        let done = self.at.batch as usize;
        for indices in batches(trainer.images(), self.options.batch_size, order)
            .iter()
            .skip(done)
        {
            if self.options.ends_at(self.at.step) {
                break;
            }
            self.step(trainer, indices, reporter)?;
        }
        self.end_epoch(trainer, reporter)
    }

    fn step<M: Trainer<Trained = T>>(
        &mut self,
        trainer: &mut M,
        indices: &[usize],
        reporter: &mut Reporter<'_>,
    ) -> Result<()> {
        let epoch = self.at.epoch;
        let batch = Batched {
            epoch,
            indices,
            rate: self.rate(self.at.step),
        };
        trainer.step(batch, &mut self.scored)?;
        let diverged = self.count(indices.len())?;
        self.at.batch += 1;
        self.at.step += 1;
        let step = self.at.step;
        for member in diverged {
            reporter.event(&Event::Diverged {
                member,
                epoch,
                step,
            })?;
        }
        let scored = self.members.iter().zip(&self.scored);
        let going = scored.filter(|(member, _)| !member.diverged);
        let loss = mean(going.map(|(_, scored)| scored.loss));
        reporter.event(&Event::Step { epoch, step, loss })?;
        let total = trainer.images();
        let done = (self.at.batch as usize * self.options.batch_size).min(total);
        reporter.batch(
            At {
                phase: Phase::Train,
                done,
                total,
                step,
            },
            || self.state(trainer),
        )
    }

    /// Adds up what the members scored on a batch, and gives those whose loss stopped being a number in it.
    fn count(&mut self, images: usize) -> Result<Vec<usize>> {
        let mut diverged = Vec::new();
        for (index, (member, scored)) in self.members.iter_mut().zip(&self.scored).enumerate() {
            if member.diverged {
                continue;
            }
            member.count(*scored, images);
            if !scored.loss.is_finite() {
                member.diverged = true;
                diverged.push(index);
            }
        }
        if self.members.iter().all(|member| member.diverged) {
            Err(Error::NonFiniteLoss {
                loss: self.scored.first().map_or(f64::NAN, |scored| scored.loss),
                step: self.at.step,
                epoch: self.at.epoch,
                learning_rate: self.last_rate(),
            })
        } else {
            Ok(diverged)
        }
    }

    /// Where the schedule is in the step after `step` steps.
    fn rate(&self, step: u64) -> Rate {
        self.schedule.at(self.at.epoch, step)
    }

    /// The learning rate of the last step.
    fn last_rate(&self) -> f64 {
        self.rate(self.at.step.saturating_sub(1)).learning_rate()
    }

    /// The members whose loss is a number.
    fn going(&self) -> Vec<usize> {
        let members = self.members.iter().enumerate();
        let going = members.filter(|(_, member)| !member.diverged);
        going.map(|(index, _)| index).collect()
    }

    /// Events come last: a state saved while the split is scored must not contain them already.
    fn end_epoch<M: Trainer<Trained = T>>(
        &mut self,
        trainer: &mut M,
        reporter: &mut Reporter<'_>,
    ) -> Result<()> {
        let epoch = self.at.epoch;
        let images = trainer
            .images()
            .min(self.at.batch as usize * self.options.batch_size) as f64;
        let scored = if self.options.scores_after(epoch) {
            self.watch(trainer, reporter)?
        } else {
            None
        };
        let mut members = Vec::new();
        for member in self.going() {
            let (loss, accuracy) = self.members[member].end_epoch(images);
            members.push(MemberEpoch {
                member,
                loss,
                accuracy,
            });
        }
        reporter.event(&Event::Epoch {
            epoch,
            loss: mean(members.iter().map(|member| member.loss)),
            accuracy: mean(members.iter().map(|member| member.accuracy)),
            learning_rate: self.last_rate(),
            members: self.in_grid(members),
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

    fn watch<M: Trainer<Trained = T>>(
        &mut self,
        trainer: &M,
        reporter: &mut Reporter<'_>,
    ) -> Result<Option<Event>> {
        let state = self.state(trainer)?;
        let (mut members, mut best, mut split) = (Vec::new(), None, "validation");
        for member in self.going() {
            let pass = Pass {
                phase: Phase::Validate,
                step: self.at.step,
                state: &|| state.clone(),
            };
            let Some((logits, phase)) = trainer.watch(member, &pass, reporter)? else {
                return Ok(None);
            };
            let scores = logits.scores()?;
            if self.options.select != Select::Last {
                let trained = || trainer.trained(member);
                let best = &mut self.members[member].best;
                Best::offer(best, scores.accuracy, self.at.epoch, trained)?;
            }
            if is_better(&scores, best.as_ref()) {
                best = Some(scores);
            }
            if phase == Phase::Test {
                split = "test";
            }
            let Scores { accuracy, nll, ece } = scores;
            members.push(MemberScore {
                member,
                accuracy,
                nll,
                ece,
            });
        }
        Ok(best.map(|best| Event::Scored {
            epoch: self.at.epoch,
            split: split.to_owned(),
            accuracy: best.accuracy,
            nll: best.nll,
            ece: best.ece,
            members: self.in_grid(members),
        }))
    }

    /// The scores of single members: empty where there is only one.
    fn in_grid<E>(&self, members: Vec<E>) -> Vec<E> {
        match self.members.len() {
            1 => Vec::new(),
            _ => members,
        }
    }

    fn names(&self) -> Names {
        Names {
            members: self.members.len(),
        }
    }

    fn state<M: Trainer<Trained = T>>(&self, trainer: &M) -> Result<TrainingState> {
        let mut state = TrainingState::default();
        self.at.save(&mut state);
        let names = self.names();
        for (index, member) in self.members.iter().enumerate() {
            member.save(index, names, &mut state);
            let trained = trainer.trained(index)?;
            trainer.save_trained(&names.of("trained", index), &trained, &mut state);
            if let Some(best) = &member.best {
                trainer.save_trained(&names.of("best", index), &best.trained, &mut state);
            }
        }
        trainer.save(&mut state)?;
        Ok(state)
    }

    fn restore<M: Trainer<Trained = T>>(
        &mut self,
        trainer: &mut M,
        state: &TrainingState,
    ) -> Result<()> {
        self.at = Position::restore(state)?;
        let (names, mut trained) = (self.names(), Vec::new());
        for (index, member) in self.members.iter_mut().enumerate() {
            let best = || trainer.restore_trained(&names.of("best", index), state);
            *member = Member::restore(index, names, state, best)?;
            trained.push(trainer.restore_trained(&names.of("trained", index), state)?);
        }
        trainer.restore(trained, state)
    }

    fn finish<M: Trainer<Trained = T>>(self, trainer: &M) -> Result<Vec<Finished<T>>> {
        let state = self.state(trainer)?;
        let mut finished = Vec::with_capacity(self.members.len());
        for (index, member) in self.members.into_iter().enumerate() {
            let selected_accuracy = member.best.as_ref().map(|best| best.accuracy);
            let kept = match member.best {
                Some(best) => best,
                None => Best {
                    accuracy: f64::NAN,
                    epoch: self.options.epochs - 1,
                    trained: trainer.trained(index)?,
                },
            };
            finished.push(Finished {
                trained: kept.trained,
                epoch: kept.epoch,
                selected_accuracy,
                steps: self.at.step,
                final_loss: member.final_loss,
                diverged: member.diverged,
                state: state.clone(),
            });
        }
        Ok(finished)
    }
}

/// The mean of at least one value; of one value, that value.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    sum / count
}
