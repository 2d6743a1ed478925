//! Traces of the machine that something was written on: a path or a host that nobody else has.

use super::finding::Finding;
use crate::tree::Tree;

/// Written in halves, so that this file passes its own check.
const TRACES: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/fa", "rm/"),
    concat!("/tmp/bash", "_jobs"),
    concat!("arti", "factory"),
];

/// Findings of this check. Binary files are searched too: a header may name a path.
pub(super) fn find(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in &tree.files {
        for trace in TRACES {
            for at in positions(&file.bytes, trace.as_bytes()) {
                let line = 1 + file.bytes[..at]
                    .iter()
                    .filter(|byte| **byte == b'\n')
                    .count();
                let message = format!(
                    "`{trace}` is a trace of one machine: write a relative path, or the public address"
                );
                found.push(Finding::new(&file.path, line, message));
            }
        }
    }
    found
}

fn positions<'a>(bytes: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    bytes
        .windows(needle.len())
        .enumerate()
        .filter(move |(_, window)| *window == needle)
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::TreeFile;

    #[test]
    fn paths_and_hosts_are_found_in_any_file() {
        let sample = format!("fine\nsee {}a\nand {}.example\n", TRACES[0], TRACES[3]);
        let mut binary = vec![0xff, b'\n'];
        binary.extend_from_slice(TRACES[2].as_bytes());
        let tree = Tree {
            files: vec![
                TreeFile::new("a.md", sample),
                TreeFile::new("b.bin", binary),
            ],
        };
        let places: Vec<_> = find(&tree).into_iter().map(|f| (f.path, f.line)).collect();
        assert_eq!(
            places,
            [
                ("a.md".to_owned(), 2),
                ("a.md".to_owned(), 3),
                ("b.bin".to_owned(), 2)
            ]
        );
    }
}
