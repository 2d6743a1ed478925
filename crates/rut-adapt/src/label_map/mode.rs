//! The map of EVP (Wu et al., arXiv 2212.10556): each target gets the source that most of its images are predicted as.

use super::{Evidence, LabelMap, LabelMappingSpec, MadeMap, Making, Refresh};
use crate::error::Result;

/// The most frequent prediction, which several targets may share.
pub(super) const MODE: LabelMappingSpec = LabelMappingSpec {
    name: "mode",
    title: "mode: the source that most images of a target are predicted as, made once; targets may share it (EVP)",
    options: &[],
    one_to_one: false,
    refresh: |_| Ok(Refresh::Once),
    make,
};

/// The largest count of each column; of equal ones, the smaller source. As published, only the first ⌊N/T⌋ images of a class
/// count, of N in all.
fn make(making: Making<'_>) -> Result<MadeMap> {
    let (sources, targets) = (making.sources, making.targets);
    let asked = Evidence::new(sources, targets).of_first((making.images / targets.max(1)).max(1));
    let seen = (making.evidence)(asked)?;
    let (mut map, mut ties) = (Vec::with_capacity(targets), 0);
    for target in 0..targets {
        let count = |source: usize| seen.counts[source * targets + target];
        let most = (0..sources).map(count).max().unwrap_or(0);
        let mut equal = (0..sources).filter(|&source| count(source) == most);
        map.push(equal.next().unwrap_or(0) as u32);
        ties += usize::from(equal.next().is_some());
    }
    Ok(MadeMap {
        map: LabelMap::select(map, sources)?,
        ties,
        without_evidence: seen.unseen(),
    })
}
