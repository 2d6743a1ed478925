//! Prunes within groups of consecutive input channels.

use super::layer::Layer;
use super::rule::GroupSize;
use crate::error::{Error, Result};

/// Applies `PruneRule::Groups`; gives the layers that it does not apply to.
pub(super) fn prune(layers: &mut [Layer], size: GroupSize) -> Result<Vec<String>> {
    let pruned = layers.iter_mut().filter(|layer| !layer.is_dense);
    let (divided, skipped): (Vec<_>, Vec<_>) =
        pruned.partition(|layer| layer.shape.get(1).is_some_and(|n| n % size.of() == 0));
    if divided.is_empty() {
        let channels: Vec<String> = skipped
            .iter()
            .map(|layer| format!("{} of `{}`", layer.shape.get(1).unwrap_or(&0), layer.name))
            .collect();
        return Err(Error::Prune {
            field: "scope",
            expected: format!(
                "N:M whose M divides the input channels of a layer: {}",
                rut_formats::list(channels.iter().map(String::as_str))
            ),
            found: size.to_string(),
        });
    }
    divided.into_iter().for_each(|layer| in_groups(layer, size));
    Ok(skipped.iter().map(|layer| layer.name.clone()).collect())
}

/// Row-major `[out, in, kernel, kernel]`: the weights of a group are a kernel's area apart.
fn in_groups(layer: &mut Layer, size: GroupSize) {
    let area: usize = layer.shape.iter().skip(2).product();
    let length = size.of() * area;
    for start in (0..layer.keep.len()).step_by(length.max(1)) {
        for place in 0..area {
            let mut group: Vec<usize> = (0..size.of())
                .map(|channel| start + channel * area + place)
                .collect();
            // Stable: of equals the smaller index comes first.
            group.sort_by(|&a, &b| layer.rank(b).total_cmp(&layer.rank(a)));
            for &index in &group[size.kept()..] {
                layer.keep[index] = false;
            }
        }
    }
}
