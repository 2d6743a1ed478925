//! Tests that are skipped where something is missing (the shared material, a Python), and must not be where it is there. A
//! passing test's output is swallowed, so a skip would be silent: `.ci/run` sets a variable that turns it
//! into a failure, and a test that looks for the thing must check that variable too.

use super::finding::Finding;
use crate::rust_text::{find_words, line_of};
use crate::tree::Tree;

/// The variable that says where something is, and the one that is set where it must be there.
const PAIRS: &[(&str, &str)] = &[
    ("RUT_SHARED", "RUT_REQUIRE_SHARED"),
    ("RUT_PYTHON", "RUT_REQUIRE_PYTHON"),
];

/// Findings of this check.
pub(super) fn find(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, masked) in tree.rust_files() {
        let text = file.text().unwrap_or_default();
        for (place, required) in PAIRS {
            let first = find_words(text, "var")
                .chain(find_words(text, "var_os"))
                .find(|&at| {
                    let is_code = !masked.code[at..].starts_with(' ');
                    is_code && line_at(text, at).contains(&format!("\"{place}\""))
                });
            if let Some(at) = first
                && find_words(text, required).next().is_none()
            {
                let message = format!(
                    "{place} is read and {required} is not: panic instead of skipping when that is set, or CI skips silently"
                );
                found.push(Finding::new(&file.path, line_of(text, at), message));
            }
        }
    }
    found
}

/// The rest of the line that holds byte `at`.
fn line_at(text: &str, at: usize) -> &str {
    text[at..].lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_skip_is_found() {
        let reads = "//! Sample.\n\nlet folder = std::env::var_os(\"RUT_SHARED\");\n";
        let minds = format!(
            "{reads}if std::env::var_os(\"RUT_REQUIRE_SHARED\").is_some() {{ panic!() }}\n"
        );
        let names = "//! Sample.\nconst VARIABLES: &[&str] = &[\"RUT_SHARED\"];\n// env::var_os(\"RUT_SHARED\")\n";
        let other =
            "//! Sample.\nlet python = std::env::var(\"RUT_PYTHON\");\n// RUT_REQUIRE_SHARED\n";
        let tree = Tree::of(&[
            ("crates/rut-data/tests/a.rs", reads),
            ("crates/rut-data/tests/b.rs", &minds),
            ("crates/rut-data/tests/c.rs", names),
            ("crates/rut-data/tests/d.rs", other),
        ]);
        let places: Vec<_> = find(&tree).into_iter().map(|f| (f.path, f.line)).collect();
        let found = |name: &str, line| (format!("crates/rut-data/tests/{name}"), line);
        assert_eq!(places, [found("a.rs", 3), found("d.rs", 2)]);
    }
}
