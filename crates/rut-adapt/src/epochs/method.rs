//! What `linear_probe` and `visual_prompt` give to the one training loop.

use crate::error::Result;
use crate::evaluate::{Pass, SplitLogits};
use crate::event::Phase;
use crate::loss::Scored;
use crate::progress::Reporter;
use crate::state::State;

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
