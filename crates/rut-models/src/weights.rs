//! The weights of a network, complete and checked: checkpoint × mask under the graph's own names.

mod check;
mod contents;
mod head;
mod key_match;
mod masks;
mod shapes;
mod why;

use std::collections::BTreeMap;
use std::path::Path;

use crate::array::Array;
use crate::checkpoint::Checkpoint;
use crate::density::{DensityReport, LayerDensity, LayerRole};
use crate::error::Result;
use crate::graph::{Graph, Parameter, ParameterKind};
use crate::mask::{Mask, MaskArray};
use crate::spec::ModelSpec;
use contents::FileContents;
use key_match::KeyMatch;
use masks::masks;

/// What is asked of a checkpoint, beside that it is of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Under which of the file's dictionaries and modules, joined by points, the network stands; `.` is the file itself.
    /// Without one, the network is where its names fit, which must be at one place alone.
    pub key: Option<String>,
    /// How many classes the classifier has; left out, as many as the file's.
    pub classes: Option<usize>,
    /// Whether there must be one.
    pub classifier: Classifier,
}

/// Whether a network's classifier is of use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Classifier {
    /// Logits are asked for.
    #[default]
    Needed,
    /// Features are enough: a network without a classifier, or with another head in its place, will do.
    Optional,
}

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
    classes: Option<usize>,
    under: String,
    notes: Vec<String>,
}

impl Weights {
    /// Checkpoint × mask for `model`, with the graph that they fit: it has as many classes as the file's classifier. Without
    /// one, where none is needed, it has a single class whose logit is 0. The mask is applied exactly once, whatever prefixes
    /// either file's keys carry.
    ///
    /// # Errors
    ///
    /// [`Error::SeveralNetworks`](crate::Error::SeveralNetworks) where the file holds more than one; [`Error::NoSuchKey`](crate::Error::NoSuchKey); [`Error::NoClassifier`](crate::Error::NoClassifier);
    /// [`Error::DuplicateKey`](crate::Error::DuplicateKey) where two keys mean one parameter;
    /// [`Error::Mismatch`](crate::Error::Mismatch) lists every missing, unexpected and mis-shaped key of the checkpoint, or everything in the mask
    /// that is not of this network; [`Error::ElementType`](crate::Error::ElementType) for integers in place of weights;
    /// [`Error::BadWeight`](crate::Error::BadWeight) names a parameter that is kept and not finite, or a negative variance;
    /// [`Error::Quantization`](crate::Error::Quantization) for a quantized checkpoint of another model, or without the ranges of its activations.
    pub fn read(
        model: &ModelSpec,
        checkpoint: &Checkpoint,
        mask: Option<&Mask>,
        reading: &Reading,
    ) -> Result<(Graph, Self)> {
        let usual = (model.graph)(reading.classes.unwrap_or(model.classes));
        let contents = contents(checkpoint);
        let key_match = key_match::match_keys(&usual, &contents, reading)?;
        let graph = match (reading.classes, key_match.head.classes, reading.classifier) {
            (Some(_), _, _) => usual,
            (None, Some(classes), _) => (model.graph)(classes),
            (None, None, Classifier::Optional) => (model.graph)(1),
            (None, None, Classifier::Needed) => usual,
        };
        let classifier = match reading.classes {
            Some(_) => Classifier::Needed,
            None => reading.classifier,
        };
        let mut weights = Self::fitted(&graph, &contents, key_match, classifier, mask)?;
        let graph = match checkpoint.quantization() {
            Some(quantization) => {
                weights.count_unpruned(&quantization.unpruned, mask.is_some());
                quantization.applied(&checkpoint.path, model.name, graph)?
            }
            None => graph,
        };
        weights.notes.extend(weights.classes_note(model, reading));
        weights.notes.splice(0..0, checkpoint.notes.iter().cloned());
        Ok((graph, weights))
    }

