//! How much of a network is left after pruning: measured from its masks and zeros, never assumed from a recipe.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A fraction of weights that are kept, in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Density(f64);

impl Density {
    /// `kept` of `total` weights; 1 where there are none.
    ///
    /// ```
    /// let density = rut_models::Density::of(1, 8);
    /// assert_eq!(density.value(), 0.125);
    /// assert_eq!(density.to_string(), "12.50 %");
    /// ```
    pub fn of(kept: usize, total: usize) -> Self {
        if total == 0 {
            Self(1.0)
        } else {
            Self(kept as f64 / total as f64)
        }
    }

    /// The fraction, in [0, 1].
    pub fn value(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Density {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} %", 100.0 * self.0)
    }
}

/// Where a layer stands in its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerRole {
    /// The first convolution.
    Stem,
    /// Between the first convolution and the last linear layer.
    Body,
    /// The last linear layer, which linear probing replaces.
    Classifier,
}

/// The weights of one convolution or linear layer; its bias is not counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerDensity {
    /// The weight's name, for instance `layer1.0.conv1.weight`.
    pub name: String,
    /// Its shape, `[out, in, kernel, kernel]` or `[out, in]`.
    pub shape: Vec<usize>,
    /// Number of weights kept: ones of the mask where there is one, else weights that are not zero.
    pub kept: usize,
    /// Number of weights.
    pub total: usize,
    /// Number of weights that are zero though no mask says so: where there is no mask, all zeros.
    pub zeros: usize,
    /// Number of weights that are not zero though the mask prunes them: a loader that drops the mask would use them.
    pub hidden: usize,
    /// Whether a mask covers it.
    pub masked: bool,
    /// Where the layer stands.
    pub role: LayerRole,
}

/// How much of a network is left, as a whole and layer by layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DensityReport {
    /// Of all weights of convolutions and linear layers.
    pub overall: Density,
    /// The same without the first convolution and the last linear layer, which recipes usually leave dense.
    pub without_stem_and_classifier: Density,
    /// Each layer, in the order of evaluation.
    pub layers: Vec<LayerDensity>,
}

impl DensityReport {
    /// Sums up the layers of a network.
    pub fn of(layers: Vec<LayerDensity>) -> Self {
        Self {
            overall: total(layers.iter()),
            without_stem_and_classifier: total(
                layers.iter().filter(|layer| layer.role == LayerRole::Body),
            ),
            layers,
        }
    }
}

fn total<'a>(layers: impl Iterator<Item = &'a LayerDensity>) -> Density {
    let (kept, total) = layers.fold((0, 0), |(kept, total), layer| {
        (kept + layer.kept, total + layer.total)
    });
    Density::of(kept, total)
}
