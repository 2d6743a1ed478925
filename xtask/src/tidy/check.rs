//! The table of checks, and how what they find is printed. Not the checks themselves.

use std::path::Path;

use anyhow::{Result, bail};

use super::finding::{Finding, Rule};
use super::{
    arrows, bundle, flags, globals, links, machine, markers, output, records, shape, skips, stale,
    terminal, unsafe_code,
};
use crate::tree::Tree;

/// One row of [`CHECKS`].
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// What the check is called.
    pub name: &'static str,
    /// The rule that its findings break.
    pub rule: Rule,
    /// Looks for them.
    pub find: fn(&Tree) -> Vec<Finding>,
}

/// Every check, in the order in which they run.
pub const CHECKS: &[Check] = &[
    Check {
        name: "unsafe",
        rule: Rule::Invariant(1),
        find: unsafe_code::find,
    },
    Check {
        name: "arrows",
        rule: Rule::Invariant(2),
        find: arrows::find,
    },
    Check {
        name: "records",
        rule: Rule::Invariant(3),
        find: records::find,
    },
    Check {
        name: "terminal and network",
        rule: Rule::Invariant(4),
        find: terminal::find,
    },
    Check {
        name: "output",
        rule: Rule::Invariant(5),
        find: output::find,
    },
    Check {
        name: "flags",
        rule: Rule::Invariant(7),
        find: flags::find,
    },
    Check {
        name: "globals",
        rule: Rule::Invariant(6),
        find: globals::find,
    },
    Check {
        name: "shape",
        rule: Rule::Convention,
        find: shape::find,
    },
    Check {
        name: "markers",
        rule: Rule::Convention,
        find: markers::find,
    },
    Check {
        name: "bundle",
        rule: Rule::Convention,
        find: bundle::find,
    },
    Check {
        name: "machine",
        rule: Rule::Convention,
        find: machine::find,
    },
    Check {
        name: "skips",
        rule: Rule::Convention,
        find: skips::find,
    },
    Check {
        name: "stale",
        rule: Rule::Convention,
        find: stale::find,
    },
    Check {
        name: "links",
        rule: Rule::Convention,
        find: links::find,
    },
];

/// All findings of all checks in `tree`, as lines to print.
pub fn inspect(tree: &Tree) -> Vec<String> {
    let mut lines = Vec::new();
    for check in CHECKS {
        for Finding {
            path,
            line,
            message,
        } in (check.find)(tree)
        {
            lines.push(format!(
                "{path}:{line}: {message} [{}: {}]",
                check.name, check.rule
            ));
        }
    }
    lines
}

/// Checks the checkout at `root`, prints what it finds and fails if that is anything.
///
/// # Errors
/// If a rule is broken, or the files cannot be read.
pub fn run(root: &Path) -> Result<()> {
    let tree = Tree::read(root)?;
    let lines = inspect(&tree);
    for line in &lines {
        eprintln!("{line}");
    }
    match lines.len() {
        0 => println!(
            "tidy: {} checks over {} files, nothing found",
            CHECKS.len(),
            tree.files.len()
        ),
        1 => bail!("tidy found 1 thing to fix"),
        count => bail!("tidy found {count} things to fix"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_place_rule_and_remedy() {
        let tree = Tree::of(&[(
            "crates/rut-data/src/a.rs",
            "//! x\nfn f() {\n    println!();\n}\n",
        )]);
        let lines = inspect(&tree);
        let line = lines.iter().find(|line| line.contains("println!")).unwrap();
        assert!(line.starts_with("crates/rut-data/src/a.rs:3: "), "{line}");
        assert!(
            line.ends_with("[output: invariant 5, ARCHITECTURE.md#invariants]"),
            "{line}"
        );
    }

    #[test]
    fn the_six_invariants_have_a_check_each() {
        for number in 1..=6 {
            assert!(
                CHECKS
                    .iter()
                    .any(|check| check.rule == Rule::Invariant(number)),
                "{number}"
            );
        }
    }
}
