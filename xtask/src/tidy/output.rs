//! Invariant 5: no crate below `rut-cli` prints. Loops emit events; observers show or store them.

use super::finding::Finding;
use crate::rust_text::{find_words, line_of};
use crate::tree::Tree;

const WORDS: &[&str] = &[
    "println!",
    "eprintln!",
    "print!",
    "eprint!",
    "dbg!",
    "io::stdout",
    "io::stderr",
];

/// The packages that may print.
const HOMES: &[&str] = &["rut-cli", "xtask"];

/// Findings of this check.
pub(super) fn find(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, masked) in tree.shipped() {
        if file
            .package_name()
            .is_some_and(|name| HOMES.contains(&name))
        {
            continue;
        }
        for word in WORDS {
            for at in find_words(&masked.shipped, word) {
                let message = format!(
                    "`{word}` in a library: emit an event to the observer, or return the value"
                );
                found.push(Finding::new(
                    &file.path,
                    line_of(&masked.shipped, at),
                    message,
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_is_found_in_code_that_ships() {
        let text = "//! println!(\"in a doc comment\")\nfn f() {\n    eprintln!(\"a\");\n    dbg!(1);\n}\n\
                    #[cfg(test)]\nmod tests {\n    fn g() { println!(\"b\") }\n}\n";
        let tree = Tree::of(&[
            ("crates/rut-adapt/src/a.rs", text),
            ("crates/rut-adapt/tests/a.rs", text),
            ("crates/rut-cli/src/a.rs", text),
        ]);
        let found = find(&tree);
        let lines: Vec<_> = found.iter().map(|f| (f.path.as_str(), f.line)).collect();
        assert_eq!(
            lines,
            [
                ("crates/rut-adapt/src/a.rs", 3),
                ("crates/rut-adapt/src/a.rs", 4)
            ]
        );
    }
}
