//! The random label map (RLM).

use rut_data::Seed;

use super::{LabelMap, LabelMappingSpec, MadeMap, Refresh, check_classes};
use crate::error::Result;

/// Random: made once, from no image.
pub(super) const RLM: LabelMappingSpec = LabelMappingSpec {
    name: "rlm",
    title: "random: a seeded random one-to-one map",
    options: &[],
    refresh: |_| Ok(Refresh::Never),
    make: |making| {
        let map = random_map(making.sources, making.targets, making.seed)?;
        Ok(MadeMap::unfounded(map))
    },
};

/// A random injection of `targets` classes into `sources` classes, from the seed's stream `label map`.
///
/// # Errors
/// If there are more targets than sources.
pub fn random_map(sources: usize, targets: usize, seed: Seed) -> Result<LabelMap> {
    check_classes(sources, targets)?;
    let order = seed.stream("label map").permutation(sources);
    LabelMap::one_to_one(
        order
            .into_iter()
            .take(targets)
            .map(|source| source as u32)
            .collect(),
        sources,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_injection_and_depends_on_the_seed_alone() {
        let map = random_map(100, 10, Seed(4)).unwrap();
        assert_eq!(map, random_map(100, 10, Seed(4)).unwrap());
        assert_ne!(map, random_map(100, 10, Seed(5)).unwrap());
        assert_eq!(map.targets(), 10);
    }
}
