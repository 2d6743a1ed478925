//! The wish to stop: set once from outside, looked at wherever work can end without leaving anything half-written.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Time between two looks while nothing is done.
const LOOK: Duration = Duration::from_millis(50);

/// A flag that a signal sets.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

/// The error of work that was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted; the same command goes on where it ended")
    }
}

impl Error for Interrupted {}

impl Stop {
    /// The flag itself, for a handler of signals.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// Asks to stop.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked for.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// # Errors
    /// [`Interrupted`], once it was asked for.
    pub(super) fn check(&self) -> Result<()> {
        if self.is_requested() {
            return Err(Interrupted.into());
        }
        Ok(())
    }

    /// Waits for `pause`.
    ///
    /// # Errors
    /// [`Interrupted`], as soon as it was asked for.
    pub(super) fn sleep(&self, pause: Duration) -> Result<()> {
        let start = Instant::now();
        loop {
            self.check()?;
            match pause.checked_sub(start.elapsed()) {
                None | Some(Duration::ZERO) => return Ok(()),
                Some(rest) => thread::sleep(rest.min(LOOK)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_when_stop_is_asked_for() {
        let stop = Stop::default();
        stop.sleep(Duration::from_millis(1)).unwrap();
        stop.clone().request();
        let error = stop.sleep(Duration::from_secs(3600)).unwrap_err();
        assert!(error.is::<Interrupted>());
    }
}
