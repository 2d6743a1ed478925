//! What is stored in the tree: small files only, and under `data/` and `checkpoints/` nothing but
//! the READMEs, the digests of what was fetched and the quickstart's bundle.

use super::finding::Finding;
use crate::tree::{Tree, TreeFile};

/// The largest tracked file, in bytes.
const LARGEST_FILE: u64 = 3_000_000;

/// The largest bundle, all its files together, in bytes.
const LARGEST_BUNDLE: u64 = 20_000_000;

/// Folders that `rut fetch` and users fill.
const FILLED: &[&str] = &["data/", "checkpoints/"];

/// What of them is stored: whole paths, or beginnings that end in `/` or `_`.
const BUNDLE: &[&str] = &[
    "data/LOCK.json",
    "data/README.md",
    "data/digits/",
    "checkpoints/README.md",
    "checkpoints/resnet20_cifar100_",
    "checkpoints/fair/resnet20_cifar100_",
];

/// Findings of this check.
pub(super) fn find(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut bundle = 0;
    for file in &tree.files {
        let bytes = file.bytes.len() as u64;
        if bytes > LARGEST_FILE {
            let message = format!(
                "{bytes} bytes, more than {LARGEST_FILE}: let `rut fetch` get it, or make it in a test"
            );
            found.push(Finding::new(&file.path, 1, message));
        }
        if FILLED.iter().any(|folder| file.path.starts_with(folder)) {
            bundle += bytes;
            if !is_bundled(file) {
                let message =
                    "not a part of the bundle: data sets and weights are fetched, not stored";
                found.push(Finding::new(&file.path, 1, message));
            }
        }
    }
    if bundle > LARGEST_BUNDLE {
        let message =
            format!("data/ and checkpoints/ hold {bundle} bytes, more than {LARGEST_BUNDLE}");
        found.push(Finding::new("data/README.md", 1, message));
    }
    found
}

fn is_bundled(file: &TreeFile) -> bool {
    BUNDLE.iter().any(|entry| {
        let is_beginning = entry.ends_with(['/', '_']);
        file.path == *entry || (is_beginning && file.path.starts_with(entry))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sized(path: &str, bytes: u64) -> TreeFile {
        TreeFile::new(path, vec![0; usize::try_from(bytes).unwrap()])
    }

    #[test]
    fn large_files_are_found() {
        let tree = Tree {
            files: vec![
                sized("golden/a.bin", LARGEST_FILE + 1),
                sized("golden/b.bin", LARGEST_FILE),
            ],
        };
        let found = find(&tree);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].message.starts_with("3000001 bytes"),
            "{}",
            found[0].message
        );
    }

    #[test]
    fn only_the_bundle_is_stored() {
        let tree = Tree::of(&[
            ("data/README.md", ""),
            ("data/digits/digits.csv", ""),
            ("data/README.md.bak", ""),
            ("data/dtd/a.jpg", ""),
            ("checkpoints/resnet20_cifar100_0_checkpoint.safetensors", ""),
            ("checkpoints/resnet50.safetensors", ""),
        ]);
        let paths: Vec<_> = find(&tree).into_iter().map(|f| f.path).collect();
        assert_eq!(
            paths,
            [
                "data/README.md.bak",
                "data/dtd/a.jpg",
                "checkpoints/resnet50.safetensors"
            ]
        );
    }

    #[test]
    fn the_bundle_is_small() {
        // Each as large as a file may be, and together one byte too many.
        let count = LARGEST_BUNDLE.div_ceil(LARGEST_FILE);
        let paths: Vec<String> = (0..count).map(|at| format!("data/digits/{at}")).collect();
        let mut left = LARGEST_BUNDLE + 1;
        let mut files = Vec::new();
        for path in &paths {
            let bytes = left.min(LARGEST_FILE);
            left -= bytes;
            files.push(sized(path, bytes));
        }
        let found = find(&Tree { files });
        assert_eq!(found.len(), 1);
        assert!(
            found[0].message.contains("20000001 bytes"),
            "{}",
            found[0].message
        );
    }
}
