//! Multinomial logistic regression on all training features at once, by L-BFGS in f64: the optimum
//! that steps of Adam come near to. For the minimiser, see `lbfgs`.
//!
//! The objective is the mean cross-entropy plus ½ · weight decay · ‖W‖², biases not decayed, from W = 0, b = 0. That is
//! scikit-learn's `LogisticRegression` with C = 1 / (n · weight decay). The mean over the images is taken from every feature
//! first and put back into the biases in the end: the optimum is the same, the way to it shorter, and gradients are by
//! weights and biases of these centred features.

use rayon::prelude::*;
use rut_record::{Event, Phase, Scores};

use super::{ProbeSplits, probe_logits};
use crate::error::{Error, Result};
use crate::features::{Centred, LabelledFeatures};
use crate::head::LinearHead;
use crate::lbfgs::{Solved, Stopping, minimize};
use crate::observer::Observer;
use crate::products::double;
use crate::progress::{At, Reporter};
use crate::select::is_better;
use crate::state::TrainingState;

/// The gradient's norm that runs count as zero, as a share of the first one.
pub const RELATIVE_GRADIENT: f64 = 1e-6;

/// How heads are fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticOptions {
    /// Number of target classes.
    pub classes: usize,
    /// One fit for each; the best on the validation split is kept.
    pub weight_decays: Vec<f64>,
    /// When a fit ends.
    pub stopping: Stopping,
}

/// One fit.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The weight decay.
    pub weight_decay: f64,
    /// How the optimisation ended.
    pub solved: Solved,
    /// Mean cross-entropy of the training images, without the decay's part, nats.
    pub loss: f64,
    /// On the validation split; `None` without one.
    pub validation: Option<Scores>,
    /// The head.
    pub head: LinearHead,
}

/// All fits, and which of them is kept.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// In the order of the weight decays, or of a search; at least one.
    pub fits: Vec<Fit>,
    /// The kept one: of the best accuracy on the validation split, of equals of the lower NLL, of these the first; of a search
    /// the one that it ends with.
    pub chosen: usize,
}

/// Fits a head for each weight decay. A run that is stopped meanwhile starts again: the state holds nothing of the fits, and
/// events are reported at the end only, an epoch for each iteration of the fit that is kept.
///
/// # Errors
/// If an option is out of range, several fits have no validation split to be chosen on, a label or a feature cannot be used,
/// or the observer stops.
pub fn logistic_probe(
    splits: ProbeSplits<'_>,
    options: &LogisticOptions,
    observer: &mut dyn Observer,
) -> Result<Fitted> {
    check(splits, options)?;
    let mut reporter = Reporter::new(observer);
    let (mut fits, mut reported, mut chosen) = (Vec::new(), Vec::new(), 0);
    let mut best: Option<Scores> = None;
    for &weight_decay in &options.weight_decays {
        let (fit, events) = fit(splits, options, weight_decay, &mut reporter)?;
        let better = match &fit.validation {
            Some(scores) => is_better(scores, best.as_ref()),
            None => fits.is_empty(),
        };
        if better {
            (best, chosen, reported) = (fit.validation, fits.len(), events);
        }
        fits.push(fit);
    }
    for event in &reported {
        reporter.event(event)?;
    }
    Ok(Fitted { fits, chosen })
}

pub(super) fn check(splits: ProbeSplits<'_>, options: &LogisticOptions) -> Result<()> {
    let refuse = |field, expected: String, found: String| {
        Err(Error::Option {
            field,
            expected,
            found,
        })
    };
    let decays = &options.weight_decays;
    let bad = |decay: &&f64| !(decay.is_finite() && **decay >= 0.0);
    if let Some(decay) = decays.iter().find(bad) {
        return refuse(
            "weight_decay",
            "a number, 0 or more".into(),
            decay.to_string(),
        );
    }
    let blind = splits
        .validation
        .is_none_or(|split| split.labels.is_empty());
    if decays.is_empty() || decays.len() > 1 && blind {
        let expected =
            "one weight decay, or several and a validation split to choose on (`val_shots`)";
        let found = format!("{} without validation images", decays.len());
        return refuse("weight_decay_grid", expected.into(), found);
    }
    if options.stopping.iterations == 0 {
        return refuse("epochs", "at least 1".into(), "0".into());
    }
    splits.train.check(options.classes)
}

