//! The greedy one-to-one frequency map (FLM; ILM makes it again every epoch).

use std::cmp::Ordering;

use rut_record::Ties;

use super::{Evidence, LabelMap, check_classes};
use crate::error::Result;

/// A frequency map and how well founded it is.
#[derive(Clone, Debug, PartialEq)]
pub struct FrequencyMap {
    /// The map.
    pub map: LabelMap,
    /// Choices in which another free pair of the same source or the same target had the same count.
    pub ties: usize,
    /// Targets that got a source which none of their images was predicted as.
    pub without_evidence: Vec<u32>,
}

/// T times: take the largest count, map that target to that source, and leave both out from then on
/// (Chen et al., arXiv 2211.11635, algorithm 1).
///
/// Walking once through all pairs from the largest down, and passing over pairs whose source or target is taken, makes
/// the same choices.
///
/// # Errors
/// If there are more targets than sources.
pub fn frequency_map(evidence: &Evidence, rule: Ties) -> Result<FrequencyMap> {
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
    Ok(FrequencyMap {
        map: LabelMap::new(sources, evidence.sources)?,
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
        assert_eq!(found.map.sources(), [1, 0]);
        assert_eq!((found.ties, found.without_evidence), (0, vec![]));
    }

    #[test]
    fn without_evidence_the_index_rule_gives_the_first_sources_and_the_mass_rule_the_likeliest() {
        let mut seen = evidence(4, 2, &[0; 8]);
        seen.mass[3 * 2] = 0.5;
        seen.mass[2 * 2 + 1] = 0.4;
        let index = frequency_map(&seen, Ties::Index).unwrap();
        assert_eq!(index.map.sources(), [0, 1]);
        let mass = frequency_map(&seen, Ties::Mass).unwrap();
        assert_eq!(mass.map.sources(), [3, 2]);
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
