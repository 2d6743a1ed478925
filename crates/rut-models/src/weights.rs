//! The weights of a network, complete and checked: checkpoint × mask under the graph's own names.

mod check;

use std::collections::BTreeMap;

use crate::array::Array;
use crate::checkpoint::Checkpoint;
use crate::density::{DensityReport, LayerDensity, LayerRole};
use crate::error::Result;
use crate::graph::{Graph, Parameter, ParameterKind};
use crate::mask::{Mask, MaskArray};
use check::Source;

/// Every parameter of one graph, with the mask applied once.
///
/// ```
/// use rut_models::{Array, Weights, find};
/// let graph = find("resnet20_cifar10").unwrap().build();
/// let arrays = graph.parameters().into_iter().map(|p| {
///     let count = p.shape.iter().product();
///     (p.name, Array { shape: p.shape, data: vec![0.5; count] })
/// });
/// let weights = Weights::from_arrays(&graph, arrays.collect())?;
/// assert_eq!(weights.density().overall.value(), 1.0);
/// # Ok::<(), rut_models::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Weights {
    arrays: BTreeMap<String, Array>,
    density: DensityReport,
}

impl Weights {
    /// Checkpoint × mask. The mask is applied exactly once, whatever prefixes either file's keys carry.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`](crate::Error::Mismatch) lists every missing, unexpected and mis-shaped key of the
    /// checkpoint, or everything in the mask that is not of this network;
    /// [`Error::BadWeight`](crate::Error::BadWeight) names a parameter that is not finite or a negative variance.
    pub fn assemble(graph: &Graph, checkpoint: &Checkpoint, mask: Option<&Mask>) -> Result<Self> {
        let source = Source::of_checkpoint(checkpoint);
        let masks = mask
            .map(|mask| check::masks(graph, mask))
            .transpose()?
            .unwrap_or_default();
        let tensors = checkpoint.tensors().clone();
        Self::masked(graph, &source, tensors, &masks)
    }

    /// Weights that are at hand instead of in a file, with the same checks; names as in [`Graph::parameters`].
    ///
    /// # Errors
    ///
    /// As [`assemble`](Self::assemble).
    pub fn from_arrays(graph: &Graph, arrays: BTreeMap<String, Array>) -> Result<Self> {
        Self::masked(graph, &Source::in_memory(), arrays, &BTreeMap::new())
    }

    fn masked(
        graph: &Graph,
        source: &Source,
        tensors: BTreeMap<String, Array>,
        masks: &BTreeMap<String, &MaskArray>,
    ) -> Result<Self> {
        let mut arrays = check::renamed(graph, source, tensors)?;
        let mut layers = Vec::new();
        for parameter in graph.parameters() {
            let mask = masks.get(&parameter.name);
            if let Some(array) = arrays.get_mut(&parameter.name) {
                check::values(source, &parameter, array)?;
                mask.iter().for_each(|mask| apply(mask, array));
                let kept = mask.map(|mask| mask.kept());
                layers.extend(layer_density(graph, &parameter, array, kept));
            }
        }
        let density = DensityReport::of(layers);
        Ok(Self { arrays, density })
    }

    /// The array of a parameter; `None` for a name that the graph does not have.
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.arrays.get(name)
    }

    /// How much of the network is left, measured.
    pub fn density(&self) -> &DensityReport {
        &self.density
    }
}

/// Pruned places become exactly zero, whatever they held.
fn apply(mask: &MaskArray, array: &mut Array) {
    let places = array.data.iter_mut().zip(&mask.keep);
    places
        .filter(|(_, keep)| !**keep)
        .for_each(|(weight, _)| *weight = 0.0);
}

fn layer_density(
    graph: &Graph,
    parameter: &Parameter,
    array: &Array,
    kept: Option<usize>,
) -> Option<LayerDensity> {
    if !matches!(
        parameter.kind,
        ParameterKind::ConvWeight | ParameterKind::LinearWeight
    ) {
        return None;
    }
    let layer = parameter.name.strip_suffix(".weight");
    let role = if layer == graph.stem().map(|conv| conv.param.as_str()) {
        LayerRole::Stem
    } else if layer == Some(&graph.classifier().param) {
        LayerRole::Classifier
    } else {
        LayerRole::Body
    };
    Some(LayerDensity {
        name: parameter.name.clone(),
        shape: parameter.shape.clone(),
        kept: kept.unwrap_or_else(|| array.data.iter().filter(|&&weight| weight != 0.0).count()),
        total: array.data.len(),
        masked: kept.is_some(),
        role,
    })
}
