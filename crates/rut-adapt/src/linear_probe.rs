//! Linear probing: a linear head trained on the pooled features of a frozen network, or a grid of heads in one pass over
//! them. Features come from `features`, a step's arithmetic from `softmax_regression`; `logistic` fits on all of them at once.

mod c_search;
mod grid;
mod logistic;

pub use c_search::{C_SEARCH_FITS, CSearch, CStep, logistic_search};
pub use grid::{GridMember, Probed, check_grid, linear_probe_grid};
pub use logistic::{Fit, Fitted, LogisticOptions, RELATIVE_GRADIENT, logistic_probe};

use rut_record::{Phase, Select, SplitLogits};

use crate::epochs::{Batched, Finished, LoopOptions, Trainer, train};
use crate::error::Result;
use crate::evaluate::Pass;
use crate::features::LabelledFeatures;
use crate::head::LinearHead;
use crate::loss::Scored;
use crate::observer::Observer;
use crate::progress::Reporter;
use crate::softmax_regression::{HeadRates, SoftmaxRegression};
use crate::state::TrainingState;

/// What a probe is trained and looked at on.
#[derive(Clone, Copy, Debug)]
pub struct ProbeSplits<'a> {
    /// Trained on.
    pub train: &'a LabelledFeatures,
    /// Scored while training; chosen on with `best-val`, and in a grid.
    pub validation: Option<&'a LabelledFeatures>,
    /// Looked at while training with `best-test` only.
    pub test: &'a LabelledFeatures,
}

/// Heads in training, and the data.
struct Probe<'a> {
    splits: ProbeSplits<'a>,
    select: Select,
    start: LinearHead,
    /// What the heads begin with.
    begin: Vec<HeadRates>,
    /// What they have now.
    now: Vec<HeadRates>,
    training: SoftmaxRegression,
}

/// Trains `head` from where it is, or goes on from `resume`.
///
/// The loss is the mean cross-entropy of the batch; the optimiser is Adam without weight decay, the schedule
/// that of the options.
///
/// # Errors
/// If an option is out of range, the shapes do not fit, the loss is not finite, or the observer stops the loop.
pub fn linear_probe(
    splits: ProbeSplits<'_>,
    head: LinearHead,
    options: &LoopOptions,
    resume: Option<&TrainingState>,
    observer: &mut dyn Observer,
) -> Result<Finished<LinearHead>> {
    let rates = HeadRates {
        learning_rate: options.learning_rate,
        weight_decay: 0.0,
    };
    let mut probe = Probe::new(splits, head, options, vec![rates])?;
    train(&mut probe, options, resume, &mut Reporter::new(observer))
}

impl<'a> Probe<'a> {
    fn new(
        splits: ProbeSplits<'a>,
        start: LinearHead,
        options: &LoopOptions,
        begin: Vec<HeadRates>,
    ) -> Result<Self> {
        options.check_watched(splits.validation.map_or(0, |split| split.labels.len()))?;
        let training = SoftmaxRegression::new(&start, begin.len())?;
        Ok(Self {
            splits,
            select: options.select,
            start,
            now: begin.clone(),
            begin,
            training,
        })
    }
}

impl Trainer for Probe<'_> {
    type Trained = LinearHead;

    fn members(&self) -> usize {
        self.begin.len()
    }

    fn images(&self) -> usize {
        self.splits.train.labels.len()
    }

    fn before_epoch(&mut self, _: u32, _: &Pass<'_>, _: &mut Reporter<'_>) -> Result<()> {
        Ok(())
    }

    fn step(&mut self, batch: Batched<'_>, scored: &mut Vec<Scored>) -> Result<()> {
        for (now, begin) in self.now.iter_mut().zip(&self.begin) {
            now.learning_rate = batch.rate.from(begin.learning_rate);
        }
        let train = self.splits.train;
        self.training.step(train, batch.indices, &self.now, scored)
    }

    fn watch(
        &self,
        member: usize,
        _: &Pass<'_>,
        _: &mut Reporter<'_>,
    ) -> Result<Option<(SplitLogits, Phase)>> {
        let (split, phase) = match (self.select, self.splits.validation) {
            (Select::BestTest, _) => (self.splits.test, Phase::Test),
            (_, Some(validation)) => (validation, Phase::Validate),
            (_, None) => return Ok(None),
        };
        let logits = SplitLogits {
            values: self.training.logits(member, &split.features)?,
            labels: split.labels.clone(),
            classes: self.start.classes(),
        };
        Ok(Some((logits, phase)))
    }

    fn trained(&self, member: usize) -> Result<LinearHead> {
        self.training.head(member)
    }

    fn save_trained(&self, name: &str, trained: &LinearHead, state: &mut TrainingState) {
        trained.save(name, state);
    }

    fn restore_trained(&self, name: &str, state: &TrainingState) -> Result<LinearHead> {
        LinearHead::restore(name, state, &self.start)
    }

    fn save(&self, state: &mut TrainingState) -> Result<()> {
        self.training.save(state)
    }

    fn restore(&mut self, trained: Vec<LinearHead>, state: &TrainingState) -> Result<()> {
        self.training.restore(&trained, state)
    }
}

/// Logits of a split under `head`.
///
/// # Errors
/// If the features have another width.
pub fn probe_logits(head: &LinearHead, split: &LabelledFeatures) -> Result<SplitLogits> {
    Ok(SplitLogits {
        values: SoftmaxRegression::new(head, 1)?.logits(0, &split.features)?,
        labels: split.labels.clone(),
        classes: head.classes(),
    })
}
