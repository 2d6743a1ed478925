//! What a probe ends with: a linear head or a baseline, and its file.

use rut_record::SplitLogits;

use crate::baseline::{KNN_VERSION, KnnHead, PROTOTYPE_VERSION, PrototypeHead};
use crate::error::Result;
use crate::evaluate::Pass;
use crate::features::LabelledFeatures;
use crate::head::{KEY, LinearHead, VERSION as LINEAR_VERSION};
use crate::linear_probe::probe_logits;
use crate::progress::{At, Reporter};
use crate::state;

/// A head on frozen features, of any kind.
#[derive(Clone, Debug)]
pub enum ProbeHead {
    /// A linear layer.
    Linear(LinearHead),
    /// The nearest training images.
    Knn(KnnHead),
    /// The mean of each class.
    Prototype(PrototypeHead),
}

impl ProbeHead {
    /// Logits of a split.
    ///
    /// # Errors
    /// If the features have another width, or a cosine is asked of one that is not finite.
    pub fn logits(&self, split: &LabelledFeatures) -> Result<SplitLogits> {
        self.told_logits(split, |_| Ok(()))
    }

    /// The same in `pass`, which the observer may stop where it takes long: of nearest neighbours.
    ///
    /// # Errors
    /// As [`logits`](Self::logits); if the observer stops it.
    pub fn reported_logits(
        &self,
        split: &LabelledFeatures,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<SplitLogits> {
        self.told_logits(split, |done| {
            let at = At {
                phase: pass.phase,
                done,
                total: split.labels.len(),
                step: pass.step,
            };
            reporter.batch(at, || Ok((pass.state)()))
        })
    }

    fn told_logits(
        &self,
        split: &LabelledFeatures,
        tell: impl FnMut(usize) -> Result<()>,
    ) -> Result<SplitLogits> {
        let (values, classes) = match self {
            Self::Linear(head) => return probe_logits(head, split),
            Self::Knn(head) => (head.logits(&split.features, tell)?, head.classes()),
            Self::Prototype(head) => (head.logits(&split.features)?, head.classes()),
        };
        Ok(SplitLogits {
            values,
            labels: split.labels.clone(),
            classes,
        })
    }

    /// Stored values that logits depend on: weights and biases; features and labels of the training images; directions.
    pub fn values(&self) -> usize {
        match self {
            Self::Linear(head) => head.weight.elem_count() + head.bias.elem_count(),
            Self::Knn(head) => head.values(),
            Self::Prototype(head) => head.values(),
        }
    }

    /// The head as a safetensors file.
    ///
    /// # Errors
    /// If a tensor cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        match self {
            Self::Linear(head) => head.to_bytes(),
            Self::Knn(head) => head.to_bytes(),
            Self::Prototype(head) => head.to_bytes(),
        }
    }

    /// The head that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// If the bytes hold no head, or tensors that do not fit one another.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (mut tensors, version) = state::deserialize(bytes, KEY)?;
        match &*version {
            LINEAR_VERSION => {
                let [weight, bias] = ["weight", "bias"].map(|name| tensors.remove(name));
                LinearHead::of_tensors(weight, bias).map(Self::Linear)
            }
            KNN_VERSION => KnnHead::of_tensors(tensors).map(Self::Knn),
            PROTOTYPE_VERSION => PrototypeHead::of_tensors(tensors).map(Self::Prototype),
            other => {
                let known = [LINEAR_VERSION, KNN_VERSION, PROTOTYPE_VERSION].join(", ");
                Err(state::unfit(KEY, &known, other))
            }
        }
    }
}
