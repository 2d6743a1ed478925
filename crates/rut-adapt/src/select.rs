//! Which epoch's parameters a run keeps.

use rut_record::Scores;

use crate::error::{Error, Result};
use crate::state::TrainingState;

/// The best epoch so far.
#[derive(Clone, Debug)]
pub struct Best<T> {
    /// Its accuracy on the split that the rule looks at, 0–1.
    pub accuracy: f64,
    /// The epoch, from 0.
    pub epoch: u32,
    /// What was trained.
    pub trained: T,
}

impl<T: Clone> Best<T> {
    /// Replaces `best` if `accuracy` is larger.
    ///
    /// # Errors
    /// If `trained` fails.
    pub fn offer(
        best: &mut Option<Self>,
        accuracy: f64,
        epoch: u32,
        trained: impl FnOnce() -> Result<T>,
    ) -> Result<()> {
        if best.as_ref().is_none_or(|best| accuracy > best.accuracy) {
            *best = Some(Self {
                accuracy,
                epoch,
                trained: trained()?,
            });
        }
        Ok(())
    }

    /// Writes epoch and accuracy into `state` under `name`; what was trained is the caller's.
    pub fn save(&self, name: &str, state: &mut TrainingState) {
        state.put_float(&format!("{name}.accuracy"), self.accuracy);
        state.put_number(&format!("{name}.epoch"), u64::from(self.epoch));
    }

    /// The best epoch that [`save`](Self::save) wrote, if one was; `trained` reads the rest.
    ///
    /// # Errors
    /// If an entry is broken.
    pub fn restore(
        name: &str,
        state: &TrainingState,
        trained: impl FnOnce() -> Result<T>,
    ) -> Result<Option<Self>> {
        let epoch = format!("{name}.epoch");
        if !state.has(&epoch) {
            return Ok(None);
        }
        Ok(Some(Self {
            accuracy: state.float(&format!("{name}.accuracy"))?,
            epoch: position(state, &epoch)?,
            trained: trained()?,
        }))
    }
}

/// Whether `scores` are better than `best`: by accuracy, then by NLL. Of equals the one seen first stays.
pub(crate) fn is_better(scores: &Scores, best: Option<&Scores>) -> bool {
    best.is_none_or(|best| {
        scores.accuracy > best.accuracy || scores.accuracy == best.accuracy && scores.nll < best.nll
    })
}

/// A 32-bit count of the state.
///
/// # Errors
/// If it is missing or too large.
pub fn position(state: &TrainingState, name: &str) -> Result<u32> {
    let number = state.number(name)?;
    u32::try_from(number).map_err(|_| Error::TrainingState {
        field: name.into(),
        expected: "a 32-bit count".into(),
        found: number.to_string(),
    })
}
