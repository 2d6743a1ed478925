//! Work that was put off: markers and unfinished code are refused, an issue is the place for them.

use super::finding::Finding;
use crate::rust_text::{find_words, line_of};
use crate::tree::Tree;

/// Refused in every text file; written in halves, so that this file passes its own check.
const NOTES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];

/// Refused in Rust code.
const MACROS: &[&str] = &["todo!", "unimplemented!"];

/// Findings of this check.
pub(super) fn find(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |path: &str, text: &str, words: &[&str]| {
        for word in words {
            for at in find_words(text, word) {
                let message = format!(
                    "`{word}` left in the tree: finish it, or open an issue and remove the marker"
                );
                found.push(Finding::new(path, line_of(text, at), message));
            }
        }
    };
    for file in &tree.files {
        if let Some(text) = file.text() {
            add(&file.path, text, NOTES);
        }
        if let Some(masked) = &file.rust {
            add(&file.path, &masked.code, MACROS);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_found_in_prose_and_code() {
        let note = NOTES[0];
        let tree = Tree::of(&[
            ("a.md", &format!("fine\n{note}: later\n")),
            (
                "xtask/src/a.rs",
                &format!("//! x\n// {note}\nfn f() {{ todo!() }}\nfn g() {{ unimplemented!() }}\n"),
            ),
            ("xtask/src/b.rs", "//! x\nconst A: &str = \"todo!\";\n"),
        ]);
        let mut places: Vec<_> = find(&tree).into_iter().map(|f| (f.path, f.line)).collect();
        places.sort();
        let of = |path: &str, line| (path.to_owned(), line);
        assert_eq!(
            places,
            [
                of("a.md", 2),
                of("xtask/src/a.rs", 2),
                of("xtask/src/a.rs", 3),
                of("xtask/src/a.rs", 4)
            ]
        );
    }
}
