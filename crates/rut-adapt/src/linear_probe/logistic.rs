//! Multinomial logistic regression on all training features at once, by L-BFGS in f64: the optimum
//! that steps of Adam come near to. For the minimiser, see `lbfgs`.
//!
//! The objective is the mean cross-entropy plus ½ · weight decay · ‖W‖², biases not decayed, from W = 0, b = 0. That is
//! scikit-learn's `LogisticRegression` with C = 1 / (n · weight decay). The mean over the images is taken from every feature
//! first and put back into the biases in the end: the optimum is the same, the way to it shorter, and gradients are by
//! weights and biases of these centred features.

use candle_core::{Device, Tensor};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use rut_record::{Event, Phase, Scores};

use super::{ProbeSplits, probe_logits};
use crate::error::{Error, Result};
use crate::features::LabelledFeatures;
use crate::head::LinearHead;
use crate::lbfgs::{Solved, Stopping, minimize};
use crate::observer::Observer;
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

/// All fits, and which of them is kept: of the best accuracy on the validation split, of equals of the lower NLL, of these
/// the first.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// In the order of the weight decays; at least one.
    pub fits: Vec<Fit>,
    /// The kept one.
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

fn check(splits: ProbeSplits<'_>, options: &LogisticOptions) -> Result<()> {
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
    let LabelledFeatures { features, labels } = splits.train;
    if features.is_empty() || features.len() != labels.len() {
        let expected = "training images, and a label for each".into();
        let found = format!("{} and {} labels", features.len(), labels.len());
        return refuse("training images", expected, found);
    }
    match labels
        .iter()
        .find(|&&label| label as usize >= options.classes)
    {
        Some(label) => {
            let expected = format!("below {}", options.classes);
            refuse("labels", expected, label.to_string())
        }
        None => Ok(()),
    }
}

fn fit(
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
    let head = objective.head(&x)?;
    let validation = match splits.validation.filter(|split| !split.labels.is_empty()) {
        Some(split) => Some(probe_logits(&head, split)?.scores()?),
        None => None,
    };
    let (weight, _) = x.split_at(options.classes * objective.width);
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

/// Rows that are widened and worked on at once.
const ROWS: usize = 512;

/// The regularised loss as a function of weights and biases.
struct Objective<'a> {
    data: &'a LabelledFeatures,
    classes: usize,
    width: usize,
    weight_decay: f64,
    /// Mean cross-entropy of the last evaluation.
    loss: f64,
    /// Hits of the last evaluation.
    correct: usize,
    single: Vec<f32>,
    rows: Vec<f64>,
    logits: Vec<f64>,
    /// Of every feature.
    mean: Vec<f64>,
}

impl<'a> Objective<'a> {
    fn new(data: &'a LabelledFeatures, classes: usize, weight_decay: f64) -> Self {
        let width = data.features.width();
        let mut objective = Self {
            data,
            classes,
            width,
            weight_decay,
            loss: 0.0,
            correct: 0,
            single: vec![0.0; ROWS * width],
            rows: vec![0.0; ROWS * width],
            logits: vec![0.0; ROWS * classes],
            mean: vec![0.0; width],
        };
        objective.mean = objective.feature_means();
        objective
    }