    /// Checkpoint × mask for a graph, whose classifier must be there with as many classes.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn assemble(graph: &Graph, checkpoint: &Checkpoint, mask: Option<&Mask>) -> Result<Self> {
        let contents = contents(checkpoint);
        let key_match = key_match::match_keys(graph, &contents, &Reading::default())?;
        let mut weights = Self::fitted(graph, &contents, key_match, Classifier::Needed, mask)?;
        weights.notes.splice(0..0, checkpoint.notes.iter().cloned());
        Ok(weights)
    }

    /// Weights that are at hand instead of in a file, with the same checks; names as in [`Graph::parameters`].
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn from_arrays(graph: &Graph, arrays: BTreeMap<String, Array>) -> Result<Self> {
        let contents = FileContents {
            path: Path::new("(in memory)"),
            tensors: &arrays,
            others: &BTreeMap::new(),
        };
        let key_match = key_match::match_keys(graph, &contents, &Reading::default())?;
        Self::fitted(graph, &contents, key_match, Classifier::Needed, None)
    }

    fn fitted(
        graph: &Graph,
        contents: &FileContents<'_>,
        key_match: KeyMatch<'_>,
        classifier: Classifier,
        mask: Option<&Mask>,
    ) -> Result<Self> {
        let masks = mask.map(|mask| masks(graph, mask)).transpose()?;
        let (masks, masked) = masks.unwrap_or_default();
        let mut arrays = check::arrays(graph, contents, &key_match, classifier)?;
        let headless = classifier == Classifier::Optional && key_match.head.linear.is_none();
        let mut layers = Vec::new();
        for parameter in graph.parameters() {
            let mask = masks.get(&parameter.name);
            if let Some(array) = arrays.get_mut(&parameter.name) {
                check::values(contents.path, &parameter, array, mask.copied())?;
                let hidden = mask.map_or(0, |mask| apply(mask, array));
                let layer = layer_density(graph, &parameter, array, mask.copied());
                layers.extend(layer.map(|layer| LayerDensity { hidden, ..layer }));
            }
        }
        if headless {
            layers.retain(|layer| layer.role != LayerRole::Classifier);
        }
        let mut notes = key_match.notes;
        if headless {
            let about = key_match
                .head
                .about
                .map_or_else(String::new, |about| format!(": {about}"));
            notes.push(format!("no classifier{about}"));
        }
        notes.extend(mask.iter().flat_map(|mask| mask.notes.clone()));
        notes.extend(masked);
        Ok(Self {
            arrays,
            density: DensityReport::of(layers),
            classes: (!headless).then(|| graph.classes()),
            under: key_match.place.title().to_owned(),
            notes,
        })
    }

    /// Zeros that rounding made are no pruned places.
    fn count_unpruned(&mut self, unpruned: &BTreeMap<String, usize>, is_masked: bool) {
        if is_masked {
            return;
        }
        let mut layers = self.density.layers.clone();
        for layer in &mut layers {
            if let Some(&kept) = unpruned.get(&layer.name) {
                let not_zero = layer.total - layer.zeros;
                layer.kept = kept.clamp(not_zero, layer.total);
            }
        }
        self.density = DensityReport::of(layers);
    }

    fn classes_note(&self, model: &ModelSpec, reading: &Reading) -> Option<String> {
        let classes = self.classes.filter(|&classes| classes != model.classes)?;
        (reading.classes.is_none())
            .then(|| format!("{classes} source classes, taken from the file's classifier"))
    }

    /// The array of a parameter; `None` for a name that the graph does not have.
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.arrays.get(name)
    }

    /// All parameters by name; without those of a classifier that stands in for one that the file does not have.
    pub fn own_arrays(&self, graph: &Graph) -> BTreeMap<String, Array> {
        let classifier = format!("{}.", graph.classifier().param);
        let mut arrays = self.arrays.clone();
        arrays.retain(|name, _| self.classes.is_some() || !name.starts_with(&classifier));
        arrays
    }

    /// How much of the network is left, measured.
    pub fn density(&self) -> &DensityReport {
        &self.density
    }

    /// Number of source classes; `None` for a network without a classifier.
    pub fn classes(&self) -> Option<usize> {
        self.classes
    }

    /// Where in the file the network stands: its dictionaries and modules joined by points, `.` for the file itself.
    pub fn under(&self) -> &str {
        &self.under
    }

    /// What was done to the files' keys, one sentence each: what was taken, what was left out.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

fn contents(checkpoint: &Checkpoint) -> FileContents<'_> {
    FileContents {
        path: &checkpoint.path,
        tensors: checkpoint.tensors(),
        others: checkpoint.others(),
    }
}

/// Pruned places become exactly zero, whatever they held. Gives how many were not.
fn apply(mask: &MaskArray, array: &mut Array) -> usize {
    let places = array.data.iter_mut().zip(&mask.keep);
    let pruned = places.filter(|(_, keep)| !**keep);
    pruned
        .map(|(weight, _)| usize::from(std::mem::replace(weight, 0.0) != 0.0))
        .sum()
}

fn layer_density(
    graph: &Graph,
    parameter: &Parameter,
    array: &Array,
    mask: Option<&MaskArray>,
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
    let total = array.data.len();
    let not_zero = array.data.iter().filter(|&&weight| weight != 0.0).count();
    let kept = mask.map(MaskArray::kept);
    Some(LayerDensity {
        name: parameter.name.clone(),
        shape: parameter.shape.clone(),
        kept: kept.unwrap_or(not_zero),
        total,
        masked: mask.is_some(),
        zeros: kept.unwrap_or(total) - not_zero,
        hidden: 0,
        role,
    })
}
