//! The identity: target class j is source class j (Bahng et al., arXiv 2203.17274, for vision networks).

use super::{LabelMap, LabelMappingSpec, MadeMap, Refresh, check_classes};

/// The first source classes, from no image.
pub(super) const IDENTITY: LabelMappingSpec = LabelMappingSpec {
    name: "identity",
    title: "identity: target class j is source class j",
    options: &[],
    one_to_one: true,
    refresh: |_| Ok(Refresh::Never),
    make: |making| {
        check_classes(making.sources, making.targets)?;
        let sources = (0..making.targets).map(|class| class as u32).collect();
        let map = LabelMap::one_to_one(sources, making.sources)?;
        Ok(MadeMap::unfounded(map))
    },
};
