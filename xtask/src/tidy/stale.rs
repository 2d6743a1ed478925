//! Generated sections that no longer say what the tables say.

use super::finding::Finding;
use crate::docs::{self, Freshness};
use crate::rust_text::line_of;
use crate::tree::Tree;

/// Findings of this check.
pub(super) fn find(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.ends_with(".md")) {
        let Some(text) = file.text() else { continue };
        if let Freshness::Broken { at, why } = docs::state(text) {
            found.push(Finding::new(&file.path, line_of(text, at), why));
        }
    }
    for section in docs::SECTIONS {
        if let Some(file) = tree.get(section.file)
            && !file.text().is_some_and(|text| {
                text.lines()
                    .any(|line| line.trim() == docs::opening(section.name))
            })
        {
            let message = format!(
                "no `{}` section: put its two markers back",
                docs::opening(section.name)
            );
            found.push(Finding::new(&file.path, 1, message));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_that_was_edited_by_hand_is_found() {
        let fresh =
            docs::refresh("a\n<!-- generated: datasets -->\n<!-- end generated -->\n").unwrap();
        assert_eq!(find(&Tree::of(&[("docs/src/datasets.md", &fresh)])), []);
        let edited = fresh.replacen("digits", "fingers", 1);
        let found = find(&Tree::of(&[("docs/src/datasets.md", &edited)]));
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].line,
            line_of(&edited, edited.find("fingers").unwrap())
        );
        assert!(
            found[0].message.contains("cargo xtask docs"),
            "{}",
            found[0].message
        );
    }

    #[test]
    fn a_section_that_was_lost_is_found() {
        let found = find(&Tree::of(&[("docs/src/datasets.md", "nothing\n")]));
        assert!(
            found[0].message.contains("put its two markers back"),
            "{}",
            found[0].message
        );
    }
}
