//! Prunes to a density.

use super::layer::Layer;
use super::rule::{Counted, Scope};
use crate::error::{Error, Result};

/// Applies `PruneRule::Density`, whose values are in range.
pub(super) fn prune(
    layers: &mut [Layer],
    density: f64,
    scope: Scope,
    counted: Counted,
) -> Result<()> {
    let counts = |layer: &&Layer| !layer.is_dense || counted == Counted::WithDense;
    let total: usize = layers.iter().filter(counts).map(|l| l.keep.len()).sum();
    let kept = |layers: &[Layer]| -> usize { layers.iter().filter(counts).map(Layer::kept).sum() };
    let before = kept(layers);
    let mut pruned: Vec<&mut Layer> = layers.iter_mut().filter(|l| !l.is_dense).collect();
    let wanted = match scope {
        Scope::Global => {
            let wanted = share(density, total);
            smallest(&mut pruned, wanted, density)?;
            wanted
        }
        Scope::Layer => {
            let mut all = 0;
            for layer in pruned {
                let wanted = share(density, layer.keep.len());
                smallest(&mut [layer], wanted, density)?;
                all += wanted;
            }
            all
        }
    };
    if wanted > 0 && kept(layers) == before && total - before > wanted {
        return Err(Error::Prune {
            field: "density",
            expected: format!(
                "at most the {:.4} of these weights that are kept already",
                before as f64 / total as f64
            ),
            found: density.to_string(),
        });
    }
    Ok(())
}

/// How many of `total` weights go: int((1 − density) · total).
fn share(density: f64, total: usize) -> usize {
    ((1.0 - density) * total as f64) as usize
}

/// Prunes the `count` weights of the smallest rank over all `layers`; of equals those with the larger index.
fn smallest(layers: &mut [&mut Layer], count: usize, density: f64) -> Result<()> {
    let Some(last) = count.checked_sub(1) else {
        return Ok(());
    };
    let ranks = |layer: &Layer| {
        (0..layer.keep.len())
            .map(|i| layer.rank(i))
            .collect::<Vec<_>>()
    };
    let mut all: Vec<f32> = layers.iter().flat_map(|layer| ranks(layer)).collect();
    if last >= all.len() {
        return Err(Error::Prune {
            field: "density",
            expected: format!(
                "more: {count} weights would go, and the layers that are pruned have {}",
                all.len()
            ),
            found: density.to_string(),
        });
    }
    let (below, threshold, _) = all.select_nth_unstable_by(last, f32::total_cmp);
    let threshold = *threshold;
    // Equal by the order of numbers, in which -0 and 0 are the same.
    let mut ties = count - below.iter().filter(|&&rank| rank < threshold).count();
    for layer in layers.iter_mut().rev() {
        for index in (0..layer.keep.len()).rev() {
            let rank = layer.rank(index);
            let goes = if rank == threshold && ties > 0 {
                ties -= 1;
                true
            } else {
                rank < threshold
            };
            layer.keep[index] &= !goes;
        }
    }
    Ok(())
}
