//! Invariant 7: no flag of a command line in the text of a library. An error names the field; `rut-cli` puts the flag in its
//! place.

use super::finding::Finding;
use crate::rust_text::line_of;
use crate::tree::Tree;

/// Files that write command lines of other programs, or read flags.
const EXCEPT: &[&str] = &[
    // Scripts of a job array call `sbatch` and `rut`.
    "crates/rut-study/src/sweep/slurm.rs",
    // A partial download is reported with the command that fetches it.
    "crates/rut-fetch/src/models/wanted.rs",
    // A build is described by cargo's own flags.
    "crates/rut-data/src/error.rs",
];

/// Packages that may name flags.
const HOMES: &[&str] = &["rut-cli", "xtask"];

/// Findings of this check.
pub(super) fn find(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, masked) in tree.shipped() {
        let at_home = file
            .package_name()
            .is_some_and(|name| HOMES.contains(&name));
        if at_home || EXCEPT.contains(&file.path.as_str()) {
            continue;
        }
        for (at, flag) in flags(&masked.shipped_with_literals) {
            let message = format!(
                "`{flag}` in the text of a library: name the field (`{}`), and rut-cli shows the flag",
                flag.trim_start_matches('-').replace('-', "_")
            );
            let line = line_of(&masked.shipped_with_literals, at);
            found.push(Finding::new(&file.path, line, message));
        }
    }
    found
}

/// Flags in `text`, and where they stand. Code has none: two minus signs before a name do not occur in it.
fn flags(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices("--").filter_map(|(at, _)| {
        let name = &text[at + 2..];
        let is_name = |c: char| c.is_ascii_lowercase() || c == '-';
        let length = name.find(|c| !is_name(c)).unwrap_or(name.len());
        let begins =
            !text[..at].ends_with('-') && name.starts_with(|c: char| c.is_ascii_lowercase());
        begins.then(|| (at, &text[at..at + 2 + length]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_found_in_texts_of_libraries_that_ship() {
        let text = "//! `--a-comment`\nfn f() -> String {\n    format!(\"use `--val-shots`\")\n}\n\
                    // --- a line\nconst RULE: &str = \"---\";\n\
                    #[cfg(test)]\nmod tests {\n    const FLAG: &str = \"--in-a-test\";\n}\n";
        let tree = Tree::of(&[
            ("crates/rut-adapt/src/a.rs", text),
            ("crates/rut-adapt/tests/a.rs", text),
            ("crates/rut-cli/src/a.rs", text),
            ("crates/rut-study/src/sweep/slurm.rs", text),
        ]);
        let found = find(&tree);
        let lines: Vec<_> = found.iter().map(|f| (f.path.as_str(), f.line)).collect();
        assert_eq!(lines, [("crates/rut-adapt/src/a.rs", 3)]);
        assert!(
            found[0].message.contains("`val_shots`"),
            "{}",
            found[0].message
        );
    }
}
