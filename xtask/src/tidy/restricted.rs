//! Outside packages that only some crates may depend on: the table form that two checks share. Which
//! packages those are is said by the checks.

use super::finding::Finding;
use super::manifest::{Manifest, Section};
use crate::tree::Tree;

/// Packages that are at home in a few crates only.
pub(super) struct Restricted {
    /// The packages.
    pub(super) packages: &'static [&'static str],
    /// The crates that may ship with them.
    pub(super) homes: &'static [&'static str],
    /// What the rest should do instead.
    pub(super) remedy: &'static str,
}

/// A crate that may depend on a package which is at home elsewhere, and why.
pub(super) struct Exception {
    /// The crate.
    pub(super) owner: &'static str,
    /// The package.
    pub(super) package: &'static str,
    /// Why the rule is not hurt.
    pub(super) reason: &'static str,
}

/// Dependencies outside their homes. Tests may use what they like.
pub(super) fn find(
    tree: &Tree,
    restricted: &[Restricted],
    exceptions: &[Exception],
) -> Vec<Finding> {
    let mut found = Vec::new();
    for manifest in Manifest::of_packages(tree) {
        let owner = manifest.file.package_name().unwrap_or_default();
        for dependency in manifest.dependencies() {
            let package = dependency.name.as_str();
            let is_excused = exceptions.iter().any(|excuse| {
                excuse.owner == owner && excuse.package == package && !excuse.reason.is_empty()
            });
            if dependency.section == Section::Dev || is_excused {
                continue;
            }
            for rule in restricted {
                if rule.packages.contains(&package) && !rule.homes.contains(&owner) {
                    let homes = rule.homes.join(" and ");
                    let message = format!(
                        "`{owner}` depends on `{package}`, which is for {homes} only: {}",
                        rule.remedy
                    );
                    found.push(Finding::new(&manifest.file.path, dependency.line, message));
                }
            }
        }
    }
    found
}
