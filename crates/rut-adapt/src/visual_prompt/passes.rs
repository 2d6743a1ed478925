//! Passes over a split under a prompt, without training: new label maps, and logits.

use std::sync::Arc;

use candle_core::Tensor;
use rut_data::Seed;
use rut_models::{FrozenNetwork, Outputs, logits, logits_window};
use rut_record::{Event, SplitLogits};

use super::PromptSplits;
use crate::error::Result;
use crate::evaluate::{Pass, each_batch, flat};
use crate::images::LabelledImages;
use crate::label_map::{Evidence, LabelMap, MadeMap, Making, MappingChoice};
use crate::progress::Reporter;
use crate::prompt::{Prompt, Prompted};

/// The event of a new map.
///
/// # Errors
/// If a tensor of the map cannot be read.
pub fn mapped(epoch: u32, made: &MadeMap, last: Option<&LabelMap>) -> Result<Event> {
    Ok(Event::Mapped {
        epoch,
        sources: made.map.sources().unwrap_or_default().to_vec(),
        weights: made.map.weights()?,
        churn: last.map(|last| made.map.churn(last)).transpose()?,
        ties: made.ties,
        without_evidence: made.without_evidence.clone(),
    })
}

/// A frozen network behind a prompt. Clones share their tensors.
#[derive(Clone)]
pub struct PromptedNetwork {
    /// The network.
    pub network: Arc<dyn FrozenNetwork>,
    /// What its images are put into.
    pub prompt: Arc<dyn Prompt>,
}

impl PromptedNetwork {
    /// A label map of `mapping` at the prompt as it is.
    ///
    /// # Errors
    /// If there are more target than source classes, an image cannot be read, the network fails, or the observer stops the
    /// pass.
    pub fn label_map(
        &self,
        mapping: &MappingChoice,
        splits: &PromptSplits<'_>,
        seed: Seed,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<MadeMap> {
        let mut evidence = |asked| self.evidence(asked, splits.train, pass, reporter);
        Ok(self.made(mapping, splits, seed, &mut evidence)?.0)
    }

    /// A label map of `mapping`, and, with nothing seen, the evidence that it asked for.
    pub(super) fn made(
        &self,
        mapping: &MappingChoice,
        splits: &PromptSplits<'_>,
        seed: Seed,
        evidence: &mut dyn FnMut(Evidence) -> Result<Evidence>,
    ) -> Result<(MadeMap, Option<Evidence>)> {
        let mut asked = None;
        let mut evidence = |wanted: Evidence| {
            asked = Some(wanted.emptied());
            evidence(wanted)
        };
        let made = (mapping.row.make)(Making {
            sources: self.network.classes(),
            targets: splits.classes,
            source_names: splits.source_names,
            target_names: splits.target_names,
            images: splits.train.len(),
            seed,
            placement: &self.network.placement(),
            options: &mapping.options,
            evidence: &mut evidence,
        })?;
        Ok((made, asked))
    }

    /// `asked` with all `images` added, at the prompt as it is.
    pub(super) fn evidence(
        &self,
        asked: Evidence,
        images: &dyn LabelledImages,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<Evidence> {
        let mut evidence = asked;
        each_prompted(self, images, pass, reporter, |outputs, labels| {
            Ok(evidence.add(&outputs.logits, labels)?)
        })?;
        Ok(evidence)
    }

    /// Source logits [n, source classes] of all `images`.
    ///
    /// # Errors
    /// If an image cannot be read, the network fails, or the observer stops the pass.
    pub fn source_logits(
        &self,
        images: &dyn LabelledImages,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<SplitLogits> {
        let classes = self.network.classes();
        let logits = |outputs: &Outputs| Ok(outputs.logits.clone());
        self.split_logits(images, classes, pass, reporter, logits)
    }

    /// The logits [n, classes] of all `images` that `of` gives for each batch of outputs.
    ///
    /// # Errors
    /// As [`source_logits`](Self::source_logits), and those of `of`.
    pub(crate) fn split_logits(
        &self,
        images: &dyn LabelledImages,
        classes: usize,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
        of: impl Fn(&Outputs) -> candle_core::Result<Tensor>,
    ) -> Result<SplitLogits> {
        let mut values = Vec::with_capacity(images.len() * classes);
        each_prompted(self, images, pass, reporter, |outputs, _| {
            values.extend(flat(&of(outputs)?)?);
            Ok(())
        })?;
        Ok(SplitLogits {
            values,
            labels: images.labels().to_vec(),
            classes,
        })
    }
}

/// Source logits [n, S] of a prompted batch; differentiable in what it depends on.
///
/// # Errors
/// If the network fails.
pub(super) fn source_logits(network: &Arc<dyn FrozenNetwork>, input: &Prompted) -> Result<Tensor> {
    Ok(match input {
        Prompted::Window(input) => logits_window(
            network,
            &input.canvas,
            &input.patches,
            input.top,
            input.left,
        )?,
        Prompted::Images(images) => logits(network, images)?,
    })
}

/// What `prompted` gives for all `images`, batch by batch, with their labels.
///
/// # Errors
/// If an image cannot be read, the network fails, or the observer stops the pass.
fn each_prompted(
    prompted: &PromptedNetwork,
    images: &dyn LabelledImages,
    pass: &Pass<'_>,
    reporter: &mut Reporter<'_>,
    mut take: impl FnMut(&Outputs, &[u32]) -> Result<()>,
) -> Result<()> {
    let PromptedNetwork { network, prompt } = prompted;
    let (values, placement) = (prompt.values(), network.placement());
    each_batch(images, &placement, pass, reporter, |batch, labels| {
        let outputs = match prompt.apply(&values, batch)? {
            Prompted::Window(input) => network.infer_window(&input)?,
            Prompted::Images(images) => network.infer(&images)?,
        };
        take(&outputs, labels)
    })
}
