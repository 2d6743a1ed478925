//! Reports the progress of one file to an observer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::event::{Event, Observer, Stage};

/// Reports progress of one file; by default to no observer.
#[derive(Debug)]
pub struct Meter {
    observer: Arc<dyn Observer>,
    label: String,
    running: Mutex<Option<Running>>,
}

/// The stage that the file is in.
#[derive(Debug, Clone, Copy)]
struct Running {
    name: &'static str,
    start: u64,
    total: Option<u64>,
}

impl Meter {
    /// For the file that a person knows as `label`.
    pub fn new(label: &str, observer: Arc<dyn Observer>) -> Self {
        Self {
            observer,
            label: label.to_owned(),
            running: Mutex::default(),
        }
    }

    /// Says something about the file.
    pub(crate) fn say(&self, text: &str) {
        let text = format!("{}: {text}", self.label);
        self.observer.event(&Event::Note(&text));
    }

    /// A stage begins, with `start` of its `total` bytes behind it.
    pub(crate) fn begin(&self, name: &'static str, total: Option<u64>, start: u64) {
        self.end();
        *self.running() = Some(Running { name, start, total });
        self.at(start);
    }

    /// `done` bytes of the stage are behind it.
    pub(crate) fn at(&self, done: u64) {
        let Some(Running { name, start, total }) = *self.running() else {
            return;
        };
        self.observer.event(&Event::Stage(Stage {
            file: &self.label,
            name,
            start,
            done,
            total,
        }));
    }

    /// The stage is over.
    pub(crate) fn end(&self) {
        if self.running().take().is_some() {
            self.observer.event(&Event::Over(&self.label));
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new("download", Arc::new(()))
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.end();
    }
}
