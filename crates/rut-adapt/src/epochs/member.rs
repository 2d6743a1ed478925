//! What the loop keeps of each member of a grid, or of the only one there is.

use crate::error::Result;
use crate::loss::Scored;
use crate::select::Best;
use crate::state::TrainingState;

/// A member in training.
#[derive(Clone, Debug)]
pub(super) struct Member<T> {
    /// Sum over the epoch's images so far, nats.
    loss_sum: f64,
    /// Hits among the epoch's images so far.
    correct: u64,
    /// Mean loss of the last whole epoch, nats.
    pub(super) final_loss: f64,
    /// Whether its loss stopped being a number.
    pub(super) diverged: bool,
    /// The best epoch so far, by the rule of selection.
    pub(super) best: Option<Best<T>>,
}

impl<T> Default for Member<T> {
    fn default() -> Self {
        Self {
            loss_sum: 0.0,
            correct: 0,
            final_loss: 0.0,
            diverged: false,
            best: None,
        }
    }
}

/// Names in a state: those of the only member carry no number.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) members: usize,
}

impl Names {
    pub(super) fn of(self, name: &str, member: usize) -> String {
        match self.members {
            1 => name.to_owned(),
            _ => format!("{name}.{member}"),
        }
    }
}

impl<T: Clone> Member<T> {
    /// Counts a batch of `images`.
    pub(super) fn count(&mut self, scored: Scored, images: usize) {
        self.loss_sum += scored.loss * images as f64;
        self.correct += scored.correct as u64;
    }

    /// Mean loss and share of hits of an epoch over `images`; the next one begins.
    pub(super) fn end_epoch(&mut self, images: f64) -> (f64, f64) {
        let means = (self.loss_sum / images, self.correct as f64 / images);
        self.final_loss = means.0;
        (self.loss_sum, self.correct) = (0.0, 0);
        means
    }

    /// Writes everything but what is trained.
    pub(super) fn save(&self, member: usize, names: Names, state: &mut TrainingState) {
        let name = |name: &str| names.of(name, member);
        state.put_float(&name("loss_sum"), self.loss_sum);
        state.put_number(&name("correct"), self.correct);
        state.put_float(&name("final_loss"), self.final_loss);
        if self.diverged {
            state.put_number(&name("diverged"), 1);
        }
        if let Some(best) = &self.best {
            best.save(&name("best"), state);
        }
    }

    /// What [`save`](Self::save) wrote; `trained` reads what the best epoch trained.
    pub(super) fn restore(
        member: usize,
        names: Names,
        state: &TrainingState,
        trained: impl FnOnce() -> Result<T>,
    ) -> Result<Self> {
        let name = |name: &str| names.of(name, member);
        Ok(Self {
            loss_sum: state.float(&name("loss_sum"))?,
            correct: state.number(&name("correct"))?,
            final_loss: state.float(&name("final_loss"))?,
            diverged: state.has(&name("diverged")),
            best: Best::restore(&name("best"), state, trained)?,
        })
    }
}
