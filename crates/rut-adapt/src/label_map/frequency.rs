//! The greedy one-to-one frequency maps: FLM is made once, ILM again every epoch.

use std::cmp::Ordering;

use rut_record::{Field, Kind, Options, PROMPTING, Word};

use super::{Evidence, LabelMap, LabelMappingSpec, MadeMap, Making, Refresh, check_classes};
use crate::error::{Error, Result};

/// Iterative: made again before every epoch.
pub(super) const ILM: LabelMappingSpec = LabelMappingSpec {
    name: "ilm",
    title: "iterative: the greedy one-to-one frequency map, made again before every epoch",
    options: &[INTERVAL, TIES, REMAP],
    refresh: iterative,
    make,
};

/// Frequent: made once.
pub(super) const FLM: LabelMappingSpec = LabelMappingSpec {
    name: "flm",
    title: "frequent: the greedy one-to-one frequency map, made once at the initial prompt",
    options: &[TIES],
    refresh: |_| Ok(Refresh::Once),
    make,
};

/// Epochs between two makings of a map.
pub const INTERVAL: Field = Field {
    default: Some("1"),
    ..Field::new(
        "mapping_interval",
        "N",
        Kind::Count,
        PROMPTING,
        "Make the label map again every so many epochs",
    )
};

/// What decides between equal counts.
pub const TIES: Field = Field {
    default: Some("mass"),
    ..Field::new(
        "ties",
        "RULE",
        Kind::Words(&[
            Word::new("mass", "the larger summed softmax mass"),
            Word::new("index", "the smaller index (defect D17 of the reference)"),
        ]),
        PROMPTING,
        "What decides between equal counts of a label map",
    )
};

/// Whether the map is made again after the last epoch.
pub const REMAP: Field = Field {
    default: Some("on"),
    ..Field::new(
        "remap",
        "on|off",
        Kind::Words(&[
            Word::new("on", "with the prompt that is kept"),
            Word::new(
                "off",
                "the map made before the last epoch is tested with (defect D18 of the reference)",
            ),
        ]),
        PROMPTING,
        "Make the label map again after the last epoch",
    )
};

fn iterative(options: &Options) -> Result<Refresh> {
    let epochs = INTERVAL.whole(options)?.unwrap_or(1);
    let out_of_range = |found: u64| Error::Option {
        field: INTERVAL.key,
        expected: "at least 1".into(),
        found: found.to_string(),
    };
    Ok(Refresh::Every {
        epochs: u32::try_from(epochs)
            .ok()
            .filter(|epochs| *epochs > 0)
            .ok_or_else(|| out_of_range(epochs))?,
        at_the_end: REMAP.word(options)?.is_none_or(|word| word == "on"),
    })
}

fn make(making: Making<'_>) -> Result<MadeMap> {
    let ties = match TIES.word(making.options)?.as_deref() {
        Some("index") => Ties::Index,
        _ => Ties::Mass,
    };
    frequency_map(&(making.evidence)()?, ties)
}

/// What decides between equal counts of a label map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ties {
    /// The larger summed softmax mass, then the smaller index.
    Mass,
    /// The smaller row-major index [source, target], as the reference does (defect D17): classes without evidence get
    /// the sources 0, 1, 2 …
    Index,
}

/// T times: take the largest count, map that target to that source, and leave both out from then on
/// (Chen et al., arXiv 2211.11635, algorithm 1).
///
/// Walking once through all pairs from the largest down, and passing over pairs whose source or target is taken, makes
/// the same choices.
///
/// # Errors
/// If there are more targets than sources.
pub fn frequency_map(evidence: &Evidence, rule: Ties) -> Result<MadeMap> {
    check_classes(evidence.sources, evidence.targets)?;
    let order = ranked(evidence, rule);
    let mut free = Free {
        sources: vec![true; evidence.sources],
        targets: vec![true; evidence.targets],
        width: evidence.targets,
    };
    let mut sources = vec![0u32; evidence.targets];
    let (mut ties, mut without_evidence) = (0, Vec::new());
    for (position, &pair) in order.iter().enumerate() {
        if !free.allows(pair) {
            continue;
        }
        let count = evidence.counts[pair];
        let equals = order[position + 1..]
            .iter()
            .take_while(|&&other| evidence.counts[other] == count);
        let competes = |&&other: &&usize| free.allows(other) && free.compete(pair, other);
        ties += usize::from(equals.into_iter().any(|other| competes(&other)));
        let (source, target) = free.take(pair);
        sources[target] = source as u32;
        if count == 0 {
            without_evidence.push(target as u32);
        }
    }
    without_evidence.sort_unstable();
    Ok(MadeMap {
        map: LabelMap::one_to_one(sources, evidence.sources)?,
        ties,
        without_evidence,
    })
}

/// Row-major indices of all pairs, the first choice first.
fn ranked(evidence: &Evidence, rule: Ties) -> Vec<usize> {
    let mut order: Vec<usize> = (0..evidence.counts.len()).collect();
    let by_count = |a: usize, b: usize| evidence.counts[b].cmp(&evidence.counts[a]);
    let by_mass = |a: usize, b: usize| match rule {
        Ties::Mass => evidence.mass[b].total_cmp(&evidence.mass[a]),
        Ties::Index => Ordering::Equal,
    };
    order.sort_by(|&a, &b| by_count(a, b).then_with(|| by_mass(a, b)));
    order
}

struct Free {
    sources: Vec<bool>,
    targets: Vec<bool>,
    width: usize,
}

impl Free {
    fn allows(&self, pair: usize) -> bool {
        self.sources[pair / self.width] && self.targets[pair % self.width]
    }

    /// Whether only one of two pairs can be chosen.
    fn compete(&self, a: usize, b: usize) -> bool {
        a / self.width == b / self.width || a % self.width == b % self.width
    }

    fn take(&mut self, pair: usize) -> (usize, usize) {
        let (source, target) = (pair / self.width, pair % self.width);
        self.sources[source] = false;
        self.targets[target] = false;
        (source, target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(sources: usize, targets: usize, counts: &[u64]) -> Evidence {
        Evidence {
            counts: counts.to_vec(),
            ..Evidence::new(sources, targets)
        }
    }

    #[test]
    fn the_largest_count_goes_first_and_takes_row_and_column() {
        // Target 0 would like source 0, but target 1 has the larger count there.
        let found = frequency_map(&evidence(3, 2, &[4, 5, 3, 0, 0, 0]), Ties::Index).unwrap();
        assert_eq!(found.map.sources().unwrap(), [1, 0]);
        assert_eq!((found.ties, found.without_evidence), (0, vec![]));
    }

    #[test]
    fn without_evidence_the_index_rule_gives_the_first_sources_and_the_mass_rule_the_likeliest() {
        let mut seen = evidence(4, 2, &[0; 8]);
        seen.mass[3 * 2] = 0.5;
        seen.mass[2 * 2 + 1] = 0.4;
        let index = frequency_map(&seen, Ties::Index).unwrap();
        assert_eq!(index.map.sources().unwrap(), [0, 1]);
        let mass = frequency_map(&seen, Ties::Mass).unwrap();
        assert_eq!(mass.map.sources().unwrap(), [3, 2]);
        assert_eq!((mass.ties, mass.without_evidence), (2, vec![0, 1]));
    }

    #[test]
    fn more_targets_than_sources_are_refused() {
        let error = frequency_map(&Evidence::new(2, 3), Ties::Mass)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("3 target classes onto 2 source classes"),
            "{error}"
        );
    }
}
