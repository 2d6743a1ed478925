//! Whether files fit a network: names, shapes and values.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use crate::array::Array;
use crate::checkpoint::{Checkpoint, key};
use crate::error::{Error, Result};
use crate::graph::{Graph, Parameter, ParameterKind};
use crate::mask::{Mask, MaskArray};
use crate::mismatch::{Mismatch, Misshaped};

/// What messages call the place that values come from.
pub(super) struct Source {
    path: PathBuf,
}

impl Source {
    pub(super) fn of_checkpoint(checkpoint: &Checkpoint) -> Self {
        let path = checkpoint.path.clone();
        Self { path }
    }

    pub(super) fn in_memory() -> Self {
        let path = PathBuf::from("(in memory)");
        Self { path }
    }
}

/// All parameters under the graph's own names, or everything that does not fit.
pub(super) fn renamed(
    graph: &Graph,
    source: &Source,
    tensors: BTreeMap<String, Array>,
) -> Result<BTreeMap<String, Array>> {
    let parameters = graph.parameters();
    let (named, twice) = canonical(graph, &tensors);
    let missing = parameters.iter().map(|p| &p.name);
    let missing = missing.filter(|name| !named.contains_key(*name)).cloned();
    let shapes = named
        .iter()
        .map(|(name, key)| (name, *key, tensors[*key].shape.as_slice()));
    let (unexpected, misshaped) = compare(&parameters, shapes);
    refuse(Mismatch {
        path: source.path.clone(),
        kind: "checkpoint",
        missing: missing.collect(),
        unexpected: [unexpected, twice].concat(),
        remedy: remedy(graph, &misshaped),
        misshaped,
    })?;
    let names: BTreeMap<String, String> = named
        .iter()
        .map(|(name, key)| (key.to_string(), name.clone()))
        .collect();
    let rename = |(key, array)| names.get(&key).map(|name| (name.clone(), array));
    Ok(tensors.into_iter().filter_map(rename).collect())
}

/// The masks under the graph's names, or everything in the file that is not of this network.
pub(super) fn masks<'a>(graph: &Graph, mask: &'a Mask) -> Result<BTreeMap<String, &'a MaskArray>> {
    let tensors = mask.tensors();
    let (named, twice) = canonical(graph, tensors);
    let shapes = named
        .iter()
        .map(|(name, key)| (name, *key, tensors[*key].shape.as_slice()));
    let (unexpected, misshaped) = compare(&graph.parameters(), shapes);
    refuse(Mismatch {
        path: mask.path.clone(),
        kind: "mask",
        missing: Vec::new(),
        unexpected: [unexpected, twice].concat(),
        misshaped,
        remedy: "this is a mask of another network: name the mask that belongs to the checkpoint, and its model".into(),
    })?;
    Ok(named
        .into_iter()
        .map(|(name, key)| (name, &tensors[key]))
        .collect())
}

/// The file's keys by their names in the graph, and the keys that mean a parameter which another key means already.
fn canonical<'a, T>(
    graph: &Graph,
    tensors: &'a BTreeMap<String, T>,
) -> (BTreeMap<String, &'a str>, Vec<String>) {
    let (mut named, mut twice) = (BTreeMap::new(), Vec::new());
    for key in tensors.keys() {
        let name = key::canonical(key, &graph.classifier().param, tensors);
        match named.entry(name) {
            Entry::Vacant(place) => _ = place.insert(key.as_str()),
            Entry::Occupied(_) => twice.push(key.clone()),
        }
    }
    (named, twice)
}

/// The keys that no parameter has, and those with another shape.
fn compare<'a>(
    parameters: &[Parameter],
    found: impl Iterator<Item = (&'a String, &'a str, &'a [usize])>,
) -> (Vec<String>, Vec<Misshaped>) {
    let shapes: BTreeMap<&String, &Vec<usize>> =
        parameters.iter().map(|p| (&p.name, &p.shape)).collect();
    let (mut unexpected, mut misshaped) = (Vec::new(), Vec::new());
    for (name, key, shape) in found {
        match shapes.get(name) {
            None => unexpected.push(key.to_string()),
            Some(expected) if expected.as_slice() != shape => misshaped.push(Misshaped {
                name: name.clone(),
                expected: expected.to_vec(),
                found: shape.to_vec(),
            }),
            Some(_) => {}
        }
    }
    (unexpected, misshaped)
}

fn refuse(mismatch: Mismatch) -> Result<()> {
    if mismatch.is_empty() {
        return Ok(());
    }
    Err(Error::Mismatch(Box::new(mismatch)))
}

fn remedy(graph: &Graph, misshaped: &[Misshaped]) -> String {
    let classifier = format!("{}.weight", graph.classifier().param);
    let classes = misshaped
        .iter()
        .find(|m| m.name == classifier && m.found.get(1) == m.expected.get(1))
        .and_then(|m| m.found.first());
    match classes {
        Some(classes) => format!(
            "the file's classifier has {classes} classes, the network {}: choose the model of the task that the file was trained on",
            graph.classes()
        ),
        None => {
            "expected exactly the network's parameters: name the model that the file was trained as"
                .into()
        }
    }
}

/// Refuses values that cannot be used, and arrays with other numbers of them than their shape says.
pub(super) fn values(source: &Source, parameter: &Parameter, array: &Array) -> Result<()> {
    let count: usize = array.shape.iter().product();
    if array.data.len() != count {
        return Err(Error::Argument {
            what: "the set of weights",
            found: format!("with {} values of `{}`", array.data.len(), parameter.name),
            expected: format!("{count} values for the shape {:?}", array.shape),
        });
    }
    let (usable, expected): (fn(f32) -> bool, _) = match parameter.kind {
        ParameterKind::NormVariance => (
            |v| v.is_finite() && v >= 0.0,
            "finite variances of at least 0",
        ),
        _ => (f32::is_finite, "finite numbers"),
    };
    match array.data.iter().position(|&value| !usable(value)) {
        None => Ok(()),
        Some(index) => Err(bad(
            &source.path,
            parameter,
            (index, array.data[index]),
            expected,
        )),
    }
}

fn bad(
    path: &Path,
    parameter: &Parameter,
    (index, value): (usize, f32),
    expected: &'static str,
) -> Error {
    Error::BadWeight {
        path: path.to_path_buf(),
        name: parameter.name.clone(),
        index,
        value,
        expected,
    }
}
