//! Prunes a fifth of what is left, round by round.

use super::layer::Layer;
use super::rule::{Counted, Scope};
use crate::error::{Error, Result};

/// The share of what is left that a round prunes.
const FRACTION: f64 = 0.2;

/// Applies `PruneRule::Rounds`, whose values are in range.
pub(super) fn prune(
    layers: &mut [Layer],
    rounds: u32,
    scope: Scope,
    counted: Counted,
) -> Result<()> {
    let counts = |layer: &&Layer| counted == Counted::WithDense && layer.is_dense;
    let beside: usize = layers.iter().filter(counts).map(Layer::kept).sum();
    let mut pruned: Vec<&mut Layer> = layers.iter_mut().filter(|l| !l.is_dense).collect();
    for round in 1..=rounds {
        match scope {
            Scope::Global => once(&mut pruned, beside)
                .map_err(|left| too_many(rounds, round, left, "the layers that are pruned"))?,
            Scope::Layer => {
                for layer in pruned.iter_mut().filter(|layer| layer.kept() > 0) {
                    let layer = &mut **layer;
                    let name = format!("`{}`", layer.name);
                    once(&mut [layer], 0).map_err(|left| too_many(rounds, round, left, &name))?;
                }
            }
        }
    }
    Ok(())
}

/// How many weights there are, and how many would go.
struct Left {
    weights: usize,
    go: usize,
}

fn too_many(rounds: u32, round: u32, left: Left, place: &str) -> Error {
    let Left { weights, go } = left;
    Error::Prune {
        field: "rounds",
        expected: format!(
            "at most {}: in the next {go} of the {weights} weights would go that are left in {place}",
            round - 1
        ),
        found: rounds.to_string(),
    }
}

/// One round over `layers`, where `beside` weights of others are counted too; refused where fewer than one would be left.
fn once(layers: &mut [&mut Layer], beside: usize) -> std::result::Result<(), Left> {
    let mut scores: Vec<f32> = layers
        .iter()
        .flat_map(|layer| layer.kept_scores())
        .collect();
    let remaining = scores.len() + beside;
    let cut = (FRACTION * remaining as f64).ceil() as usize;
    if cut + 1 >= scores.len() {
        return Err(Left {
            weights: scores.len(),
            go: cut + 1,
        });
    }
    let (_, threshold, _) = scores.select_nth_unstable_by(cut, f32::total_cmp);
    let threshold = *threshold;
    for layer in layers {
        let places = layer.keep.iter_mut().zip(&layer.scores);
        places.for_each(|(keep, score)| *keep &= *score > threshold);
    }
    Ok(())
}
