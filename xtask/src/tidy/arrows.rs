//! Invariant 2: dependencies point down only, and candle appears first on layer 2.

use super::finding::Finding;
use super::manifest::{Dependency, Manifest, Section};
use crate::tree::Tree;

/// Where a crate stands and what it may build on.
struct Place {
    name: &'static str,
    layer: u8,
    /// Crates of this workspace that it may depend on, in groups.
    uses: &'static [&'static [&'static str]],
    /// Crates of this workspace that it may depend on behind a feature.
    uses_behind_feature: &'static [&'static str],
}

const fn place(name: &'static str, layer: u8, uses: &'static [&'static [&'static str]]) -> Place {
    Place {
        name,
        layer,
        uses,
        uses_behind_feature: &[],
    }
}

/// What reads results and data, without tensors.
const RECORDS: &[&str] = &["rut-record", "rut-data", "rut-metrics", "rut-formats"];
/// What computes with tensors, and the pictures that it is fed with.
const LOOPS: &[&str] = &["rut-adapt", "rut-models", "rut-images", "rut-compress"];

const PLACES: &[Place] = &[
    place("rut-kernels", 1, &[]),
    place("rut-metrics", 1, &[]),
    place("rut-formats", 1, &[]),
    place("rut-images", 1, &[]),
    place("rut-data", 2, &[&["rut-formats", "rut-images"]]),
    place("rut-models", 2, &[&["rut-kernels", "rut-formats"]]),
    place(
        "rut-record",
        3,
        &[&["rut-data", "rut-metrics", "rut-formats"]],
    ),
    place("rut-adapt", 4, &[RECORDS, &["rut-models", "rut-images"]]),
    place("rut-compress", 4, &[&["rut-models", "rut-formats"]]),
    Place {
        uses_behind_feature: &["rut-models"],
        ..place("rut-fetch", 4, &[&["rut-data", "rut-formats"]])
    },
    place("rut-run", 5, &[RECORDS, LOOPS]),
    place("rut-report", 5, &[RECORDS]),
    place("rut-bench", 5, &[RECORDS, &["rut-adapt", "rut-models"]]),
    place(
        "rut-study",
        6,
        &[RECORDS, &["rut-run", "rut-adapt", "rut-models"]],
    ),
    place(
        "rut-cli",
        7,
        &[
            RECORDS,
            LOOPS,
            &[
                "rut-study",
                "rut-run",
                "rut-report",
                "rut-bench",
                "rut-fetch",
            ],
        ],
    ),
    place("xtask", 7, &[&["rut-data", "rut-formats", "rut-fetch"]]),
    // For tests alone: it stands apart, and nothing that ships may use it.
    place("rut-testkit", 8, &[&["rut-models", "rut-fetch"]]),
];

impl Place {
    fn may_use(&self, name: &str) -> bool {
        self.uses.iter().any(|group| group.contains(&name))
    }
}

/// Crates above layer 1 that compute with no tensors.
const WITHOUT_TENSORS: &[&str] = &["rut-data", "rut-record", "rut-fetch", "rut-report"];

/// Findings of this check.
pub(super) fn find(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for manifest in Manifest::of_packages(tree) {
        let path = &manifest.file.path;
        let name = manifest.file.package_name().unwrap_or_default();
        let Some(place) = PLACES.iter().find(|place| place.name == name) else {
            let message =
                format!("`{name}` has no layer: add it to PLACES in xtask/src/tidy/arrows.rs");
            found.push(Finding::new(path, 1, message));
            continue;
        };
        for dependency in manifest.dependencies() {
            if let Some(message) = objection(place, &dependency) {
                found.push(Finding::new(path, dependency.line, message));
            }
        }
    }
    found
}

/// What is wrong with `dependency` for a crate that stands at `place`.
fn objection(place: &Place, dependency: &Dependency) -> Option<String> {
    let target = dependency.name.as_str();
    let has_tensors = place.layer >= 2 && !WITHOUT_TENSORS.contains(&place.name);
    if target.starts_with("candle-") && !has_tensors {
        return Some(format!(
            "`{}` does not know candle (`{target}`): take and give plain slices",
            place.name
        ));
    }
    let is_ours = PLACES.iter().any(|other| other.name == target);
    if !is_ours || dependency.section == Section::Dev || place.may_use(target) {
        return None;
    }
    if place.uses_behind_feature.contains(&target) {
        let message = format!(
            "`{}` may use `{target}` only behind a feature: make it optional",
            place.name
        );
        return (!dependency.optional).then_some(message);
    }
    Some(format!(
        "`{}` must not depend on `{target}`: dependencies point down (it may use: {}); move what is shared to a lower layer",
        place.name,
        if place.uses.is_empty() {
            "nothing".to_owned()
        } else {
            place.uses.concat().join(", ")
        }
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, dependencies: &str) -> Vec<Finding> {
        find(&Tree::of(&[(path, &format!("[package]\n{dependencies}"))]))
    }

    #[test]
    fn candle_is_refused_where_nothing_computes_with_tensors() {
        let found = findings(
            "crates/rut-data/Cargo.toml",
            "[dependencies]\ncandle-core.workspace = true\n",
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 3);
        assert!(
            found[0].message.contains("does not know candle"),
            "{}",
            found[0].message
        );
        let tests_too = findings(
            "crates/rut-metrics/Cargo.toml",
            "[dev-dependencies]\ncandle-nn = \"1\"\n",
        );
        assert_eq!(tests_too.len(), 1);
        assert!(
            findings(
                "crates/rut-models/Cargo.toml",
                "[dependencies]\ncandle-core = \"1\"\n"
            )
            .is_empty()
        );
    }

    #[test]
    fn an_arrow_that_points_up_or_sideways_is_refused() {
        let up = findings(
            "crates/rut-models/Cargo.toml",
            "[dependencies]\nrut-adapt.workspace = true\n",
        );
        assert!(
            up[0].message.contains("must not depend on `rut-adapt`"),
            "{}",
            up[0].message
        );
        let sideways = findings(
            "crates/rut-data/Cargo.toml",
            "[dependencies]\nrut-metrics.workspace = true\n",
        );
        assert!(
            sideways[0].message.contains("may use: rut-formats"),
            "{}",
            sideways[0].message
        );
        assert!(
            findings(
                "crates/rut-cli/Cargo.toml",
                "[dependencies]\nrut-data.workspace = true\n"
            )
            .is_empty()
        );
    }

    #[test]
    fn weights_come_to_downloads_behind_a_feature() {
        let plain = findings(
            "crates/rut-fetch/Cargo.toml",
            "[dependencies]\nrut-models.workspace = true\n",
        );
        assert!(
            plain[0].message.contains("behind a feature"),
            "{}",
            plain[0].message
        );
        let optional = "[dependencies]\nrut-models = { workspace = true, optional = true }\n";
        assert!(findings("crates/rut-fetch/Cargo.toml", optional).is_empty());
    }

    #[test]
    fn a_crate_without_a_layer_is_a_finding() {
        let found = findings("crates/rut-new/Cargo.toml", "");
        assert!(
            found[0].message.contains("has no layer"),
            "{}",
            found[0].message
        );
    }

    #[test]
    fn every_arrow_of_the_table_points_down() {
        for place in PLACES {
            for target in place.uses.concat().iter().chain(place.uses_behind_feature) {
                let below = PLACES.iter().find(|other| other.name == *target).unwrap();
                assert!(below.layer < place.layer, "{} → {target}", place.name);
            }
        }
    }
}
