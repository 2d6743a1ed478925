//! The network that is measured: from files, or drawn, and pruned if asked for.

use std::sync::Arc;

use rut_models::{Checkpoint, Classifier, FrozenNetwork, Graph, Mask, Placement, Reading, Weights};
use serde::Serialize;

use crate::error::Result;
use crate::options::{BenchOptions, CheckedBench};
use crate::pruning::{Arrays, MaskKind, he_weights, prune};

/// Which network was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchedNetwork {
    /// Name in the table.
    pub model: String,
    /// Number of source classes.
    pub source_classes: usize,
    /// SHA-256 of the checkpoint; absent where the weights were drawn.
    pub checkpoint: Option<String>,
    /// SHA-256 of the mask's file.
    pub mask: Option<String>,
    /// Kind of the mask that was made.
    pub mask_kind: Option<MaskKind>,
    /// Share of non-zero weights over all convolutions and linear layers, 0–1.
    pub density: f64,
    /// The same without stem and classifier, 0–1.
    pub density_without_stem_and_classifier: f64,
}

/// The engine with its weights, and what a report says of them. The weights themselves are dropped: what is measured is
/// the engine's memory.
pub(super) fn load(bench: &CheckedBench) -> Result<(Arc<dyn FrozenNetwork>, BenchedNetwork)> {
    let BenchOptions {
        engine,
        precision,
        seed,
        ..
    } = bench.options;
    let files = Files::open(&bench.options)?;
    let (graph, read) = match &files {
        Some(files) => {
            let (graph, weights) = files.weights(bench)?;
            (graph, Some(weights))
        }
        None => ((bench.model.graph)(bench.classes), None),
    };
    let weights = match (read, bench.pruning) {
        (Some(weights), None) => weights,
        (read, pruning) => {
            let mut arrays = match read {
                Some(weights) => arrays(&graph, &weights),
                None => he_weights(&graph, seed),
            };
            if let Some((kind, density)) = pruning {
                prune(&graph, &mut arrays, kind, density, seed)?;
            }
            Weights::from_arrays(&graph, arrays)?
        }
    };
    let density = weights.density();
    let about = BenchedNetwork {
        model: bench.model.name.into(),
        source_classes: graph.classes(),
        checkpoint: files.as_ref().map(|files| files.checkpoint.digest.clone()),
        mask: files
            .and_then(|files| files.mask)
            .map(|mask| mask.digest.clone()),
        mask_kind: bench.pruning.map(|(kind, _)| kind),
        density: density.overall.value(),
        density_without_stem_and_classifier: density.without_stem_and_classifier.value(),
    };
    let placement = Placement {
        precision,
        ..Placement::default()
    };
    let network = engine.load(&graph, &weights, &placement)?;
    Ok((network, about))
}

struct Files {
    checkpoint: Checkpoint,
    mask: Option<Mask>,
}

impl Files {
    fn open(options: &BenchOptions) -> Result<Option<Self>> {
        let Some(path) = &options.checkpoint else {
            return Ok(None);
        };
        let checkpoint = Checkpoint::open(path)?;
        let mask = options.mask.as_deref().map(Mask::open).transpose()?;
        Ok(Some(Self { checkpoint, mask }))
    }

    /// Its weights, and the graph that has as many classes as they do.
    fn weights(&self, bench: &CheckedBench) -> Result<(Graph, Weights)> {
        let reading = Reading {
            key: bench.options.checkpoint_key.clone(),
            classes: bench.options.source_classes,
            classifier: Classifier::Optional,
        };
        let mask = self.mask.as_ref();
        Ok(Weights::read(
            bench.model,
            &self.checkpoint,
            mask,
            &reading,
        )?)
    }
}

fn arrays(graph: &Graph, weights: &Weights) -> Arrays {
    let array = |name: String| Some((name.clone(), weights.get(&name)?.clone()));
    let names = graph.parameters().into_iter().map(|p| p.name);
    names.filter_map(array).collect()
}
