//! A grid of learning rates and weight decays, trained in one pass over the features and chosen from on the validation
//! split. How a head is trained stands in `softmax_regression`.

use rut_record::Scores;

use super::{Probe, ProbeSplits, probe_logits};
use crate::epochs::{Finished, LoopOptions, train_members};
use crate::error::{Error, Result};
use crate::head::LinearHead;
use crate::observer::Observer;
use crate::progress::Reporter;
use crate::schedule::{Schedule, ScheduleOptions};
use crate::select::is_better;
use crate::softmax_regression::HeadRates;
use crate::state::TrainingState;

/// The most members of a grid.
pub const MAX_MEMBERS: usize = 256;

/// A grid that was trained, or the only member of none.
#[derive(Clone, Debug)]
pub struct Probed {
    /// Every member, in order.
    pub members: Vec<GridMember>,
    /// The one that is kept: of the best accuracy on the validation split, of equals of the lower NLL, of these the first.
    pub chosen: usize,
    /// Its head.
    pub finished: Finished<LinearHead>,
}

/// How a member of a grid ended.
#[derive(Clone, Debug, PartialEq)]
pub struct GridMember {
    /// What it was trained with.
    pub rates: HeadRates,
    /// The epoch whose head is scored, from 0.
    pub epoch: u32,
    /// Mean loss of its last epoch, nats.
    pub final_loss: f64,
    /// Of its head on the validation split; `None` without one, or if its loss stopped being a number.
    pub validation: Option<Scores>,
}

/// Trains a head from `head` for each of `rates`, all on the same batches, or goes on from `resume`, and keeps the best.
///
/// Every member has the bits of the run with its rates alone. `options.learning_rate` serves events only. Without a
/// validation split there is nothing to choose by, so that only one member is allowed.
///
/// # Errors
/// If the grid is empty, names a pair twice or holds a rate out of range; several members without a validation split; else
/// as [`linear_probe`](super::linear_probe), but that a member whose loss stops being a number is only left out.
pub fn linear_probe_grid(
    splits: ProbeSplits<'_>,
    head: LinearHead,
    options: &LoopOptions,
    rates: &[HeadRates],
    resume: Option<&TrainingState>,
    observer: &mut dyn Observer,
) -> Result<Probed> {
    check_grid(rates)?;
    if rates.len() > 1
        && splits
            .validation
            .is_none_or(|split| split.labels.is_empty())
    {
        return Err(Error::Option {
            field: "lr_grid",
            expected: "a validation split to choose on (`val_fraction`, `val_shots`)".into(),
            found: format!("{} members without validation images", rates.len()),
        });
    }
    let mut probe = Probe::new(splits, head, options, rates.to_vec())?;
    let finished = train_members(&mut probe, options, resume, &mut Reporter::new(observer))?;
    choose(splits, rates, finished)
}

/// Whether a grid can be trained.
///
/// # Errors
/// If it is empty or too large, names a pair twice, or holds a rate out of range.
pub fn check_grid(rates: &[HeadRates]) -> Result<()> {
    let refuse = |field, expected: &str, found: String| {
        Err(Error::Option {
            field,
            expected: expected.into(),
            found,
        })
    };
    if !(1..=MAX_MEMBERS).contains(&rates.len()) {
        let expected = format!("1 to {MAX_MEMBERS} pairs of learning rate and weight decay");
        return refuse("lr_grid", &expected, rates.len().to_string());
    }
    for (index, pair) in rates.iter().enumerate() {
        Schedule::new(ScheduleOptions::default(), pair.learning_rate)?;
        let decay = pair.weight_decay;
        if !(decay.is_finite() && decay >= 0.0) {
            return refuse("weight_decay", "a number, 0 or more", decay.to_string());
        }
        if rates[..index].contains(pair) {
            let found = format!("lr = {}, weight decay = {decay} twice", pair.learning_rate);
            return refuse("lr_grid", "each pair once", found);
        }
    }
    Ok(())
}

fn choose(
    splits: ProbeSplits<'_>,
    rates: &[HeadRates],
    finished: Vec<Finished<LinearHead>>,
) -> Result<Probed> {
    let mut members = Vec::with_capacity(rates.len());
    let mut best: Option<(usize, Option<Scores>)> = None;
    for (index, (rates, finished)) in rates.iter().zip(&finished).enumerate() {
        let validation = match splits.validation {
            Some(split) if !finished.diverged => {
                Some(probe_logits(&finished.trained, split)?.scores()?)
            }
            _ => None,
        };
        let better = match (&best, &validation) {
            (None, _) => !finished.diverged,
            (Some((_, so_far)), Some(scores)) => is_better(scores, so_far.as_ref()),
            _ => false,
        };
        if better {
            best = Some((index, validation));
        }
        members.push(GridMember {
            rates: *rates,
            epoch: finished.epoch,
            final_loss: finished.final_loss,
            validation,
        });
    }
    let chosen = best.map(|(index, _)| index);
    let kept = chosen.and_then(|chosen| Some((chosen, finished.into_iter().nth(chosen)?)));
    let (chosen, finished) = kept.ok_or_else(|| Error::Option {
        field: "lr_grid",
        expected: "a member whose loss stays a number".into(),
        found: "none".into(),
    })?;
    Ok(Probed {
        members,
        chosen,
        finished,
    })
}