    fn feature_means(&mut self) -> Vec<f64> {
        let width = self.width;
        let mut sums = vec![0.0; width];
        let all: Vec<usize> = (0..self.data.labels.len()).collect();
        for indices in all.chunks(ROWS) {
            for row in self.centred(indices).chunks_exact(width) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += value;
                }
            }
        }
        sums.iter_mut().for_each(|sum| *sum /= all.len() as f64);
        sums
    }

    /// Rows less the means, in f64.
    fn centred(&mut self, indices: &[usize]) -> &[f64] {
        let len = indices.len() * self.width;
        self.data.features.gather(indices, &mut self.single[..len]);
        let rows = self.rows[..len].chunks_exact_mut(self.width);
        for (to, row) in rows.zip(self.single.chunks_exact(self.width)) {
            for ((to, value), mean) in to.iter_mut().zip(row).zip(&self.mean) {
                *to = f64::from(*value) - mean;
            }
        }
        &self.rows[..len]
    }

    /// The head for features as they are, rounded to f32.
    fn head(&self, x: &[f64]) -> Result<LinearHead> {
        let (weight, bias) = x.split_at(self.classes * self.width);
        let rows = weight.chunks_exact(self.width).zip(bias);
        let bias = rows.map(|(row, bias)| {
            let moved: f64 = row.iter().zip(&self.mean).map(|(w, mean)| w * mean).sum();
            (bias - moved) as f32
        });
        let weight: Vec<f32> = weight.iter().map(|&value| value as f32).collect();
        let shape = (self.classes, self.width);
        Ok(LinearHead {
            weight: Tensor::from_vec(weight, shape, &Device::Cpu)?,
            bias: Tensor::from_vec(bias.collect(), self.classes, &Device::Cpu)?,
        })
    }

    /// Sums go row by row and block by block: threads change no bit.
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (classes, width) = (self.classes, self.width);
        let (weight, bias) = x.split_at(classes * width);
        let (weight_gradient, bias_gradient) = gradient.split_at_mut(classes * width);
        weight_gradient.fill(0.0);
        bias_gradient.fill(0.0);
        let (mut loss, mut correct) = (0.0, 0);
        let all: Vec<usize> = (0..self.data.labels.len()).collect();
        for indices in all.chunks(ROWS) {
            self.centred(indices);
            let rows = &self.rows[..indices.len() * width];
            let logits = &mut self.logits[..indices.len() * classes];
            let places = logits.par_chunks_exact_mut(classes);
            let parts = places.zip(rows.par_chunks_exact(width)).zip(indices);
            let scored: Vec<(f64, bool)> = parts
                .map(|((logits, row), &index)| {
                    Arch::new().dispatch(Logits {
                        row,
                        weight,
                        bias,
                        logits,
                    });
                    residual(logits, self.data.labels[index] as usize)
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
                Arch::new().dispatch(AddRows { rows, factors, to });
            });
        }
        let scale = 1.0 / all.len() as f64;
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

/// `logits` = W row + b.
struct Logits<'a> {
    row: &'a [f64],
    weight: &'a [f64],
    bias: &'a [f64],
    logits: &'a mut [f64],
}

impl WithSimd for Logits<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (row, row_tail) = S::as_simd_f64s(self.row);
        let weights = self.weight.chunks_exact(self.row.len());
        for ((logit, weight), bias) in self.logits.iter_mut().zip(weights).zip(self.bias) {
            let (weight, weight_tail) = S::as_simd_f64s(weight);
            let mut sums = [simd.splat_f64s(0.0); 4];
            let (parts, rest) = row.as_chunks::<4>();
            let (weight_parts, weight_rest) = weight.as_chunks::<4>();
            for (x, w) in parts.iter().zip(weight_parts) {
                for i in 0..4 {
                    sums[i] = simd.mul_add_e_f64s(x[i], w[i], sums[i]);
                }
            }
            for (x, w) in rest.iter().zip(weight_rest) {
                sums[0] = simd.mul_add_e_f64s(*x, *w, sums[0]);
            }
            let low = simd.add_f64s(sums[0], sums[1]);
            let sum = simd.add_f64s(low, simd.add_f64s(sums[2], sums[3]));
            let tail = row_tail.iter().zip(weight_tail);
            let tail: f64 = tail.map(|(x, w)| x * w).sum();
            *logit = simd.reduce_sum_f64s(sum) + tail + bias;
        }
    }
}

/// `to` += Σ factor · row.
struct AddRows<'a, F> {
    rows: &'a [f64],
    factors: F,
    to: &'a mut [f64],
}

impl<F: Iterator<Item = f64>> WithSimd for AddRows<'_, F> {
    type Output = ();

    /// A plain loop: the compiler turns it into vectors of the instruction set at hand.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (row, factor) in self.rows.chunks_exact(self.to.len()).zip(self.factors) {
            for (to, value) in self.to.iter_mut().zip(row) {
                *to += factor * value;
            }
        }
    }
}
