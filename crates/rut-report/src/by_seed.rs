//! Figures of one kind by seed, and what is computed of several over the seeds that all of them have.

use std::collections::BTreeMap;

/// A figure for each seed.
pub(crate) type BySeed = BTreeMap<u64, f64>;

/// The mean of `all`, which weigh alike.
pub(crate) fn mean(all: &[&BySeed]) -> BySeed {
    let seeds = all.first().into_iter().flat_map(|first| first.keys());
    let mean = |seed: &u64| {
        let values = all.iter().map(|own| own.get(seed));
        Some((*seed, values.sum::<Option<f64>>()? / all.len() as f64))
    };
    seeds.filter_map(mean).collect()
}

/// `first` minus `second`.
pub(crate) fn difference(first: &BySeed, second: &BySeed) -> BySeed {
    let minus = |(seed, one): (&u64, &f64)| Some((*seed, one - second.get(seed)?));
    first.iter().filter_map(minus).collect()
}
