//! Invariant 4: only `rut-cli` and `xtask` know clap, the terminal and exit codes; only `rut-fetch` knows the
//! network.

use super::finding::Finding;
use super::restricted::{self, Restricted};
use crate::rust_text::{find_words, line_of};
use crate::tree::Tree;

const RESTRICTED: &[Restricted] = &[
    Restricted {
        packages: &[
            "clap",
            "clap_complete",
            "clap_mangen",
            "indicatif",
            "anyhow",
            "eyre",
            "signal-hook",
            "ctrlc",
            "tracing-subscriber",
            "crossterm",
            "console",
            "terminal_size",
            "is-terminal",
        ],
        homes: &["rut-cli", "xtask"],
        remedy: "return an error or emit an event, and let rut-cli show it",
    },
    Restricted {
        packages: &[
            "ureq",
            "reqwest",
            "hyper",
            "curl",
            "attohttpc",
            "minreq",
            "isahc",
            "hf-hub",
            "native-tls",
            "rustls",
        ],
        homes: &["rut-fetch"],
        remedy: "read files from the disk, and let `rut fetch` put them there",
    },
];

/// A word of the standard library that is at home in a few crates.
struct Word {
    word: &'static str,
    homes: &'static [&'static str],
    remedy: &'static str,
}

const WORDS: &[Word] = &[
    Word {
        word: "process::exit",
        homes: &["rut-cli", "xtask"],
        remedy: "only rut-cli knows exit codes: return an error",
    },
    Word {
        word: "IsTerminal",
        homes: &["rut-cli", "xtask"],
        remedy: "only rut-cli knows the terminal: emit an event",
    },
    Word {
        word: "std::net",
        homes: &["rut-fetch"],
        remedy: "only rut-fetch knows the network",
    },
];

/// Findings of this check.
pub(super) fn find(tree: &Tree) -> Vec<Finding> {
    let mut found = restricted::find(tree, RESTRICTED, &[]);
    for (file, masked) in tree.shipped() {
        let owner = file.package_name().unwrap_or_default();
        for Word { word, remedy, .. } in WORDS.iter().filter(|word| !word.homes.contains(&owner)) {
            for at in find_words(&masked.shipped, word) {
                let message = format!("`{word}` in `{owner}`: {remedy}");
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
    fn packages_of_the_terminal_and_the_network_have_homes() {
        let network = "[dependencies]\nureq.workspace = true\n";
        let all = "[dependencies]\nclap.workspace = true\nanyhow.workspace = true\nureq.workspace = true\n";
        let tree = Tree::of(&[
            ("crates/rut-study/Cargo.toml", all),
            ("crates/rut-cli/Cargo.toml", all),
            ("crates/rut-fetch/Cargo.toml", network),
            (
                "xtask/Cargo.toml",
                "[dependencies]\nclap.workspace = true\nanyhow.workspace = true\n",
            ),
        ]);
        let mut places: Vec<_> = find(&tree).into_iter().map(|f| (f.path, f.line)).collect();
        places.sort();
        let study = "crates/rut-study/Cargo.toml".to_owned();
        let expected = [
            ("crates/rut-cli/Cargo.toml".to_owned(), 4),
            (study.clone(), 2),
            (study.clone(), 3),
            (study, 4),
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn exit_codes_and_sockets_are_found_in_source() {
        let socket = "//! x\nuse std::net::TcpStream;\n";
        let exit = "fn f() { std::process::exit(2) }\n";
        let text = &[socket, exit].concat();
        let tree = Tree::of(&[
            ("crates/rut-study/src/a.rs", text),
            ("xtask/src/a.rs", exit),
            ("crates/rut-fetch/src/a.rs", socket),
        ]);
        let mut lines: Vec<_> = find(&tree).into_iter().map(|f| f.line).collect();
        lines.sort_unstable();
        assert_eq!(lines, [2, 3]);
    }
}
