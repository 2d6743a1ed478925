//! The greedy frequency maps: FLM is made once, ILM again every epoch.

use std::cmp::Ordering;

use super::options::{INTERVAL, MAP_FROM, MAP_SOURCES, REMAP, TIES, iterative, sources_each};
use super::{Evidence, LabelMap, LabelMappingSpec, MadeMap, Making, Refresh, check_sources};
use crate::error::Result;

/// Iterative: made again before every epoch.
pub(super) const ILM: LabelMappingSpec = LabelMappingSpec {
    name: "ilm",
    title: "iterative: the greedy one-to-one frequency map, made again before every epoch",
    options: &[INTERVAL, TIES, REMAP, MAP_SOURCES, MAP_FROM],
    one_to_one: true,
    refresh: iterative,
    make,
};

/// Frequent: made once.
pub(super) const FLM: LabelMappingSpec = LabelMappingSpec {
    name: "flm",
    title: "frequent: the greedy one-to-one frequency map, made once at the initial prompt",
    options: &[TIES, MAP_SOURCES],
    one_to_one: true,
    refresh: |_| Ok(Refresh::Once),
    make,
};

fn make(mut making: Making<'_>) -> Result<MadeMap> {
    let ties = match TIES.word(making.options)?.as_deref() {
        Some("index") => Ties::Index,
        _ => Ties::Mass,
    };
    let each = sources_each(making.options)?;
    check_sources(making.sources, making.targets, each)?;
    frequency_map(&making.counted()?, ties, each)
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

/// M·T times: take the largest count and give that target that source; leave out the source from then on, and the target once
/// it has M sources (M = `each`). With M = 1 it is algorithm 1 of Chen et al., arXiv 2211.11635; with more, FreqMap of Tsao
/// et al. (AutoVP, arXiv 2310.08381), whose target logit is the mean of its sources'.
///
/// Walking once through all pairs from the largest down, and passing over pairs whose source is taken or whose target has
/// its sources, makes the same choices.
///
/// # Errors
/// If there are fewer than M·T sources.
pub fn frequency_map(evidence: &Evidence, rule: Ties, each: usize) -> Result<MadeMap> {
    check_sources(evidence.sources, evidence.targets, each)?;
    let order = ranked(evidence, rule);
    let mut free = Free {
        sources: vec![true; evidence.sources],
        places: vec![each; evidence.targets],
    };
    let mut sources = vec![Vec::new(); evidence.targets];
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
        sources[target].push(source as u32);
        if count == 0 && !without_evidence.contains(&(target as u32)) {
            without_evidence.push(target as u32);
        }
    }
    without_evidence.sort_unstable();
    Ok(MadeMap {
        map: LabelMap::mean_of(&sources, evidence.sources)?,
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
    /// How many sources each target still takes.
    places: Vec<usize>,
}

impl Free {
    fn pair(&self, pair: usize) -> (usize, usize) {
        (pair / self.places.len(), pair % self.places.len())
    }

    fn allows(&self, pair: usize) -> bool {
        let (source, target) = self.pair(pair);
        self.sources[source] && self.places[target] > 0
    }

    /// Whether only one of two pairs can be chosen.
    fn compete(&self, a: usize, b: usize) -> bool {
        let ((source, target), (other_source, other_target)) = (self.pair(a), self.pair(b));
        source == other_source || (target == other_target && self.places[target] == 1)
    }

    fn take(&mut self, pair: usize) -> (usize, usize) {
        let (source, target) = self.pair(pair);
        self.sources[source] = false;
        self.places[target] -= 1;
        (source, target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(sources: usize, targets: usize, counts: &[u64]) -> Evidence {
        let mut seen = Evidence::new(sources, targets);
        seen.counts = counts.to_vec();
        seen
    }

    #[test]
    fn the_largest_count_goes_first_and_takes_row_and_column() {
        // Target 0 would like source 0, but target 1 has the larger count there.
        let found = frequency_map(&evidence(3, 2, &[4, 5, 3, 0, 0, 0]), Ties::Index, 1).unwrap();
        assert_eq!(found.map.sources().unwrap(), [1, 0]);
        assert_eq!((found.ties, found.without_evidence), (0, vec![]));
    }

    #[test]
    fn without_evidence_the_index_rule_gives_the_first_sources_and_the_mass_rule_the_likeliest() {
        let mut seen = evidence(4, 2, &[0; 8]);
        seen.mass[3 * 2] = 0.5;
        seen.mass[2 * 2 + 1] = 0.4;
        let index = frequency_map(&seen, Ties::Index, 1).unwrap();
        assert_eq!(index.map.sources().unwrap(), [0, 1]);
        let mass = frequency_map(&seen, Ties::Mass, 1).unwrap();
        assert_eq!(mass.map.sources().unwrap(), [3, 2]);
        assert_eq!((mass.ties, mass.without_evidence), (2, vec![0, 1]));
    }

    #[test]
    fn more_targets_than_sources_are_refused() {
        let error = frequency_map(&Evidence::new(2, 3), Ties::Mass, 1)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("3 target classes onto 2 source classes"),
            "{error}"
        );
    }
}
