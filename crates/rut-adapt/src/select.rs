//! Which epoch's parameters a run keeps.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::state::State;

/// The rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Select {
    /// The last epoch's.
    #[default]
    Last,
    /// Those with the best accuracy on the validation split; the earliest of equals.
    BestVal,
    /// Those with the best accuracy on the test split (defect D7 of the reference: it selects on the test set).
    BestTest,
}

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
    pub fn offer(best: &mut Option<Self>, accuracy: f64, epoch: u32, trained: &T) {
        if best.as_ref().is_none_or(|best| accuracy > best.accuracy) {
            *best = Some(Self {
                accuracy,
                epoch,
                trained: trained.clone(),
            });
        }
    }

    /// Writes epoch and accuracy into `state`; what was trained is the caller's.
    pub fn save(&self, state: &mut State) {
        state.put_float("best.accuracy", self.accuracy);
        state.put_number("best.epoch", u64::from(self.epoch));
    }

    /// The best epoch that [`save`](Self::save) wrote, if one was; `trained` reads the rest.
    ///
    /// # Errors
    /// If an entry is broken.
    pub fn restore(state: &State, trained: impl FnOnce() -> Result<T>) -> Result<Option<Self>> {
        if !state.has("best.epoch") {
            return Ok(None);
        }
        let accuracy = state.float("best.accuracy")?;
        Ok(Some(Self {
            accuracy,
            epoch: position(state, "best.epoch")?,
            trained: trained()?,
        }))
    }
}

/// A 32-bit count of the state.
///
/// # Errors
/// If it is missing or too large.
pub fn position(state: &State, name: &str) -> Result<u32> {
    let number = state.number(name)?;
    u32::try_from(number).map_err(|_| Error::State {
        field: name.into(),
        expected: "a 32-bit count".into(),
        found: number.to_string(),
    })
}
