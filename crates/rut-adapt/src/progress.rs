//! The thread between a loop and its observer: after every batch, is a state wanted, is a stop? It decides nothing itself.

use rut_record::{Event, Phase};

use crate::error::{Error, Result};
use crate::observer::{LoopControl, Observer};
use crate::state::TrainingState;

/// An observer with the loop's side of the conversation.
pub struct Reporter<'a> {
    observer: &'a mut dyn Observer,
}

impl<'a> Reporter<'a> {
    /// A reporter to `observer`.
    pub fn new(observer: &'a mut dyn Observer) -> Self {
        Self { observer }
    }

    /// Reports an event.
    ///
    /// # Errors
    /// If the observer could not keep it.
    pub fn event(&mut self, event: &Event) -> Result<()> {
        self.observer.event(event).map_err(Error::Observer)
    }

    /// After a batch of `phase`: shows how far it is, and saves or stops if that is wanted. `state` describes where a
    /// resumed loop would go on, `step` the optimiser steps taken.
    ///
    /// # Errors
    /// [`Error::Stopped`] on a wish to stop; [`Error::Observer`] if the state could not be made or kept.
    pub fn batch(&mut self, at: At, state: impl FnOnce() -> Result<TrainingState>) -> Result<()> {
        self.observer.progress(at.phase, at.done, at.total);
        let control = self.observer.control();
        if control != LoopControl::Continue {
            self.observer.save(state()?).map_err(Error::Observer)?;
        }
        if control == LoopControl::SaveAndStop {
            Err(Error::Stopped { step: at.step })
        } else {
            Ok(())
        }
    }
}

/// Where a loop is.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// The phase.
    pub phase: Phase,
    /// Images of the phase that are through.
    pub done: usize,
    /// Images of the phase.
    pub total: usize,
    /// Optimiser steps taken, over all epochs.
    pub step: u64,
}
