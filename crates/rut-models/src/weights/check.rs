//! Whether what a file holds can be a network's: names, shapes, element types and values.

use std::collections::BTreeMap;
use std::path::Path;

use super::Classifier;
use super::contents::FileContents;
use super::key_match::KeyMatch;
use super::shapes::{compare, flattened, product};
use super::why::why;
use crate::array::Array;
use crate::error::{Error, Result};
use crate::graph::{Graph, Parameter, ParameterKind};
use crate::mask::MaskArray;
use crate::mismatch::{Mismatch, shown};

/// All parameters under the graph's own names, or everything that does not fit. Without a classifier, where none is needed,
/// zeros stand in for it.
pub(super) fn arrays(
    graph: &Graph,
    contents: &FileContents<'_>,
    key_match: &KeyMatch<'_>,
    classifier: Classifier,
) -> Result<BTreeMap<String, Array>> {
    let parameters = graph.parameters();
    let keys = keys(graph, key_match);
    // The keys are the network's, whatever else is wrong: numbers of another type come first.
    keys.values().try_for_each(|key| floats(contents, key))?;
    let lacks = |p: &&Parameter| !keys.contains_key(&p.name);
    let missing: Vec<&Parameter> = parameters.iter().filter(lacks).collect();
    let is_head = |p: &Parameter| {
        p.name
            .starts_with(&format!("{}.", graph.classifier().param))
    };
    let headless = missing.iter().all(|p| is_head(p)) && !missing.is_empty();
    let shape = |(name, key): (&String, &&str)| {
        let array = contents.tensors.get(*key)?;
        Some((name.clone(), flattened(&parameters, name, &array.shape)))
    };
    let shapes: BTreeMap<String, Vec<usize>> = keys.iter().filter_map(shape).collect();
    let misshaped = compare(
        &parameters,
        shapes
            .iter()
            .map(|(name, shape)| (name.as_str(), shape.as_slice())),
    );
    let listed = missing.iter().filter(|p| !(headless && is_head(p)));
    let mut mismatch = Mismatch {
        path: contents.path.to_path_buf(),
        kind: "checkpoint",
        missing: listed.map(|p| p.name.clone()).collect(),
        unexpected: key_match.unexpected.clone(),
        misshaped,
        why: String::new(),
    };
    if !mismatch.is_empty() {
        mismatch.why = why(graph, contents, key_match, &mismatch);
    }
    refuse(mismatch)?;
    if headless && classifier == Classifier::Needed {
        return Err(Error::NoClassifier {
            path: contents.path.to_path_buf(),
            classifier: graph.classifier().param.clone(),
            width: graph.width(),
            about: key_match.head.about.clone(),
        });
    }
    let of = |p: Parameter| -> (String, Array) {
        let array = match keys.get(&p.name) {
            None => Array {
                data: vec![0.0; p.shape.iter().product()],
                shape: p.shape,
            },
            Some(key) => Array {
                data: contents
                    .tensors
                    .get(*key)
                    .map_or_else(Vec::new, |array| array.data.clone()),
                shape: p.shape,
            },
        };
        (p.name, array)
    };
    Ok(parameters.into_iter().map(of).collect())
}

/// The file's keys by parameter, the classifier's among them.
fn keys<'a>(graph: &Graph, key_match: &KeyMatch<'a>) -> BTreeMap<String, &'a str> {
    let mut keys = key_match.place.keys.clone();
    if let Some((weight, bias)) = key_match.head.linear {
        let classifier = &graph.classifier().param;
        keys.insert(format!("{classifier}.weight"), weight);
        keys.insert(format!("{classifier}.bias"), bias);
    }
    keys
}

/// Refuses what is no array of floats.
fn floats(contents: &FileContents<'_>, key: &str) -> Result<()> {
    match contents.others.get(key) {
        None => Ok(()),
        Some(element) => Err(Error::ElementType {
            path: contents.path.to_path_buf(),
            name: shown(key),
            found: (*element).into(),
            expected: wanted(element),
        }),
    }
}

/// What weights are in place of such elements, and how to make it of them.
fn wanted(element: &str) -> &'static str {
    match element {
        "meta" => {
            "f16, bf16, f32 or f64: such a tensor has no values; load the weights before saving, or move the network off the meta device"
        }
        "negated or conjugated" => {
            "f16, bf16, f32 or f64: save `tensor.resolve_conj().resolve_neg()`"
        }
        "sparse" => "f16, bf16, f32 or f64: save `tensor.to_dense()`",
        "quantised" => "f16, bf16, f32 or f64: save `tensor.dequantize()`",
        _ => {
            "f16, bf16, f32 or f64: save the weights as floats, of a quantised network `tensor.dequantize()`, of a sparse one `tensor.to_dense()`"
        }
    }
}

pub(super) fn refuse(mismatch: Mismatch) -> Result<()> {
    if mismatch.is_empty() {
        return Ok(());
    }
    Err(Error::Mismatch(Box::new(mismatch)))
}

/// Refuses values that cannot be used where the mask keeps them, and arrays with other numbers of them than their shape says.
pub(super) fn values(
    path: &Path,
    parameter: &Parameter,
    array: &Array,
    mask: Option<&MaskArray>,
) -> Result<()> {
    let count = product(&array.shape);
    if count != Some(array.data.len()) {
        return Err(Error::Argument {
            what: "the set of weights",
            found: format!("with {} values of `{}`", array.data.len(), parameter.name),
            expected: match count {
                Some(count) => format!("{count} values for the shape {:?}", array.shape),
                None => format!("as many values as the shape {:?} has", array.shape),
            },
        });
    }
    let (usable, expected): (fn(f32) -> bool, _) = match parameter.kind {
        ParameterKind::NormVariance => (
            |v| v.is_finite() && v >= 0.0,
            "finite variances of at least 0",
        ),
        _ => (f32::is_finite, "finite numbers"),
    };
    let kept = |index: usize| mask.is_none_or(|mask| mask.keep.get(index) != Some(&false));
    let mut places = array.data.iter().enumerate();
    match places.find(|&(index, &value)| !usable(value) && kept(index)) {
        None => Ok(()),
        Some((index, &value)) => Err(Error::BadWeight {
            path: path.to_path_buf(),
            name: parameter.name.clone(),
            index,
            value,
            expected,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_about_elements_is_what_makes_floats_of_them() {
        assert!(wanted("sparse").ends_with("`tensor.to_dense()`"));
        assert!(wanted("negated or conjugated").contains("resolve_neg()"));
        assert!(wanted("meta").contains("no values"));
        assert!(wanted("i8").contains("dequantize()"));
    }
}
