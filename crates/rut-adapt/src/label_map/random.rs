//! The random label map (RLM).

use rut_data::Seed;

use super::options::{MAP_SOURCES, sources_each};
use super::{LabelMap, LabelMappingSpec, MadeMap, Refresh, check_sources};
use crate::error::Result;

/// Random: made once, from no image.
pub(super) const RLM: LabelMappingSpec = LabelMappingSpec {
    name: "rlm",
    title: "random: a seeded random one-to-one map",
    options: &[MAP_SOURCES],
    one_to_one: true,
    refresh: |_| Ok(Refresh::Never),
    make: |making| {
        let each = sources_each(making.options)?;
        let map = random_map(making.sources, making.targets, each, making.seed)?;
        Ok(MadeMap::unfounded(map))
    },
};

/// A random map that gives each of `targets` classes `each` of the `sources` classes, all different, from the seed's stream
/// `label map`.
///
/// # Errors
/// If there are not so many sources.
pub fn random_map(sources: usize, targets: usize, each: usize, seed: Seed) -> Result<LabelMap> {
    check_sources(sources, targets, each)?;
    let order = seed.stream("label map").permutation(sources);
    let order: Vec<u32> = order.into_iter().map(|source| source as u32).collect();
    let of_targets = order.chunks(each).take(targets).map(<[u32]>::to_vec);
    LabelMap::mean_of(&of_targets.collect::<Vec<_>>(), sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_injection_and_depends_on_the_seed_alone() {
        let map = random_map(100, 10, 1, Seed(4)).unwrap();
        assert_eq!(map, random_map(100, 10, 1, Seed(4)).unwrap());
        assert_ne!(map, random_map(100, 10, 1, Seed(5)).unwrap());
        assert_eq!(map.targets(), 10);
    }
}
