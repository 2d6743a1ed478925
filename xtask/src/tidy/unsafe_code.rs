//! Invariant 1: `unsafe` stands only where the kernels talk to an instruction set, and every other
//! crate forbids it by the workspace's lints.

use super::finding::Finding;
use super::manifest::Manifest;
use crate::rust_text::{find_words, line_of};
use crate::tree::Tree;

/// The only place for `unsafe`.
const HOME: &str = "crates/rut-kernels/src/arch/";

/// The only crate whose lints are its own, since `forbid` cannot be lifted for a part of a crate.
const OWN_LINTS: &str = "rut-kernels";

/// Findings of this check.
pub(super) fn find(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, masked) in tree
        .rust_files()
        .filter(|(file, _)| !file.path.starts_with(HOME))
    {
        for at in find_words(&masked.code, "unsafe") {
            let message = format!(
                "`unsafe` outside {HOME}: write it safely, or move it there behind a safe door"
            );
            found.push(Finding::new(&file.path, line_of(&masked.code, at), message));
        }
    }
    lints(tree, &mut found);
    found
}

fn lints(tree: &Tree, found: &mut Vec<Finding>) {
    if let Some(root) = tree.get("Cargo.toml").and_then(Manifest::parse) {
        let level = root.value(&["workspace", "lints", "rust", "unsafe_code"]);
        if level.and_then(|value| value.as_str()) != Some("forbid") {
            let message = "the workspace must forbid unsafe code: `unsafe_code = \"forbid\"` under [workspace.lints.rust]";
            found.push(Finding::new("Cargo.toml", 1, message));
        }
    }
    for manifest in Manifest::of_packages(tree) {
        let inherits = manifest
            .value(&["lints", "workspace"])
            .and_then(|value| value.as_bool())
            == Some(true);
        let own = manifest
            .value(&["lints", "rust", "unsafe_code"])
            .and_then(|value| value.as_str());
        let keeps_house = manifest.file.package_name() == Some(OWN_LINTS)
            && matches!(own, Some("deny" | "forbid"));
        if !inherits && !keeps_house {
            let message = "the crate does not follow the workspace's lints: add `[lints]` with `workspace = true`";
            found.push(Finding::new(&manifest.file.path, 1, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyword_is_found_outside_its_home_only() {
        let bad = "//! x\nfn f() {\n    unsafe { g() }\n}\n";
        let tree = Tree::of(&[
            ("crates/rut-data/src/a.rs", bad),
            ("crates/rut-data/tests/a.rs", bad),
            ("crates/rut-kernels/src/arch/avx2/a.rs", bad),
            (
                "crates/rut-models/src/a.rs",
                "//! unsafe\n#![forbid(unsafe_code)]\nconst A: &str = \"unsafe\";\n",
            ),
        ]);
        let found = find(&tree);
        let places: Vec<_> = found.iter().map(|f| (f.path.as_str(), f.line)).collect();
        assert_eq!(
            places,
            [
                ("crates/rut-data/src/a.rs", 3),
                ("crates/rut-data/tests/a.rs", 3)
            ]
        );
    }

    #[test]
    fn lints_must_be_the_workspaces() {
        let tree = Tree::of(&[
            (
                "Cargo.toml",
                "[workspace.lints.rust]\nunsafe_code = \"warn\"\n",
            ),
            (
                "crates/rut-data/Cargo.toml",
                "[package]\nname = \"rut-data\"\n",
            ),
            (
                "crates/rut-kernels/Cargo.toml",
                "[package]\nname = \"rut-kernels\"\n[lints.rust]\nunsafe_code = \"deny\"\n",
            ),
            (
                "xtask/Cargo.toml",
                "[package]\nname = \"xtask\"\n[lints]\nworkspace = true\n",
            ),
        ]);
        let found = find(&tree);
        let paths: Vec<_> = found.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["Cargo.toml", "crates/rut-data/Cargo.toml"]);
    }
}
