//! How linear probes of CLIP choose the penalty: C of scikit-learn's logistic regression, by accuracy on the validation images.
//! First a coarse grid, then eight steps of bisection in log C around its best: CLIP (Radford et al., ICML 2021), section A.3,
//! as released with CoOp (Zhou et al., IJCV 2022).

use rut_record::Event;

use super::ProbeSplits;
use super::logistic::{Fit, Fitted, LogisticOptions, check, fit};
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::progress::Reporter;

/// The coarse grid, in its order.
const GRID: [f64; 7] = [1e6, 1e4, 1e2, 1.0, 1e-2, 1e-4, 1e-6];

/// Steps of bisection.
const STEPS: usize = 8;

/// The most fits of a search: the grid, both ends of the first step, and a new one in each other step.
pub const C_SEARCH_FITS: usize = GRID.len() + STEPS + 1;

/// A search for C, as it went.
#[derive(Clone, Debug, PartialEq)]
pub struct CSearch {
    /// The best C of the grid; of equals the first.
    pub peak: f64,
    /// The steps around it.
    pub steps: [CStep; STEPS],
}

/// A step of bisection.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CStep {
    /// The lower end after it.
    pub low: f64,
    /// The upper end after it.
    pub high: f64,
    /// The end with the better accuracy before it; of equals the lower.
    pub better: f64,
}

impl CSearch {
    /// Searches by `accuracy`, which is asked again for a C where it was asked before.
    ///
    /// From a tenth of the grid's best to ten times it, each step compares both ends and replaces the worse one, the upper one of
    /// equals, by the middle in log C.
    ///
    /// # Errors
    /// If `accuracy` fails.
    pub fn new(mut accuracy: impl FnMut(f64) -> Result<f64>) -> Result<Self> {
        let (mut peak, mut best) = (GRID[0], f64::NEG_INFINITY);
        for c in GRID {
            let found = accuracy(c)?;
            if found > best {
                (peak, best) = (c, found);
            }
        }
        let (mut low, mut high) = (0.1 * peak, 10.0 * peak);
        let mut steps = [CStep::default(); STEPS];
        for step in &mut steps {
            let (at_low, at_high) = (accuracy(low)?, accuracy(high)?);
            let middle = 10f64.powf(0.5 * (low.log10() + high.log10()));
            let better = if at_low < at_high { high } else { low };
            if at_low < at_high {
                low = middle;
            } else {
                high = middle;
            }
            *step = CStep { low, high, better };
        }
        Ok(Self { peak, steps })
    }

    /// What it ends with: the better end of the last step.
    pub fn found(&self) -> f64 {
        self.steps[STEPS - 1].better
    }
}

/// Fits heads as [`logistic_probe`](super::logistic_probe) while it searches for C, each from zero, and keeps that of the C that
/// the search ends with. A weight decay is 1 / (C · images). `options.weight_decays` is not used.
///
/// # Errors
/// Without validation images; else as [`logistic_probe`](super::logistic_probe).
pub fn logistic_search(
    splits: ProbeSplits<'_>,
    options: &LogisticOptions,
    observer: &mut dyn Observer,
) -> Result<Fitted> {
    let options = LogisticOptions {
        weight_decays: vec![0.0],
        ..options.clone()
    };
    check(splits, &options)?;
    let mut reporter = Reporter::new(observer);
    let images = splits.train.labels.len() as f64;
    let mut fits: Vec<(f64, Fit, Vec<Event>)> = Vec::with_capacity(C_SEARCH_FITS);
    let search = CSearch::new(|c| {
        let index = match fits.iter().position(|(known, ..)| *known == c) {
            Some(index) => index,
            None => {
                let (fit, events) = fit(splits, &options, 1.0 / (c * images), &mut reporter)?;
                fits.push((c, fit, events));
                fits.len() - 1
            }
        };
        let scores = fits[index].1.validation;
        Ok(scores.ok_or_else(no_validation)?.accuracy)
    })?;
    let found = fits.iter().position(|(c, ..)| *c == search.found());
    let chosen = found.unwrap_or_default();
    for event in fits.get(chosen).iter().flat_map(|(.., events)| events) {
        reporter.event(event)?;
    }
    let fits = fits.into_iter().map(|(_, fit, _)| fit).collect();
    Ok(Fitted { fits, chosen })
}

fn no_validation() -> Error {
    Error::Option {
        field: "c_search",
        expected: "a validation split to choose on (`val_fraction`, `val_shots`)".into(),
        found: "none".into(),
    }
}
