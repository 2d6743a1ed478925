//! Invariant 6: no globals and no environment variables below `rut-cli`, but for `RUT_ISA` in the kernels.

use super::finding::Finding;
use crate::rust_text::{find_words, line_of};
use crate::tree::Tree;

const ENVIRONMENT: &[&str] = &[
    "env::var",
    "env::var_os",
    "env::vars",
    "env::vars_os",
    "env::set_var",
    "env::remove_var",
];

/// Types that make a `static` change while the program runs.
const CHANGING: &[&str] = &[
    "OnceLock",
    "LazyLock",
    "OnceCell",
    "LazyCell",
    "Mutex",
    "RwLock",
    "UnsafeCell",
    "Atomic",
];

/// The packages on top, which may know the process they run in.
const HOMES: &[&str] = &["rut-cli", "xtask"];

/// Findings of this check.
pub(super) fn find(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, masked) in tree.shipped() {
        let owner = file.package_name().unwrap_or_default();
        if HOMES.contains(&owner) {
            continue;
        }
        let code = masked.shipped.as_str();
        let mut add = |at: usize, message: String| {
            found.push(Finding::new(&file.path, line_of(code, at), message));
        };
        for word in ENVIRONMENT {
            let is_isa = |at: &usize| {
                owner == "rut-kernels"
                    && line_at(&masked.shipped_with_literals, *at).contains("\"RUT_ISA\"")
            };
            for at in find_words(code, word).filter(|at| !is_isa(at)) {
                add(
                    at,
                    format!(
                        "`{word}` below rut-cli: take the value as an argument or a field of a spec"
                    ),
                );
            }
        }
        for at in find_words(code, "thread_local!") {
            add(
                at,
                "`thread_local!` is a global: own the state where it is used and pass it on"
                    .to_owned(),
            );
        }
        for at in find_words(code, "static").filter(|&at| is_changing_static(code, at)) {
            add(at, "a `static` that changes is a global: own the state where it is used and pass it on".to_owned());
        }
    }
    found
}

/// Whether the `static` at `at` is an item, not the lifetime, and can change.
fn is_changing_static(code: &str, at: usize) -> bool {
    if code[..at].ends_with('\'') {
        return false;
    }
    let rest = &code[at..];
    let declaration = &rest[..rest.find(['=', ';']).unwrap_or(rest.len())];
    find_words(declaration, "mut")
        .next()
        .is_some_and(|mutable| declaration[6..mutable].trim().is_empty())
        || CHANGING.iter().any(|word| declaration.contains(word))
}

fn line_at(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    text[start..].lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let mut lines: Vec<_> = find(&Tree::of(&[(path, text)]))
            .into_iter()
            .map(|f| f.line)
            .collect();
        lines.sort_unstable();
        lines
    }

    #[test]
    fn globals_are_found() {
        let text = "//! x\nstatic mut A: u8 = 0;\nstatic B: OnceLock<u8> = OnceLock::new();\n\
                    static C: [&'static str; 1] = [\"c\"];\nthread_local! {}\npub static D: AtomicU64 = x;\n";
        assert_eq!(lines("crates/rut-data/src/a.rs", text), [2, 3, 5, 6]);
        assert!(lines("crates/rut-cli/src/a.rs", text).is_empty());
        assert!(lines("crates/rut-data/tests/a.rs", text).is_empty());
    }

    #[test]
    fn the_environment_is_for_the_top() {
        let text = "//! x\nfn f() {\n    std::env::var(\"RUT_ISA\");\n    std::env::var_os(\"HOME\");\n}\n\
                    const G: &str = env!(\"CARGO_PKG_NAME\");\n";
        assert_eq!(lines("crates/rut-study/src/a.rs", text), [3, 4]);
        assert_eq!(lines("crates/rut-kernels/src/isa.rs", text), [4]);
    }

    #[test]
    fn a_field_or_a_lifetime_is_no_global() {
        let text = "//! x\nstruct A { b: OnceLock<&'static str>, c: Mutex<u8> }\nfn f(mut a: &'static str) {}\n";
        assert!(lines("crates/rut-data/src/a.rs", text).is_empty());
    }
}
