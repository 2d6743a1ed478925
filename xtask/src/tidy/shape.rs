//! The shape of the tree: each file opens with its purpose and is named for a noun, each crate has a
//! README, no file outgrows its reader, lints are expected and not allowed.

use super::finding::Finding;
use super::manifest::Manifest;
use crate::rust_text::line_of;
use crate::tree::{Tree, TreeFile};

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &[
    "utils", "util", "common", "helpers", "helper", "base", "imp", "misc",
];

/// How a file may open: with prose, or with the crate's README as its prose.
const OPENINGS: &[&str] = &["//!", "#![doc = include_str!(\"../README.md\")]"];

/// The most lines of a source file.
const LONGEST: usize = 500;

/// The crate whose files may be longer: a kernel is one thought.
const LONG_FILES: &str = "rut-kernels";

/// Findings of this check.
pub(super) fn find(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, masked) in tree.rust_files() {
        let text = file.text().unwrap_or_default();
        if !OPENINGS.iter().any(|opening| text.starts_with(opening)) {
            let message = "the file does not open with `//!`: say what it is and what it is not";
            found.push(Finding::new(&file.path, 1, message));
        }
        for attribute in ["#[allow(", "#![allow("] {
            if is_shared_by_tests(file) {
                continue;
            }
            for (at, _) in masked.code.match_indices(attribute) {
                let message = format!(
                    "`{attribute}…)]`: use `expect` with a reason, which fails once it is not needed"
                );
                found.push(Finding::new(&file.path, line_of(&masked.code, at), message));
            }
        }
        found.extend(name(file));
        found.extend(length(file, text));
    }
    for manifest in Manifest::of_packages(tree) {
        let folder = manifest.file.package().unwrap_or_default();
        if tree.get(&format!("{folder}/README.md")).is_none() {
            let message = "the crate has no README.md: say in ten lines how to use it alone";
            found.push(Finding::new(&manifest.file.path, 1, message));
        }
    }
    found
}

/// Whether the file is a module of several test programs: it is compiled in each, each uses a part, and
/// no `expect` could hold in all of them.
fn is_shared_by_tests(file: &TreeFile) -> bool {
    let rest = file.package().map(|folder| &file.path[folder.len()..]);
    rest.and_then(|rest| rest.strip_prefix("/tests/"))
        .is_some_and(|rest| rest.contains('/'))
}

fn is_in_src(file: &TreeFile) -> bool {
    file.package()
        .is_some_and(|folder| file.path[folder.len()..].starts_with("/src/"))
}

fn name(file: &TreeFile) -> Option<Finding> {
    let mut parts = file
        .path
        .split('/')
        .map(|part| part.strip_suffix(".rs").unwrap_or(part));
    let empty = parts.find(|part| EMPTY_NAMES.contains(part))?;
    let message =
        format!("`{empty}` is no description: name the file for the noun that it defines");
    is_in_src(file).then(|| Finding::new(&file.path, 1, message))
}

fn length(file: &TreeFile, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    let is_long = lines > LONGEST && is_in_src(file) && file.package_name() != Some(LONG_FILES);
    let message = format!("{lines} lines, more than {LONGEST}: split the file at its second noun");
    is_long.then(|| Finding::new(&file.path, 1, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(samples: &[(&str, &str)]) -> Vec<String> {
        find(&Tree::of(samples))
            .into_iter()
            .map(|f| format!("{}:{} {}", f.path, f.line, f.message))
            .collect()
    }

    #[test]
    fn a_file_opens_with_its_purpose() {
        let found = messages(&[("crates/rut-data/tests/a.rs", "use b;\n")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("does not open with"), "{found:?}");
    }

    #[test]
    fn allow_is_refused_and_expect_is_not() {
        let attribute = format!("#[{}(dead_code)]", "allow");
        let text = format!(
            "//! {attribute}\n#[expect(dead_code, reason = \"a\")]\n{attribute}\nfn f() {{}}\n"
        );
        let found = messages(&[
            ("xtask/src/a.rs", &text),
            ("crates/rut-data/tests/common/mod.rs", &text),
        ]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("xtask/src/a.rs:3 "), "{found:?}");
    }

    #[test]
    fn a_name_says_something() {
        let found = messages(&[
            ("crates/rut-data/src/utils.rs", "//! x\n"),
            ("crates/rut-data/src/common/mod.rs", "//! x\n"),
            ("crates/rut-data/tests/common/mod.rs", "//! x\n"),
            ("crates/rut-data/src/base64.rs", "//! x\n"),
        ]);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn long_files_are_split_but_for_kernels() {
        let long = "//! x\n".repeat(LONGEST + 1);
        let found = messages(&[
            ("crates/rut-data/src/a.rs", &long),
            ("crates/rut-kernels/src/a.rs", &long),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("501 lines"), "{found:?}");
    }

    #[test]
    fn a_crate_has_a_readme() {
        let found = messages(&[
            ("crates/rut-data/Cargo.toml", "[package]\n"),
            ("crates/rut-models/Cargo.toml", "[package]\n"),
            ("crates/rut-models/README.md", "x\n"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("crates/rut-data/"), "{found:?}");
    }
}
