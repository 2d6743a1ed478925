//! The observer of a training loop: receives its events, and asks it to save its state or to stop.

use rut_record::{Event, Phase};

use crate::state::TrainingState;

/// What the loop does after a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopControl {
    /// Go on.
    Continue,
    /// Pass the state to the observer, then go on.
    Save,
    /// Pass the state to the observer, then stop.
    SaveAndStop,
}

/// An error of an observer, of any type.
pub type ObserverError = Box<dyn std::error::Error + Send + Sync>;

/// Listens to a loop: a journal, a progress bar, a test.
pub trait Observer {
    /// Receives an event.
    ///
    /// # Errors
    /// If it could not be kept (a full disk, say); the loop ends with [`Error::Observer`](crate::Error::Observer).
    fn event(&mut self, event: &Event) -> Result<(), ObserverError>;

    /// `done` of `total` images of `phase` are through. Called often; meant for display.
    fn progress(&mut self, phase: Phase, done: usize, total: usize) {
        let _ = (phase, done, total);
    }

    /// Called after every batch: whether the loop is to save its state, or to stop.
    fn control(&mut self) -> LoopControl {
        LoopControl::Continue
    }

    /// Receives the state that [`control`](Self::control) asked for.
    ///
    /// # Errors
    /// If it could not be kept; the loop ends with [`Error::Observer`](crate::Error::Observer).
    fn save(&mut self, state: TrainingState) -> Result<(), ObserverError> {
        drop(state);
        Ok(())
    }
}

/// An observer that listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&mut self, _: &Event) -> Result<(), ObserverError> {
        Ok(())
    }
}
