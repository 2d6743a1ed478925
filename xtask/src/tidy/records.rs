//! Invariant 3: only `rut-record` knows the names and layouts of a run's files, and the form of specifications in TOML.

use super::finding::Finding;
use super::restricted::{self, Exception, Restricted};
use crate::rust_text::line_of;
use crate::tree::Tree;

const RESTRICTED: &[Restricted] = &[Restricted {
    packages: &["toml", "toml_edit", "serde_json", "serde_yaml", "json"],
    homes: &["rut-record"],
    remedy: "derive serde's traits here and let rut-record write them down",
}];

const EXCEPTIONS: &[Exception] = &[
    Exception {
        owner: "rut-study",
        package: "toml",
        reason: "reads the files of studies",
    },
    Exception {
        owner: "rut-study",
        package: "serde_json",
        reason: "compares values of fields",
    },
    Exception {
        owner: "rut-run",
        package: "toml",
        reason: "switches of the reference's defects are values of fields",
    },
    Exception {
        owner: "rut-run",
        package: "serde_json",
        reason: "a line of JSON per event; what the cache keeps of networks",
    },
    Exception {
        owner: "rut-report",
        package: "serde_json",
        reason: "reads events and writes the index of runs",
    },
    Exception {
        owner: "rut-bench",
        package: "serde_json",
        reason: "writes its own report",
    },
    Exception {
        owner: "xtask",
        package: "toml",
        reason: "reads the workspace's manifests",
    },
    Exception {
        owner: "rut-fetch",
        package: "serde_json",
        reason: "writes down what was downloaded: data/LOCK.json, and a sheet beside converted weights",
    },
    Exception {
        owner: "rut-cli",
        package: "serde_json",
        reason: "prints on standard output what `--json` asks for",
    },
    Exception {
        owner: "rut-models",
        package: "serde_json",
        reason: "the header of a safetensors file is JSON",
    },
    Exception {
        owner: "rut-formats",
        package: "serde_json",
        reason: "the surface of JSON that strangers wrote",
    },
    Exception {
        owner: "rut-data",
        package: "serde_json",
        reason: "data sets whose split files are JSON",
    },
];

/// Files of a run's folder, whose names are written in one crate.
const FILES: &[&str] = &["record.json", "events.jsonl", "tfevents", "spec.toml"];

/// Who may write them: their home, and the crate that shows them to users.
const AT_HOME: &[&str] = &["rut-record", "rut-cli", "xtask"];

/// Findings of this check.
pub(super) fn find(tree: &Tree) -> Vec<Finding> {
    let mut found = restricted::find(tree, RESTRICTED, EXCEPTIONS);
    for (file, masked) in tree.shipped() {
        if file
            .package_name()
            .is_none_or(|name| AT_HOME.contains(&name))
        {
            continue;
        }
        let text = &masked.shipped_with_literals;
        for name in FILES {
            for (at, _) in text.match_indices(name) {
                let message = format!(
                    "`{name}` belongs to a run's folder, which only rut-record knows: ask its `RunDir`"
                );
                found.push(Finding::new(&file.path, line_of(text, at), message));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_for_rut_record() {
        let json = "[dependencies]\nserde_json.workspace = true\n";
        let tree = Tree::of(&[
            ("crates/rut-metrics/Cargo.toml", json),
            ("crates/rut-data/Cargo.toml", json),
            ("crates/rut-record/Cargo.toml", json),
            (
                "crates/rut-adapt/Cargo.toml",
                "[dev-dependencies]\nserde_json.workspace = true\n",
            ),
            (
                "xtask/Cargo.toml",
                "[dependencies]\ntoml.workspace = true\n",
            ),
        ]);
        let found = find(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].path.as_str(), found[0].line),
            ("crates/rut-metrics/Cargo.toml", 2)
        );
        assert!(
            found[0].message.contains("rut-record only"),
            "{}",
            found[0].message
        );
    }

    #[test]
    fn names_of_run_files_are_for_rut_record() {
        let tree = Tree::of(&[
            (
                "crates/rut-adapt/src/a.rs",
                "//! Not record.json.\nconst A: &str =\n    \"record.json\";\n",
            ),
            (
                "crates/rut-record/src/a.rs",
                "//! x\nconst A: &str = \"record.json\";\n",
            ),
        ]);
        let found = find(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].path.as_str(), found[0].line),
            ("crates/rut-adapt/src/a.rs", 3)
        );
    }
}
