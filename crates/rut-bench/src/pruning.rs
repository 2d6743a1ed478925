//! Weights without a file, and masks of a chosen density: networks whose speed can be measured, of which nothing else is
//! worth knowing.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::str::FromStr;

use rut_data::Seed;
use rut_models::{Array, Graph, Parameter, ParameterKind};
use serde::Serialize;

use crate::error::{Error, Result, refused};

/// Which weights a mask of a given density keeps. Stem and classifier stay whole, as in tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MaskKind {
    /// The largest magnitudes over all layers together (Han et al., NeurIPS 2015, with one threshold): layers and rows
    /// are left unevenly dense.
    #[default]
    Magnitude,
    /// Each weight with the same probability: layers and rows are left about equally dense.
    Random,
}

/// A line of [`MASK_KINDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaskKindSpec {
    /// Which one.
    pub kind: MaskKind,
    /// What it is called.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
}

/// All kinds of masks.
pub static MASK_KINDS: &[MaskKindSpec] = &[
    MaskKindSpec {
        kind: MaskKind::Magnitude,
        name: "magnitude",
        about: "keep the largest magnitudes of all layers together",
    },
    MaskKindSpec {
        kind: MaskKind::Random,
        name: "random",
        about: "keep each weight with the same probability",
    },
];

impl FromStr for MaskKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let row = MASK_KINDS.iter().find(|row| row.name == text);
        row.map(|row| row.kind).ok_or_else(|| {
            let names: Vec<&str> = MASK_KINDS.iter().map(|row| row.name).collect();
            refused(
                "mask_kind",
                format!("one of {}", names.join(", ")),
                format!("`{text}`"),
            )
        })
    }
}

/// Parameters by name.
pub(super) type Arrays = BTreeMap<String, Array>;

/// He initialisation (He et al., ICCV 2015, equation 10): weights N(0, 2 / fan-in), biases 0, batch norms the identity.
/// Each weight has a stream of its own, `bench/weights/NAME`.
pub(super) fn he_weights(graph: &Graph, seed: Seed) -> Arrays {
    let array = |parameter: Parameter| {
        let count = parameter.shape.iter().product();
        let data = match parameter.kind {
            ParameterKind::ConvWeight | ParameterKind::LinearWeight => {
                let fan_in: usize = parameter.shape.iter().skip(1).product();
                let scale = (2.0 / fan_in.max(1) as f64).sqrt();
                normal(seed, &format!("bench/weights/{}", parameter.name), count)
                    .map(|value| (value * scale) as f32)
                    .collect()
            }
            ParameterKind::NormWeight | ParameterKind::NormVariance => vec![1.0; count],
            _ => vec![0.0; count],
        };
        let shape = parameter.shape;
        (parameter.name, Array { shape, data })
    };
    graph.parameters().into_iter().map(array).collect()
}

/// `count` values of N(0, 1) of a stream (Box and Muller 1958).
fn normal(seed: Seed, stream: &str, count: usize) -> impl Iterator<Item = f64> + use<> {
    let mut stream = seed.stream(stream);
    let pair = move || {
        let radius = (-2.0 * (1.0 - stream.uniform()).ln()).sqrt();
        let (sin, cos) = (TAU * stream.uniform()).sin_cos();
        [radius * cos, radius * sin]
    };
    std::iter::repeat_with(pair).flatten().take(count)
}

/// Sets weights of `arrays` to zero until `density` of those between stem and classifier are left.
///
/// # Errors
/// If none would be left.
pub(super) fn prune(
    graph: &Graph,
    arrays: &mut Arrays,
    kind: MaskKind,
    density: f64,
    seed: Seed,
) -> Result<()> {
    let names = body(graph);
    match kind {
        MaskKind::Random => {
            for name in &names {
                let mut stream = seed.stream(&format!("bench/mask/{name}"));
                let weights = arrays.get_mut(name).into_iter().flat_map(|a| &mut a.data);
                weights
                    .filter(|_| stream.uniform() >= density)
                    .for_each(|weight| *weight = 0.0);
            }
            Ok(())
        }
        MaskKind::Magnitude => keep_largest(arrays, &names, density),
    }
}

/// Names of the weights between stem and classifier, in the order of evaluation.
fn body(graph: &Graph) -> Vec<String> {
    let ends = [
        graph.stem().map(|conv| conv.param.as_str()),
        Some(graph.classifier().param.as_str()),
    ];
    let is_body = |parameter: &Parameter| {
        matches!(
            parameter.kind,
            ParameterKind::ConvWeight | ParameterKind::LinearWeight
        ) && !ends.contains(&parameter.name.strip_suffix(".weight"))
    };
    let parameters = graph.parameters().into_iter().filter(is_body);
    parameters.map(|parameter| parameter.name).collect()
}

