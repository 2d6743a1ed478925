//! Memory that one training step leaves to the next.

use std::sync::{Mutex, MutexGuard, PoisonError};

use candle_core::WithDType;

/// As many as one pass of the largest mask network takes.
const KEPT: usize = 11;

/// Memory of one pass for the next: that of a batch is large, and slow to get from the system.
#[derive(Debug, Default)]
pub(super) struct Spare {
    single: Mutex<Vec<Vec<f32>>>,
    double: Mutex<Vec<Vec<f64>>>,
}

/// Numbers whose memory is kept.
pub(super) trait Spared: WithDType {
    /// What is kept of them.
    fn spare(all: &Spare) -> MutexGuard<'_, Vec<Vec<Self>>>;
}

impl Spared for f32 {
    fn spare(all: &Spare) -> MutexGuard<'_, Vec<Vec<Self>>> {
        all.single.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spared for f64 {
    fn spare(all: &Spare) -> MutexGuard<'_, Vec<Vec<Self>>> {
        all.double.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spare {
    /// `len` values, whatever they are.
    pub(super) fn take<T: Spared>(&self, len: usize) -> Vec<T> {
        let mut held = T::spare(self);
        match held.iter().position(|values| values.len() == len) {
            Some(at) => held.remove(at),
            None => vec![T::zero(); len],
        }
    }

    /// Keeps `values` for the next who takes as many; the oldest go where there are too many.
    pub(super) fn give<T: Spared>(&self, values: Vec<T>) {
        let mut held = T::spare(self);
        if held.len() >= KEPT {
            held.remove(0);
        }
        held.push(values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_last_is_taken_again_and_the_oldest_goes() {
        let spare = Spare::default();
        for len in 1..=KEPT + 1 {
            spare.give(vec![1.0f32; len]);
        }
        assert_eq!(spare.take::<f32>(KEPT + 1), [1.0; KEPT + 1]);
        assert_eq!(spare.take::<f32>(1), [0.0]);
        assert_eq!(spare.take::<f64>(2), [0.0; 2]);
        assert_eq!(spare.take::<f32>(2), [1.0; 2]);
        assert_eq!(spare.take::<f32>(2), [0.0; 2]);
    }
}
