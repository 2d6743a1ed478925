//! Passes over a split under a prompt, without training: new label maps, and logits.

use candle_core::Tensor;
use rut_models::FrozenNetwork;

use super::PromptSplits;
use crate::error::Result;
use crate::evaluate::{Pass, SplitLogits, each_batch, flat};
use crate::event::Event;
use crate::images::LabelledImages;
use crate::label_map::{Evidence, FrequencyMap, LabelMap, Ties, frequency_map};
use crate::progress::Reporter;
use crate::prompt::PaddingPrompt;

/// The event that tells of a new map.
pub fn mapped(epoch: u32, made: &FrequencyMap, last: Option<&LabelMap>) -> Event {
    Event::Mapped {
        epoch,
        sources: made.map.sources().to_vec(),
        churn: last.map(|last| made.map.churn(last)),
        ties: made.ties,
        without_evidence: made.without_evidence.clone(),
    }
}

/// The frequency map of `prompt` over the training images.
///
/// # Errors
/// If an image cannot be read, the network fails, or the observer stops the pass.
pub fn remap(
    network: &dyn FrozenNetwork,
    prompt: &PaddingPrompt,
    splits: &PromptSplits<'_>,
    ties: Ties,
    pass: &Pass<'_>,
    reporter: &mut Reporter<'_>,
) -> Result<FrequencyMap> {
    let mut evidence = Evidence::new(network.classes(), splits.classes);
    prompted_batches(
        network,
        prompt,
        splits.train,
        pass,
        reporter,
        |logits, labels| Ok(evidence.add(logits, labels)?),
    )?;
    frequency_map(&evidence, ties)
}

/// Source logits [n, source classes] of all `images` under `prompt`.
///
/// # Errors
/// If an image cannot be read, the network fails, or the observer stops the pass.
pub fn source_logits(
    network: &dyn FrozenNetwork,
    prompt: &PaddingPrompt,
    images: &dyn LabelledImages,
    pass: &Pass<'_>,
    reporter: &mut Reporter<'_>,
) -> Result<SplitLogits> {
    let mut values = Vec::with_capacity(images.len() * network.classes());
    prompted_batches(network, prompt, images, pass, reporter, |logits, _| {
        values.extend(flat(logits)?);
        Ok(())
    })?;
    Ok(SplitLogits {
        values,
        labels: images.labels().to_vec(),
        classes: network.classes(),
    })
}

fn prompted_batches(
    network: &dyn FrozenNetwork,
    prompt: &PaddingPrompt,
    images: &dyn LabelledImages,
    pass: &Pass<'_>,
    reporter: &mut Reporter<'_>,
    mut take: impl FnMut(&Tensor, &[u32]) -> Result<()>,
) -> Result<()> {
    each_batch(images, network.dtype(), pass, reporter, |batch, labels| {
        let input = prompt.apply(&prompt.program, batch)?;
        take(&network.infer_window(&input)?.logits, labels)
    })
}

impl SplitLogits {
    /// Target logits of source logits under `map`.
    pub fn map(&self, map: &LabelMap) -> Self {
        let rows = self.values.chunks_exact(self.classes.max(1));
        let values = rows
            .flat_map(|row| map.sources().iter().map(|&source| row[source as usize]))
            .collect();
        Self {
            values,
            labels: self.labels.clone(),
            classes: map.targets(),
        }
    }
}
