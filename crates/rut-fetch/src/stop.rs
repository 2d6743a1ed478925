//! The wish to stop: set once from outside, looked at wherever work can end without leaving anything half-written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// Time between two looks while nothing is done.
const LOOK: Duration = Duration::from_millis(50);
/// Time that running work has to end by itself.
const GRACE: Duration = Duration::from_secs(3);

/// A flag that a signal sets.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl From<Arc<AtomicBool>> for Stop {
    /// The wish that a handler of signals sets.
    fn from(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }
}

impl Stop {
    /// Asks to stop.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked for.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Waits until it was asked for, and then as long as running work may need to end by itself: a connection may be silent,
    /// or a disk slow. The caller may then end the process: what is half-written has a name that says so, and the
    /// next run goes on with it or removes it.
    pub fn outwait(&self) {
        while !self.is_requested() {
            thread::sleep(LOOK);
        }
        thread::sleep(GRACE);
    }

    /// # Errors
    /// [`Error::Interrupted`], once it was asked for.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_requested() {
            return Err(Error::Interrupted);
        }
        Ok(())
    }

    /// Waits for `pause`.
    ///
    /// # Errors
    /// [`Error::Interrupted`], as soon as it was asked for.
    pub(crate) fn sleep(&self, pause: Duration) -> Result<()> {
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
        assert!(matches!(error, Error::Interrupted));
    }
}
