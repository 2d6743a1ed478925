//! Which weights of a network stay when it is pruned: from scores and a rule to masks. It reads no file, trains nothing and
//! computes no network; for the arithmetic of each rule, see the files below.

mod density;
mod groups;
mod layer;
mod rounds;
mod rule;
mod state;

use std::collections::BTreeMap;

use layer::Layer;
pub use rule::{Counted, GroupSize, PruneRule, Scope};
pub use state::rounds_of;

use rut_models::{Array, Graph, LayerDensity, LayerRole, MaskArray, Weights};

use crate::error::{Error, Result};
use crate::kept_layers::KeptLayers;

/// Masks of a network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// By parameter, of the parameter's shape.
    pub masks: BTreeMap<String, MaskArray>,
    /// Layers that the rule does not apply to, in the order of evaluation: their input channels cannot be divided into groups.
    pub skipped: Vec<String>,
}

impl Pruned {
    /// The parameters of a network with zeros in pruned places, in the order of names. A network without a classifier has none
    /// here either.
    pub fn arrays(&self, graph: &Graph, weights: &Weights) -> BTreeMap<String, Array> {
        let mut arrays = weights.own_arrays(graph);
        for (name, mask) in &self.masks {
            if let Some(array) = arrays.get_mut(name) {
                let places = array.data.iter_mut().zip(&mask.keep);
                places.for_each(|(weight, &keep)| *weight = if keep { *weight } else { 0.0 });
            }
        }
        arrays
    }
}

/// A network that can be pruned: the weights of its convolutions and linear layers with their scores.
///
/// ```
/// use std::collections::BTreeMap;
/// use rut_compress::{Counted, KeptLayers, Prunable, PruneRule, Scope};
/// use rut_models::{Array, Weights, find};
/// let graph = find("resnet20_cifar100").unwrap().build();
/// let arrays = graph.parameters().into_iter().map(|p| {
///     let data = (0..p.shape.iter().product()).map(|i| i as f32 + 1.0).collect();
///     (p.name, Array { shape: p.shape, data })
/// });
/// let weights = Weights::from_arrays(&graph, arrays.collect())?;
/// let dense = KeptLayers::parse(["stem", "classifier"])?;
/// let rule = PruneRule::Density { density: 0.5, scope: Scope::Layer, counted: Counted::WithoutDense };
/// let pruned = Prunable::by_magnitude(&weights, BTreeMap::new(), &dense).prune(&rule)?;
/// let mask = &pruned.masks["layer1.0.conv1.weight"];
/// assert_eq!(mask.kept(), 1152); // half of 16 · 16 · 3 · 3
/// assert!(!mask.keep[0] && mask.keep[2303]);
/// assert!(!pruned.masks.contains_key("conv1.weight"));
/// # Ok::<(), rut_compress::Error>(())
/// ```
#[derive(Debug)]
pub struct Prunable {
    layers: Vec<Layer>,
    /// Masks that are in force, of these layers and of other parameters.
    masks: BTreeMap<String, MaskArray>,
}

impl Prunable {
    /// Scores are the magnitudes of the weights. What `masks` prune stays pruned; `dense` says which layers lose nothing more.
    pub fn by_magnitude(
        weights: &Weights,
        masks: BTreeMap<String, MaskArray>,
        dense: &KeptLayers,
    ) -> Self {
        let magnitude = |layer: &LayerDensity| {
            let array = weights.get(&layer.name);
            let values = array.map_or(&[][..], |array| &array.data);
            values.iter().map(|weight| weight.abs()).collect()
        };
        Self::scored(weights, masks, dense, magnitude)
    }

    /// Scores by `score`, one for each weight of a layer, row-major; none of them NaN. The smallest go first.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where a layer has another number of scores, or one is NaN.
    pub fn by_score(
        weights: &Weights,
        masks: BTreeMap<String, MaskArray>,
        dense: &KeptLayers,
        score: impl FnMut(&LayerDensity) -> Vec<f32>,
    ) -> Result<Self> {
        let network = Self::scored(weights, masks, dense, score);
        network.layers.iter().try_for_each(Layer::check)?;
        Ok(network)
    }

    fn scored(
        weights: &Weights,
        masks: BTreeMap<String, MaskArray>,
        dense: &KeptLayers,
        mut score: impl FnMut(&LayerDensity) -> Vec<f32>,
    ) -> Self {
        let layers = weights.density().layers.iter().map(|layer| Layer {
            name: layer.name.clone(),
            shape: layer.shape.clone(),
            scores: score(layer),
            keep: match masks.get(&layer.name) {
                Some(mask) => mask.keep.clone(),
                None => vec![true; layer.total],
            },
            is_dense: dense.contains(layer.role),
        });
        Self {
            layers: layers.collect(),
            masks,
        }
    }

    /// The masks by `rule`: of every layer that is pruned, and those that were there before.
    ///
    /// # Errors
    ///
    /// [`Error::Prune`] where a value of the rule is out of range, or nothing can be pruned by it; [`Error::EmptyLayer`] where a
    /// layer would lose all of its weights.
    pub fn prune(mut self, rule: &PruneRule) -> Result<Pruned> {
        rule.check()?;
        let before: Vec<usize> = self.layers.iter().map(Layer::kept).collect();
        let mut skipped = Vec::new();
        match *rule {
            PruneRule::Density {
                density,
                scope,
                counted,
            } => density::prune(&mut self.layers, density, scope, counted)?,
            PruneRule::Rounds {
                rounds,
                scope,
                counted,
            } => rounds::prune(&mut self.layers, rounds, scope, counted)?,
            PruneRule::Groups(size) => skipped = groups::prune(&mut self.layers, size)?,
        }
        let lost = |(layer, before): &(&Layer, &usize)| **before > 0 && layer.kept() == 0;
        if let Some((layer, _)) = self.layers.iter().zip(&before).find(lost) {
            return Err(Error::EmptyLayer {
                name: layer.name.clone(),
                weights: layer.keep.len(),
            });
        }
        let mut masks = self.masks;
        for layer in self.layers {
            let untouched = layer.is_dense || skipped.contains(&layer.name);
            if !untouched {
                let (shape, keep) = (layer.shape, layer.keep);
                masks.insert(layer.name, MaskArray { shape, keep });
            }
        }
        Ok(Pruned { masks, skipped })
    }
}

/// The zeros of a network's weights as masks: of all layers between stem and classifier, and of these two where they have zeros.
///
/// # Errors
///
/// [`Error::NothingPruned`] where no weight is zero.
pub fn masks_of_zeros(weights: &Weights) -> Result<BTreeMap<String, MaskArray>> {
    let layers = &weights.density().layers;
    let mut masks = BTreeMap::new();
    for layer in layers {
        let Some(array) = weights.get(&layer.name) else {
            continue;
        };
        let keep: Vec<bool> = array.data.iter().map(|&weight| weight != 0.0).collect();
        let between = layer.role == LayerRole::Body;
        if between || keep.contains(&false) {
            let shape = array.shape.clone();
            masks.insert(layer.name.clone(), MaskArray { shape, keep });
        }
    }
    if masks.values().all(|mask| mask.kept() == mask.keep.len()) {
        return Err(Error::NothingPruned {
            layers: layers.len(),
        });
    }
    Ok(masks)
}
