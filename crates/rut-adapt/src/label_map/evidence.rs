//! What a pass over the training images says about source and target classes.

use candle_core::{D, DType, Tensor};

/// Counts and softmax mass of source predictions by target label.
///
/// Both are [sources, targets], row-major: `counts[i·T + j]` is the number of images of target j whose largest logit is
/// source i (the first of several); `mass[i·T + j]` is the sum over the images of target j of softmax(f)_i.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Number of source classes S.
    pub sources: usize,
    /// Number of target classes T.
    pub targets: usize,
    /// C [S, T].
    pub counts: Vec<u64>,
    /// Summed softmax [S, T].
    pub mass: Vec<f64>,
}

impl Evidence {
    /// Nothing seen yet.
    pub fn new(sources: usize, targets: usize) -> Self {
        let cells = sources * targets;
        Self {
            sources,
            targets,
            counts: vec![0; cells],
            mass: vec![0.0; cells],
        }
    }

    /// Adds a batch: source `logits` [n, S] and target `labels` `[n]`, each below T.
    ///
    /// # Errors
    /// If the logits have another width, or a label is not below T.
    pub fn add(&mut self, logits: &Tensor, labels: &[u32]) -> candle_core::Result<()> {
        let rows = logits.to_dtype(DType::F64)?;
        let probabilities = candle_nn::ops::softmax(&rows, D::Minus1)?.to_vec2::<f64>()?;
        let predicted = logits.argmax(D::Minus1)?.to_vec1::<u32>()?;
        let targets = self.targets;
        if let Some(label) = labels.iter().find(|&&label| label as usize >= targets) {
            candle_core::bail!(
                "add a label to the evidence: expected one below {targets}, found {label}"
            );
        }
        for ((row, source), &label) in probabilities.iter().zip(predicted).zip(labels) {
            self.add_prediction(source, label);
            for (source, p) in row.iter().enumerate() {
                self.mass[source * self.targets + label as usize] += p;
            }
        }
        Ok(())
    }

    /// Adds one image of target `label` that was predicted as `source`, without softmax mass.
    pub fn add_prediction(&mut self, source: u32, label: u32) {
        self.counts[source as usize * self.targets + label as usize] += 1;
    }
}
