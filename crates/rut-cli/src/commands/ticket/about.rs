//! What the files of a ticket say of how it was made.

use std::collections::BTreeMap;

use anyhow::Result;
use rut_compress::Pruned;
use rut_models::{MaskArray, Weights};
use serde::Serialize;

use super::source::Network;

/// The metadata entry `rut.ticket` of checkpoint and mask, as JSON; keys in the order of their names.
#[derive(Clone, Debug, Serialize)]
pub struct About {
    /// `rut`'s version.
    pub rut: &'static str,
    /// Name in the table of models.
    pub model: &'static str,
    /// The number that it is found by.
    pub state: u32,
    /// How it was pruned, if `rut` pruned it.
    pub pruned: Option<Made>,
    /// What it was converted from.
    pub converted: Option<&'static str>,
    /// Layers that the rule does not apply to.
    pub skipped: Vec<String>,
    /// On what batch norms were recalibrated.
    pub recalibrated: Option<Recalibrated>,
    /// The share of masked weights that stay.
    pub density: f64,
    /// Masked weights that stay.
    pub kept: usize,
    /// Masked weights.
    pub of: usize,
    /// Kept weights and all weights of each convolution and linear layer.
    pub layers: BTreeMap<String, [usize; 2]>,
    /// SHA-256 of the files that it was made of.
    pub source: Source,
}

/// How weights were chosen.
#[derive(Clone, Debug, Serialize)]
pub struct Made {
    /// `magnitude` or `random`.
    pub by: &'static str,
    /// `global`, `layer` or N:M.
    pub scope: String,
    /// The density that was asked for.
    pub density: Option<f64>,
    /// The rounds that were asked for.
    pub rounds: Option<u32>,
    /// Layers that lose nothing.
    pub keep: Vec<&'static str>,
    /// Whether those are counted.
    pub count_kept: bool,
    /// Of random scores.
    pub seed: Option<u64>,
}

/// On what batch norms were recalibrated.
#[derive(Clone, Debug, Serialize)]
pub struct Recalibrated {
    /// The data set.
    pub dataset: String,
    /// How many images.
    pub images: usize,
    /// SHA-256 of their pixels, in order.
    pub digest: String,
    /// Images in a batch.
    pub batch_size: usize,
    /// Which were drawn.
    pub seed: u64,
    /// How they became the network's input.
    pub preprocessing: String,
}

/// SHA-256 of files, 64 hexadecimal digits.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// The checkpoint.
    pub checkpoint: String,
    /// The mask beside it.
    pub mask: Option<String>,
}

impl About {
    /// What is measured of `pruned`.
    pub fn of(network: &Network, pruned: &Pruned) -> Self {
        let (kept, of) = counts(pruned.masks.values());
        Self {
            rut: env!("CARGO_PKG_VERSION"),
            model: network.model.name,
            state: 0,
            pruned: None,
            converted: None,
            skipped: pruned.skipped.clone(),
            recalibrated: None,
            density: kept as f64 / of.max(1) as f64,
            kept,
            of,
            layers: layers(&network.weights, pruned),
            source: Source {
                checkpoint: network.checkpoint.digest.clone(),
                mask: network.mask.as_ref().map(|mask| mask.digest.clone()),
            },
        }
    }

    /// The same text for the same content.
    ///
    /// # Errors
    /// None that can be thought of.
    pub fn text(&self) -> Result<String> {
        // Through a value, whose keys are sorted.
        Ok(serde_json::to_value(self)?.to_string())
    }
}

/// Weights that stay, and all of them.
fn counts<'a>(masks: impl Iterator<Item = &'a MaskArray>) -> (usize, usize) {
    masks.fold((0, 0), |(kept, of), mask| {
        (kept + mask.kept(), of + mask.keep.len())
    })
}

fn layers(weights: &Weights, pruned: &Pruned) -> BTreeMap<String, [usize; 2]> {
    let layers = weights.density().layers.iter().map(|layer| {
        let mask = pruned.masks.get(&layer.name);
        let kept = mask.map_or(layer.kept, MaskArray::kept);
        (layer.name.clone(), [kept, layer.total])
    });
    layers.collect()
}
