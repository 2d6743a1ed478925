//! Where a loop is, as a state keeps it.

use crate::error::Result;
use crate::select::position;
use crate::state::TrainingState;

/// Where the loop is: `batch` batches of `epoch` are done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Position {
    pub(super) epoch: u32,
    pub(super) batch: u32,
    pub(super) step: u64,
}

impl Position {
    pub(super) fn save(&self, state: &mut TrainingState) {
        state.put_number("epoch", self.epoch.into());
        state.put_number("batch", self.batch.into());
        state.put_number("step", self.step);
    }

    pub(super) fn restore(state: &TrainingState) -> Result<Self> {
        Ok(Self {
            epoch: position(state, "epoch")?,
            batch: position(state, "batch")?,
            step: state.number("step")?,
        })
    }
}
