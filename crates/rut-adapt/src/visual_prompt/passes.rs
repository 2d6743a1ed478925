//! Passes over a split under a prompt, without training: new label maps, and logits.

use std::sync::Arc;

use candle_core::Tensor;
use rut_data::Seed;
use rut_models::{FrozenNetwork, logits, logits_window};
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
        let (sources, targets) = (self.network.classes(), splits.classes);
        let mut evidence = || {
            let mut evidence = Evidence::new(sources, targets);
            self.each_batch(splits.train, pass, reporter, |logits, labels| {
                Ok(evidence.add(logits, labels)?)
            })?;
            Ok(evidence)
        };
        (mapping.row.make)(Making {
            sources,
            targets,
            seed,
            options: &mapping.options,
            evidence: &mut evidence,
        })
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

    /// Source logits [n, S] of a batch, with `parameters` in place of the prompt's own. Differentiable in them.
    ///
    /// # Errors
    /// If the network fails.
    pub(super) fn traced_logits(&self, parameters: &[Tensor], images: &Tensor) -> Result<Tensor> {
        Ok(match self.prompt.apply(parameters, images)? {
            Prompted::Window(input) => logits_window(
                &self.network,
                &input.canvas,
                &input.patches,
                input.top,
                input.left,
            )?,
            Prompted::Images(images) => logits(&self.network, &images)?,
        })
    }

    fn each_batch(
        &self,
        images: &dyn LabelledImages,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
        mut take: impl FnMut(&Tensor, &[u32]) -> Result<()>,
    ) -> Result<()> {
        let (network, values) = (&self.network, self.prompt.values());
        each_batch(
            images,
            &network.placement(),
            pass,
            reporter,
            |batch, labels| {
                let outputs = match self.prompt.apply(&values, batch)? {
                    Prompted::Window(input) => network.infer_window(&input)?,
                    Prompted::Images(images) => network.infer(&images)?,
                };
                take(&outputs.logits, labels)
            },
        )
    }
}
