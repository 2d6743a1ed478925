//! Who listens to a training loop, and what the loop is asked. It stores and shows nothing itself.

use rut_record::{Event, Phase};

use crate::state::TrainingState;

/// What the observer wants done with the loop's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopControl {
    /// Go on.
    Continue,
    /// Hand the state over, then go on.
    Save,
    /// Hand the state over, then stop.
    SaveAndStop,
}

/// An error of an observer, of any type.
pub type ObserverError = Box<dyn std::error::Error + Send + Sync>;

/// Listens to a loop: a journal, a progress bar, a test.
pub trait Observer {
    /// Something happened.
    ///
    /// # Errors
    /// If it could not be kept (a full disk, say); the loop ends with [`Error::Observer`](crate::Error::Observer).
    fn event(&mut self, event: &Event) -> Result<(), ObserverError>;

    /// `done` of `total` images of `phase` are through. Called often; meant for display.
    fn progress(&mut self, phase: Phase, done: usize, total: usize) {
        let _ = (phase, done, total);
    }

    /// Asked after every batch: shall the loop save its state, or stop?
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
