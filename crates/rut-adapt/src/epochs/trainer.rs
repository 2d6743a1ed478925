//! The interface between the training loop and what `linear_probe` and `visual_prompt` train.

use rut_record::{Phase, SplitLogits};

use crate::error::Result;
use crate::evaluate::Pass;
use crate::loss::Scored;
use crate::progress::Reporter;
use crate::schedule::Rate;
use crate::state::TrainingState;

/// A batch that is trained on.
#[derive(Clone, Copy, Debug)]
pub struct Batched<'a> {
    /// The epoch, from 0.
    pub epoch: u32,
    /// Which training images.
    pub indices: &'a [usize],
    /// Where the schedule is.
    pub rate: Rate,
}

/// What the training loop calls. A trainer may train several members side by side on the same batches: a grid.
pub trait Trainer {
    /// What is trained of one member, as much of it as a selected epoch needs.
    type Trained: Clone;

    /// Number of members.
    fn members(&self) -> usize {
        1
    }

    /// Number of training images.
    fn images(&self) -> usize;

    /// Called before the first batch of `epoch`.
    ///
    /// # Errors
    /// If the preparation fails.
    fn before_epoch(
        &mut self,
        epoch: u32,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<()>;

    /// One optimiser step of every member on the images of `batch`; `scored` becomes each one's loss and hits before it.
    ///
    /// # Errors
    /// If a tensor operation or reading an image fails.
    fn step(&mut self, batch: Batched<'_>, scored: &mut Vec<Scored>) -> Result<()>;

    /// A member's target logits of the split that is looked at while training, and its name; `None` if there is none.
    ///
    /// # Errors
    /// If a tensor operation or reading an image fails.
    fn watch(
        &self,
        member: usize,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<Option<(SplitLogits, Phase)>>;

    /// What is trained of a member, as it is now.
    ///
    /// # Errors
    /// If a tensor cannot be made.
    fn trained(&self, member: usize) -> Result<Self::Trained>;

    /// Writes `trained` into a state under `name`.
    fn save_trained(&self, name: &str, trained: &Self::Trained, state: &mut TrainingState);

    /// What [`save_trained`](Self::save_trained) wrote.
    ///
    /// # Errors
    /// If it is missing or of another shape.
    fn restore_trained(&self, name: &str, state: &TrainingState) -> Result<Self::Trained>;

    /// Writes everything but what is trained into a state (the optimiser, say).
    ///
    /// # Errors
    /// If a tensor cannot be made.
    fn save(&self, state: &mut TrainingState) -> Result<()>;

    /// Takes over what is trained, of every member, and what [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// If something is missing or of another shape.
    fn restore(&mut self, trained: Vec<Self::Trained>, state: &TrainingState) -> Result<()>;
}