pub(super) fn fit(
    splits: ProbeSplits<'_>,
    options: &LogisticOptions,
    weight_decay: f64,
    reporter: &mut Reporter<'_>,
) -> Result<(Fit, Vec<Event>)> {
    let mut objective = Objective::new(splits.train, options.classes, weight_decay);
    let mut x = vec![0.0; options.classes * (objective.width + 1)];
    let images = splits.train.labels.len();
    let progress = std::cell::Cell::new((0.0, 0));
    let mut events = Vec::new();
    let function = |x: &[f64], gradient: &mut [f64]| {
        let value = objective.evaluate(x, gradient);
        progress.set((objective.loss, objective.correct));
        let at = At {
            phase: Phase::Train,
            done: images,
            total: images,
            step: 0,
        };
        reporter.batch(at, || Ok(TrainingState::default()))?;
        Ok(value)
    };
    let solved = minimize(&mut x, options.stopping, function, |iteration| {
        let (loss, correct) = progress.get();
        events.push(Event::Epoch {
            epoch: iteration - 1,
            loss,
            accuracy: correct as f64 / images as f64,
            learning_rate: 0.0,
            members: Vec::new(),
        });
        Ok(())
    })?;
    if !solved.value.is_finite() {
        return Err(Error::NonFiniteLoss {
            loss: solved.value,
            step: u64::from(solved.iterations),
            epoch: 0,
            learning_rate: 0.0,
        });
    }
    let (weight, bias) = x.split_at(options.classes * objective.width);
    let head = objective.centred.head(weight, bias)?;
    let validation = match splits.validation.filter(|split| !split.labels.is_empty()) {
        Some(split) => Some(probe_logits(&head, split)?.scores()?),
        None => None,
    };
    let decayed = 0.5 * weight_decay * weight.iter().map(|value| value * value).sum::<f64>();
    let loss = solved.value - decayed;
    let fit = Fit {
        weight_decay,
        solved,
        loss,
        validation,
        head,
    };
    Ok((fit, events))
}

/// Rows that are worked on at once.
const ROWS: usize = 512;

/// The regularised loss as a function of weights and biases.
struct Objective<'a> {
    labels: &'a [u32],
    classes: usize,
    width: usize,
    weight_decay: f64,
    /// Mean cross-entropy of the last evaluation.
    loss: f64,
    /// Hits of the last evaluation.
    correct: usize,
    centred: Centred<'a>,
    logits: Vec<f64>,
}

impl<'a> Objective<'a> {
    fn new(data: &'a LabelledFeatures, classes: usize, weight_decay: f64) -> Self {
        Self {
            labels: &data.labels,
            classes,
            width: data.features.width(),
            weight_decay,
            loss: 0.0,
            correct: 0,
            centred: Centred::new(&data.features),
            logits: vec![0.0; ROWS * classes],
        }
    }

    /// Sums go row by row and block by block: threads change no bit.
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (classes, width) = (self.classes, self.width);
        let (weight, bias) = x.split_at(classes * width);
        let (weight_gradient, bias_gradient) = gradient.split_at_mut(classes * width);
        weight_gradient.fill(0.0);
        bias_gradient.fill(0.0);
        let (mut loss, mut correct) = (0.0, 0);
        for (index, labels) in self.labels.chunks(ROWS).enumerate() {
            let start = index * ROWS;
            let rows = self.centred.rows(start..start + labels.len());
            let logits = &mut self.logits[..labels.len() * classes];
            let places = logits.par_chunks_exact_mut(classes);
            let parts = places.zip(rows.par_chunks_exact(width)).zip(labels);
            let scored: Vec<(f64, bool)> = parts
                .map(|((logits, row), &label)| {
                    double::dots(row, weight, logits);
                    for (logit, bias) in logits.iter_mut().zip(bias) {
                        *logit += bias;
                    }
                    residual(logits, label as usize)
                })
                .collect();
            for (row, (own, hit)) in logits.chunks_exact(classes).zip(scored) {
                loss += own;
                correct += usize::from(hit);
                for (to, value) in bias_gradient.iter_mut().zip(row) {
                    *to += value;
                }
            }
            let logits = &*logits;
            let places = weight_gradient.par_chunks_exact_mut(width).enumerate();
            places.for_each(|(class, to)| {
                let factors = logits.iter().copied().skip(class).step_by(classes);
                double::add_rows(factors.zip(rows.chunks_exact(width)), to);
            });
        }
        let scale = 1.0 / self.labels.len() as f64;
        let decay = self.weight_decay;
        for (to, value) in weight_gradient.iter_mut().zip(weight) {
            *to = *to * scale + decay * value;
        }
        bias_gradient.iter_mut().for_each(|to| *to *= scale);
        (self.loss, self.correct) = (loss * scale, correct);
        self.loss + 0.5 * decay * weight.iter().map(|value| value * value).sum::<f64>()
    }
}

/// Turns one row's logits into softmax minus one-hot; gives its cross-entropy and whether it is a hit.
fn residual(logits: &mut [f64], label: usize) -> (f64, bool) {
    let (mut best, mut largest) = (0, f64::NEG_INFINITY);
    for (class, &logit) in logits.iter().enumerate() {
        if logit > largest {
            (best, largest) = (class, logit);
        }
    }
    let own = logits[label] - largest;
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        *logit = (*logit - largest).exp();
        sum += *logit;
    }
    logits.iter_mut().for_each(|value| *value /= sum);
    logits[label] -= 1.0;
    (sum.ln() - own, best == label)
}
