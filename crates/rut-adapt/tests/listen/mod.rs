//! An observer for tests: it remembers events and states, and can stop a loop after a step.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "not every test program that includes this module uses all of it"
)]

use rut_adapt::{LoopControl, Observer, ObserverError, TrainingState};
use rut_record::Event;

#[derive(Default)]
pub struct Listener {
    pub events: Vec<Event>,
    /// Stop when asked for the so-many-th time: after a batch of whatever phase.
    stop_at: Option<usize>,
    pub asked: usize,
    saved: Option<(Vec<u8>, usize)>,
}

impl Listener {
    pub fn stopping_at(control: usize) -> Self {
        Self {
            stop_at: Some(control),
            ..Self::default()
        }
    }

    pub fn losses(&self) -> Vec<f64> {
        let loss = |event: &Event| match event {
            Event::Step { loss, .. } => Some(*loss),
            _ => None,
        };
        self.events.iter().filter_map(loss).collect()
    }

    pub fn mappings(&self) -> Vec<Vec<u32>> {
        let sources = |event: &Event| match event {
            Event::Mapped { sources, .. } => Some(sources.clone()),
            _ => None,
        };
        self.events.iter().filter_map(sources).collect()
    }

    /// The saved state, through its bytes, and the events before it.
    pub fn into_saved(mut self) -> (TrainingState, Vec<Event>) {
        let (bytes, events) = self.saved.expect("a saved state");
        self.events.truncate(events);
        (TrainingState::from_bytes(&bytes).unwrap(), self.events)
    }
}

impl Observer for Listener {
    fn event(&mut self, event: &Event) -> Result<(), ObserverError> {
        self.events.push(event.clone());
        Ok(())
    }

    fn control(&mut self) -> LoopControl {
        self.asked += 1;
        if self.stop_at == Some(self.asked) {
            LoopControl::SaveAndStop
        } else {
            LoopControl::Continue
        }
    }

    fn save(&mut self, state: TrainingState) -> Result<(), ObserverError> {
        self.saved = Some((state.to_bytes()?, self.events.len()));
        Ok(())
    }
}