/// Of equal magnitudes at the threshold the first ones stay.
fn keep_largest(arrays: &mut Arrays, names: &[String], density: f64) -> Result<()> {
    let weights = names.iter().filter_map(|name| arrays.get(name));
    let mut magnitudes: Vec<f32> = weights
        .flat_map(|array| array.data.iter().map(|weight| weight.abs()))
        .collect();
    let total = magnitudes.len();
    let kept = (density * total as f64).round() as usize;
    if kept == 0 {
        return Err(refused(
            "density",
            format!("a share that leaves some of {total} weights"),
            density.to_string(),
        ));
    }
    let cut = total - kept.min(total);
    let (_, &mut threshold, above) = magnitudes.select_nth_unstable_by(cut, f32::total_cmp);
    let mut at_threshold = kept - above.iter().filter(|&&m| m > threshold).count();
    for name in names {
        for weight in arrays.get_mut(name).into_iter().flat_map(|a| &mut a.data) {
            let magnitude = weight.abs();
            if magnitude == threshold && at_threshold > 0 {
                at_threshold -= 1;
            } else if magnitude <= threshold {
                *weight = 0.0;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rut_models::Weights;

    fn graph() -> Graph {
        (rut_models::find("resnet20_cifar10").unwrap().graph)(10)
    }

    fn pruned(kind: MaskKind, density: f64) -> (Arrays, Weights) {
        let graph = graph();
        let mut arrays = he_weights(&graph, Seed(4));
        prune(&graph, &mut arrays, kind, density, Seed(4)).unwrap();
        let weights = Weights::from_arrays(&graph, arrays.clone()).unwrap();
        (arrays, weights)
    }

    #[test]
    fn weights_have_the_variance_of_he_et_al_and_are_the_same_twice() {
        let arrays = he_weights(&graph(), Seed(4));
        let layer = &arrays["layer3.1.conv1.weight"].data;
        let variance = layer.iter().map(|w| f64::from(w * w)).sum::<f64>() / layer.len() as f64;
        let want = 2.0 / (64.0 * 9.0);
        assert!((variance / want - 1.0).abs() < 0.03, "{variance} {want}");
        assert_eq!(arrays, he_weights(&graph(), Seed(4)));
        assert_ne!(arrays, he_weights(&graph(), Seed(5)));
    }

    #[test]
    fn masks_leave_the_density_that_was_asked_for_and_spare_both_ends() {
        for (kind, tolerance) in [(MaskKind::Magnitude, 1e-5), (MaskKind::Random, 1e-2)] {
            let density = pruned(kind, 0.168).1.density().clone();
            let body = density.without_stem_and_classifier.value();
            assert!((body - 0.168).abs() < tolerance, "{kind:?}: {body}");
            for layer in [density.layers.first(), density.layers.last()] {
                assert!(layer.is_some_and(|layer| layer.kept == layer.total));
            }
        }
        assert_eq!(
            pruned(MaskKind::Magnitude, 1.0).0,
            he_weights(&graph(), Seed(4))
        );
    }

    #[test]
    fn a_magnitude_mask_keeps_the_largest_of_all_layers() {
        let (before, (after, _)) = (
            he_weights(&graph(), Seed(4)),
            pruned(MaskKind::Magnitude, 0.3),
        );
        let mut smallest_kept = f32::INFINITY;
        let mut largest_lost = 0.0f32;
        for name in body(&graph()) {
            for (was, is) in before[&name].data.iter().zip(&after[&name].data) {
                if *is == 0.0 {
                    largest_lost = largest_lost.max(was.abs())
                } else {
                    smallest_kept = smallest_kept.min(was.abs())
                }
            }
        }
        assert!(
            smallest_kept >= largest_lost,
            "{smallest_kept} {largest_lost}"
        );
    }

    #[test]
    fn among_equals_the_first_stay() {
        let shape = vec![2, 2, 1, 1];
        let data = vec![0.5, -0.5, 0.5, 0.25];
        let mut arrays = Arrays::from([("a".to_owned(), Array { shape, data })]);
        keep_largest(&mut arrays, &["a".to_owned()], 0.5).unwrap();
        assert_eq!(arrays["a"].data, [0.5, -0.5, 0.0, 0.0]);
        let error = keep_largest(&mut arrays, &["a".to_owned()], 0.01).unwrap_err();
        assert!(error.to_string().contains("density"), "{error}");
    }
}
