//! Shapes in a file beside those of a network's parameters.

use std::collections::BTreeMap;

use super::contents::FileContents;
use super::key_match::KeyMatch;
use crate::graph::{Graph, Parameter};
use crate::mismatch::Misshaped;

/// Whether all parameters are there but perhaps the classifier's, in their shapes, and nothing else.
pub(super) fn fits(graph: &Graph, contents: &FileContents<'_>, key_match: &KeyMatch<'_>) -> bool {
    let parameters = graph.parameters();
    let shape = |key: &str| {
        contents
            .tensors
            .get(key)
            .map(|array| array.shape.as_slice())
    };
    let classifier = format!("{}.", graph.classifier().param);
    let mut body = parameters
        .iter()
        .filter(|p| !p.name.starts_with(&classifier));
    key_match.unexpected.is_empty()
        && body.all(|p| {
            let found = key_match.place.keys.get(&p.name).and_then(|key| shape(key));
            found.is_some_and(|found| flattened(&parameters, &p.name, found) == p.shape)
        })
}

/// A convolution over all that it reads is a linear layer: its shape as the parameter has it.
pub(super) fn flattened(parameters: &[Parameter], name: &str, shape: &[usize]) -> Vec<usize> {
    let expected = parameters.iter().find(|p| p.name == name);
    match (expected.map(|p| p.shape.as_slice()), shape) {
        (Some(&[rows, columns]), &[out, inputs, height, width])
            if rows == out && product(&[inputs, height, width]) == Some(columns) =>
        {
            vec![rows, columns]
        }
        _ => shape.to_vec(),
    }
}

/// The number of elements of a shape, which may be any: an array without elements has one too.
pub(super) fn product(lengths: &[usize]) -> Option<usize> {
    let mut lengths = lengths.iter();
    lengths.try_fold(1_usize, |product, &length| product.checked_mul(length))
}

/// The parameters whose shape in a file is another.
pub(super) fn compare<'a>(
    parameters: &[Parameter],
    found: impl Iterator<Item = (&'a str, &'a [usize])>,
) -> Vec<Misshaped> {
    let shapes: BTreeMap<&str, &Vec<usize>> = parameters
        .iter()
        .map(|p| (p.name.as_str(), &p.shape))
        .collect();
    let differing = |(name, found): (&str, &[usize])| {
        let expected = shapes
            .get(name)
            .filter(|expected| expected.as_slice() != found)?;
        Some(Misshaped {
            name: name.to_owned(),
            expected: expected.to_vec(),
            found: found.to_vec(),
        })
    };
    found.filter_map(differing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::Array;
    use crate::graph::ParameterKind;

    /// `height · width` of an array without elements overflows, `inputs` times it is nothing.
    #[test]
    fn a_shape_without_elements_may_have_any_lengths() {
        let linear = Parameter {
            name: "classifier.0.weight".into(),
            shape: vec![4, 18],
            kind: ParameterKind::LinearWeight,
        };
        let flattened =
            |shape: &[usize]| flattened(std::slice::from_ref(&linear), &linear.name, shape);
        assert_eq!(flattened(&[4, 2, 3, 3]), [4, 18]);
        for shape in [[4, 0, 1 << 40, 1 << 40], [4, 1 << 40, 1 << 40, 0]] {
            assert_eq!(flattened(&shape), shape);
        }
        assert!(Array::new(vec![1 << 40, 1 << 40, 0], Vec::new()).is_none());
    }
}
