//! From the files of a specification to a frozen network that can be asked. What is in the files is `rut-models`' business.

use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Device};
use rut_models::{
    CandleNetwork, Checkpoint, DensityReport, FrozenNetwork, LayerRole, Mask, ModelSpec,
    Normalization, Weights,
};

use crate::checked::WeightFiles;
use crate::environment::{ENGINE, isa};
use crate::error::Result;

/// A network that is ready, and how dense it is.
#[derive(Clone)]
pub struct LoadedNetwork {
    /// The engine.
    pub network: Arc<dyn FrozenNetwork>,
    /// What is left of its weights.
    pub density: DensityReport,
    /// What its input is normalised by.
    pub normalization: Normalization,
    /// SHA-256 of the checkpoint.
    pub checkpoint: String,
    /// SHA-256 of the mask.
    pub mask: Option<String>,
    /// Model, class count, engine and instruction set: what features depend on beside the weights.
    pub title: String,
}

/// Loads checkpoint and mask, checks them against `model` with `classes` source classes, and builds the engine (f32, CPU).
///
/// # Errors
/// If a file is missing or broken, or a key is missing, unexpected or of another shape.
pub fn load(model: &ModelSpec, classes: usize, files: &WeightFiles) -> Result<LoadedNetwork> {
    let graph = (model.graph)(classes);
    let checkpoint = Checkpoint::open(&files.checkpoint)?;
    let open_mask = |path: &Path| Mask::open(path);
    let mask = files.mask.as_deref().map(open_mask).transpose()?;
    let weights = Weights::assemble(&graph, &checkpoint, mask.as_ref())?;
    let network = CandleNetwork::new(&graph, &weights, DType::F32, &Device::Cpu)?;
    Ok(LoadedNetwork {
        network: Arc::new(network),
        density: weights.density().clone(),
        normalization: model.normalization,
        checkpoint: checkpoint.digest.clone(),
        mask: mask.map(|mask| mask.digest.clone()),
        title: format!("{} {classes} {ENGINE} f32 {}", model.name, isa()),
    })
}

/// Density of the network with a dense linear layer of `targets` classes in place of its classifier (defect D13).
pub fn density_with_new_head(density: &DensityReport, width: usize, targets: usize) -> f64 {
    let body = density
        .layers
        .iter()
        .filter(|layer| layer.role != LayerRole::Classifier);
    let head = width * targets;
    let (kept, total) = body.fold((head, head), |(kept, total), layer| {
        (kept + layer.kept, total + layer.total)
    });
    kept as f64 / total.max(1) as f64
}
