//! Memory of passes, kept for the next ones.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// One for each block that is computed at the same time.
#[derive(Debug, Default)]
pub(in crate::frozen) struct Spare<T>(Mutex<Vec<T>>);

impl<T: Default> Spare<T> {
    /// Runs something with memory of its own.
    pub(in crate::frozen) fn with<R>(&self, run: impl FnOnce(&mut T) -> R) -> R {
        let mut memory = lock(&self.0).pop().unwrap_or_default();
        let result = run(&mut memory);
        lock(&self.0).push(memory);
        result
    }
}

/// Nothing that these locks guard can be left half done, so that a thread that died in one does not matter.
pub(in crate::frozen) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
