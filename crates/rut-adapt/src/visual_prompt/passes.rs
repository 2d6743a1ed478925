//! Passes over a split under a prompt, without training: new label maps, and logits.

use std::sync::Arc;

use candle_core::Tensor;
use rut_models::FrozenNetwork;
use rut_record::{Event, SplitLogits, Ties};

use super::PromptSplits;
use crate::error::Result;
use crate::evaluate::{Pass, each_batch, flat};
use crate::images::LabelledImages;
use crate::label_map::{Evidence, FrequencyMap, LabelMap, frequency_map};
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

/// A frozen network behind a prompt. Clones share their tensors.
#[derive(Clone)]
pub struct PromptedNetwork {
    /// The network.
    pub network: Arc<dyn FrozenNetwork>,
    /// What its images are put into.
    pub prompt: PaddingPrompt,
}

impl PromptedNetwork {
    /// The frequency map over the training images.
    ///
    /// # Errors
    /// If an image cannot be read, the network fails, or the observer stops the pass.
    pub fn remap(
        &self,
        splits: &PromptSplits<'_>,
        ties: Ties,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<FrequencyMap> {
        let mut evidence = Evidence::new(self.network.classes(), splits.classes);
        self.each_batch(splits.train, pass, reporter, |logits, labels| {
            Ok(evidence.add(logits, labels)?)
        })?;
        frequency_map(&evidence, ties)
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
        let mut values = Vec::with_capacity(images.len() * classes);
        self.each_batch(images, pass, reporter, |logits, _| {
            values.extend(flat(logits)?);
            Ok(())
        })?;
        Ok(SplitLogits {
            values,
            labels: images.labels().to_vec(),
            classes,
        })
    }

    fn each_batch(
        &self,
        images: &dyn LabelledImages,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
        mut take: impl FnMut(&Tensor, &[u32]) -> Result<()>,
    ) -> Result<()> {
        let Self { network, prompt } = self;
        each_batch(images, network.dtype(), pass, reporter, |batch, labels| {
            let input = prompt.apply(&prompt.program, batch)?;
            take(&network.infer_window(&input)?.logits, labels)
        })
    }
}
