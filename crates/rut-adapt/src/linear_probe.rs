//! Linear probing: a linear head trained on the pooled features of a frozen network. Features come from `features`.

use candle_core::{Tensor, Var};

use crate::epochs::{Finished, LoopOptions, Method, train};
use crate::error::Result;
use crate::evaluate::{Pass, SplitLogits};
use crate::event::{Observer, Phase};
use crate::head::LinearHead;
use crate::loss::{Scored, cross_entropy, label_tensor, score};
use crate::optimizer::Adam;
use crate::progress::Reporter;
use crate::select::Select;
use crate::state::State;

/// Features of a split and its labels.
#[derive(Clone, Debug)]
pub struct LabelledFeatures {
    /// [n, width]
    pub features: Tensor,
    /// `[n]`
    pub labels: Vec<u32>,
}

/// What a probe is trained and looked at on.
#[derive(Clone, Copy, Debug)]
pub struct ProbeSplits<'a> {
    /// Trained on.
    pub train: &'a LabelledFeatures,
    /// Scored while training; chosen on with `best-val`.
    pub validation: Option<&'a LabelledFeatures>,
    /// Looked at while training with `best-test` only.
    pub test: &'a LabelledFeatures,
}

/// A probe in training: the head, the optimiser and the data.
struct Probe<'a> {
    splits: ProbeSplits<'a>,
    select: Select,
    head: LinearHead,
    adam: Adam,
}

/// Trains `head` from where it is, or goes on from `resume`.
///
/// The loss is the mean cross-entropy of the batch; the optimiser is [`Adam`], the schedule
/// [`MultiStep`](crate::schedule::MultiStep).
///
/// # Errors
/// If an option is out of range, the shapes do not fit, the loss is not finite, or the observer stops the loop.
pub fn linear_probe(
    splits: ProbeSplits<'_>,
    head: LinearHead,
    options: &LoopOptions,
    resume: Option<&State>,
    observer: &mut dyn Observer,
) -> Result<Finished<LinearHead>> {
    options.check_watched(splits.validation.map_or(0, |split| split.labels.len()))?;
    let mut probe = Probe {
        splits,
        select: options.select,
        head,
        adam: Adam::new(),
    };
    train(&mut probe, options, resume, &mut Reporter::new(observer))
}

impl Method for Probe<'_> {
    type Trained = LinearHead;

    fn images(&self) -> usize {
        self.splits.train.labels.len()
    }

    fn before_epoch(&mut self, _: u32, _: &Pass<'_>, _: &mut Reporter<'_>) -> Result<()> {
        Ok(())
    }

    fn step(&mut self, indices: &[usize], learning_rate: f64) -> Result<Scored> {
        let train = self.splits.train;
        let rows: Vec<u32> = indices.iter().map(|&i| i as u32).collect();
        let features = train
            .features
            .index_select(&Tensor::new(rows, train.features.device())?, 0)?;
        let labels: Vec<u32> = indices.iter().map(|&i| train.labels[i]).collect();
        let [weight, bias] = self.head.parameters().map(|p| Var::from_tensor(&p));
        let (weight, bias) = (weight?, bias?);
        let head = LinearHead {
            weight: weight.as_tensor().clone(),
            bias: bias.as_tensor().clone(),
        };
        let logits = head.logits(&features)?;
        let loss = cross_entropy(&logits, &label_tensor(&labels, &logits)?)?;
        let scored = score(&loss, &logits, &labels)?;
        let gradients = gradients(&loss, &[&weight, &bias])?;
        let mut stepped = self
            .adam
            .step(&self.head.parameters(), &gradients, learning_rate)?
            .into_iter();
        if let (Some(weight), Some(bias)) = (stepped.next(), stepped.next()) {
            self.head = LinearHead { weight, bias };
        }
        Ok(scored)
    }

    fn watch(&self, _: &Pass<'_>, _: &mut Reporter<'_>) -> Result<Option<(SplitLogits, Phase)>> {
        let (split, phase) = match (self.select, self.splits.validation) {
            (Select::BestTest, _) => (self.splits.test, Phase::Test),
            (_, Some(validation)) => (validation, Phase::Validate),
            (_, None) => return Ok(None),
        };
        Ok(Some((probe_logits(&self.head, split)?, phase)))
    }

    fn trained(&self) -> LinearHead {
        self.head.clone()
    }

    fn save_trained(&self, name: &str, trained: &LinearHead, state: &mut State) {
        trained.save(name, state);
    }

    fn restore_trained(&self, name: &str, state: &State) -> Result<LinearHead> {
        LinearHead::restore(name, state, &self.head)
    }

    fn save(&self, state: &mut State) {
        self.adam.save(state);
    }

    fn restore(&mut self, trained: LinearHead, state: &State) -> Result<()> {
        self.adam = Adam::restore(state, &trained.parameters())?;
        self.head = trained;
        Ok(())
    }
}

/// The gradients of a scalar `loss` with respect to `variables`, in their order.
///
/// # Errors
/// If the loss does not depend on one of them.
pub(crate) fn gradients(loss: &Tensor, variables: &[&Var]) -> Result<Vec<Tensor>> {
    let mut found = loss.backward()?;
    let take = |variable: &&Var| {
        found.remove(variable.as_tensor()).ok_or_else(|| {
            candle_core::Error::Msg("the loss does not depend on a trained tensor".into()).into()
        })
    };
    variables.iter().map(take).collect()
}

/// Logits of a split under `head`.
///
/// # Errors
/// If the features have another width.
pub fn probe_logits(head: &LinearHead, split: &LabelledFeatures) -> Result<SplitLogits> {
    SplitLogits::from_tensor(&head.logits(&split.features)?, &split.labels)
}
