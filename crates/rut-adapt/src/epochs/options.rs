//! How long and in what order a loop trains. For the learning rate over the epochs, see `schedule`.

use rut_data::Seed;
use rut_record::{Select, Shuffle};

use crate::error::{Error, Result};
use crate::schedule::{Schedule, ScheduleOptions};

/// How long and how a loop trains.
#[derive(Clone, Debug, PartialEq)]
pub struct LoopOptions {
    /// Passes over the training images.
    pub epochs: u32,
    /// Optimiser steps, if they are what is given: the last epoch ends where they do, and the learning rate falls over them
    /// and not over epochs. [`epochs_of`](Self::epochs_of) says how many epochs they take.
    pub steps: Option<u32>,
    /// Images per step; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// The learning rate at the start.
    pub learning_rate: f64,
    /// How it changes.
    pub schedule: ScheduleOptions,
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
    /// The epochs over `images` that `steps` batches of `batch_size` take; the last may be cut short.
    ///
    /// ```
    /// use rut_adapt::LoopOptions;
    /// assert_eq!(LoopOptions::epochs_of(100, 50_000, 128), 1);
    /// assert_eq!(LoopOptions::epochs_of(100, 130, 128), 50);
    /// ```
    pub fn epochs_of(steps: u32, images: usize, batch_size: usize) -> u32 {
        let batches = images.div_ceil(batch_size.max(1)).max(1);
        steps.div_ceil(u32::try_from(batches).unwrap_or(u32::MAX))
    }

    /// Whether all options are in range.
    ///
    /// # Errors
    /// If one is not.
    pub fn check(&self) -> Result<()> {
        let refuse = |field, expected: &str, found: String| {
            Err(Error::Option {
                field,
                expected: expected.into(),
                found,
            })
        };
        if self.steps == Some(0) {
            return refuse("steps", "at least 1", "0".into());
        }
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
        Schedule::new(self.schedule, self.learning_rate).map(drop)
    }

    /// The learning-rate schedule of a training on `images` images.
    ///
    /// # Errors
    /// If the learning rate is no positive number.
    pub fn schedule(&self, images: usize) -> Result<Schedule> {
        let batches = images.div_ceil(self.batch_size.max(1)).max(1) as u64;
        let all = u64::from(self.epochs) * batches;
        Ok(Schedule {
            epochs: self.epochs,
            steps: self.steps.map_or(all, u64::from),
            by_steps: self.steps.is_some(),
            ..Schedule::new(self.schedule, self.learning_rate)?
        })
    }

    /// `best-val` needs validation images.
    ///
    /// # Errors
    /// If there are none.
    pub fn check_watched(&self, validation_images: usize) -> Result<()> {
        if self.select == Select::BestVal && validation_images == 0 {
            return Err(Error::Option {
                field: "select",
                expected: "`last`, or a validation split (`val_fraction`, `val_shots`)".into(),
                found: "best-val without validation images".into(),
            });
        }
        Ok(())
    }

    /// Whether `step` steps are all there are.
    pub(super) fn ends_at(&self, step: u64) -> bool {
        self.steps.is_some_and(|steps| step >= u64::from(steps))
    }

    /// Whether the watched split is scored after `epoch`.
    pub(super) fn scores_after(&self, epoch: u32) -> bool {
        self.eval_every > 0
            && ((epoch + 1).is_multiple_of(self.eval_every) || epoch + 1 == self.epochs)
    }
}
