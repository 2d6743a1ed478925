//! Bayesian label maps (Cai et al., NeurIPS 2024, arXiv 2410.24018): BLM from predictions, BLM+ from probabilities.

use candle_core::Tensor;
use rut_record::{Field, Kind, Options, PROMPTING};

use super::options::{INTERVAL, MAP_FROM, REMAP, iterative};
use super::{Evidence, LabelMap, LabelMappingSpec, MadeMap, Making};
use crate::error::{Error, Result};

/// From the counts of predictions.
pub(super) const BLM: LabelMappingSpec = LabelMappingSpec {
    name: "blm",
    title: "Bayesian: all sources weighted by how often images of a target are predicted as them",
    options: &[INTERVAL, REMAP, MAP_FROM, LAPLACE],
    one_to_one: false,
    refresh: iterative,
    make: |mut making| {
        let seen = making.counted()?;
        let counts: Vec<f64> = seen.counts.iter().map(|&count| count as f64).collect();
        made(&making, &seen, &counts)
    },
};

/// From the largest probabilities.
pub(super) const BLM_PLUS: LabelMappingSpec = LabelMappingSpec {
    name: "blm-plus",
    title: "Bayesian: the same by the largest probabilities of each image",
    options: &[INTERVAL, REMAP, MAP_FROM, LAPLACE, TOP_SHARE],
    make: |making| {
        let keep = kept_probabilities(making.targets, top_share(making.options)?);
        let asked = Evidence::new(making.sources, making.targets).with_largest(keep);
        let seen = (making.evidence)(asked)?;
        made(&making, &seen, &seen.largest)
    },
    ..BLM
};

/// λ.
const LAPLACE: Field = Field {
    default: Some("1"),
    ..Field::new(
        "laplace",
        "LAMBDA",
        Kind::Number,
        PROMPTING,
        "Laplace smoothing of a Bayesian map, added once to the sum of each source class",
    )
};

/// α.
const TOP_SHARE: Field = Field {
    default: Some("0.15"),
    ..Field::new(
        "top_share",
        "ALPHA",
        Kind::Number,
        PROMPTING,
        "Probabilities of each image that blm-plus takes, as a share of the target classes; at least one",
    )
};

fn laplace(options: &Options) -> Result<f64> {
    in_range(&LAPLACE, options, "0 or more", |lambda| lambda >= 0.0)
}

fn top_share(options: &Options) -> Result<f64> {
    let fits = |alpha| alpha > 0.0;
    in_range(&TOP_SHARE, options, "a number above 0", fits)
}

fn in_range(
    field: &Field,
    options: &Options,
    expected: &str,
    fits: fn(f64) -> bool,
) -> Result<f64> {
    let found = field.number(options)?.unwrap_or(f64::NAN);
    if found.is_finite() && fits(found) {
        Ok(found)
    } else {
        Err(Error::Option {
            field: field.key,
            expected: expected.into(),
            found: found.to_string(),
        })
    }
}

/// k = max(1, ⌊α·T⌋). The published ⌊α·T⌋ is 0 below seven classes, which leaves nothing.
///
/// ```
/// use rut_adapt::kept_probabilities;
/// assert_eq!((kept_probabilities(102, 0.15), kept_probabilities(5, 0.15)), (15, 1));
/// ```
pub fn kept_probabilities(targets: usize, share: f64) -> usize {
    ((targets as f64 * share) as usize).max(1)
}

fn made(making: &Making<'_>, seen: &Evidence, evidence: &[f64]) -> Result<MadeMap> {
    let weights = bayesian_weights(evidence, making.targets, laplace(making.options)?);
    let placement = making.placement;
    let shape = (making.sources, making.targets);
    let weights = Tensor::from_vec(weights, shape, &placement.device)?;
    Ok(MadeMap {
        map: LabelMap::weighted(weights.to_dtype(placement.dtype)?, None)?,
        ties: 0,
        without_evidence: seen.unseen(),
    })
}

/// W [S, T] of `evidence` A [S, T], row-major: R_st = A_st / (Σ_t' A_st' + λ), W_st = R_st / Σ_s' R_s't.
///
/// A row without evidence is 0. A column without, for which the published code gives NaN, is uniform, 1/S.
///
/// ```
/// use rut_adapt::bayesian_weights;
/// let counts = [3.0, 1.0, 0.0, 0.0, 1.0, 0.0]; // three sources, two targets
/// let w = bayesian_weights(&counts, 2, 1.0);
/// assert_eq!((w[0], w[1], w[4]), (0.6 / (0.6 + 0.5), 1.0, 0.5 / (0.6 + 0.5)));
/// assert_eq!(bayesian_weights(&[0.0, 1.0, 0.0, 1.0], 2, 1.0), [0.5, 0.5, 0.5, 0.5]);
/// ```
pub fn bayesian_weights(evidence: &[f64], targets: usize, laplace: f64) -> Vec<f64> {
    let mut weights = evidence.to_vec();
    for row in weights.chunks_exact_mut(targets.max(1)) {
        let sum = row.iter().sum::<f64>() + laplace;
        if sum > 0.0 {
            row.iter_mut().for_each(|value| *value /= sum);
        }
    }
    let sources = weights.len() / targets.max(1);
    for target in 0..targets {
        let column = || (0..sources).map(|source| source * targets + target);
        let sum: f64 = column().map(|at| weights[at]).sum();
        for at in column() {
            weights[at] = if sum > 0.0 {
                weights[at] / sum
            } else {
                1.0 / sources as f64
            };
        }
    }
    weights
}
