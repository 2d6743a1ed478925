//! Where a loop is, as a state keeps it.

use crate::error::Result;
use crate::select::position;
use crate::state::State;

/// Where the loop is: `batch` batches of `epoch` are done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Position {
    pub(super) epoch: u32,
    pub(super) batch: u32,
    pub(super) step: u64,
    /// Sum over the epoch's images so far, nats.
    pub(super) loss_sum: f64,
    /// Hits among the epoch's images so far.
    pub(super) correct: u64,
}

impl Position {
    pub(super) fn save(&self, state: &mut State) {
        state.put_number("epoch", self.epoch.into());
        state.put_number("batch", self.batch.into());
        state.put_number("step", self.step);
        state.put_float("loss_sum", self.loss_sum);
        state.put_number("correct", self.correct);
    }

    pub(super) fn restore(state: &State) -> Result<Self> {
        Ok(Self {
            epoch: position(state, "epoch")?,
            batch: position(state, "batch")?,
            step: state.number("step")?,
            loss_sum: state.float("loss_sum")?,
            correct: state.number("correct")?,
        })
    }
}
