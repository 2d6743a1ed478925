//! The files of the checkout as the checks see them: a path, the bytes, and for Rust the masked text.
//! Not a file system: a check never opens anything itself, so a test can hand it two lines of bad text.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::rust_text::Masked;

/// One file of the checkout.
#[derive(Debug, Clone)]
pub struct TreeFile {
    /// Path from the repository root, with `/` between its parts.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
    /// The content with strings and comments blanked, for `.rs` files.
    pub rust: Option<Masked>,
}

impl TreeFile {
    /// A file at `path` holding `bytes`.
    pub fn new(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let (path, bytes) = (path.into(), bytes.into());
        let rust = match std::str::from_utf8(&bytes) {
            Ok(text) if path.ends_with(".rs") => Some(Masked::new(text)),
            _ => None,
        };
        Self { path, bytes, rust }
    }

    /// The content, where it is UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The package folder (`crates/rut-data`, `xtask`) that the file belongs to.
    pub fn package(&self) -> Option<&str> {
        if self.path.starts_with("xtask/") {
            return Some("xtask");
        }
        let rest = self.path.strip_prefix("crates/")?;
        let name = rest.split('/').next()?;
        (rest.len() > name.len()).then(|| &self.path[.."crates/".len() + name.len()])
    }

    /// The name of the package folder: `rut-data`, `xtask`.
    pub fn package_name(&self) -> Option<&str> {
        self.package()
            .map(|folder| folder.rsplit('/').next().unwrap_or(folder))
    }

    /// Whether this is code that ships: under `src/`, of another package than that of tests alone, and not a file of tests.
    pub fn is_shipped_source(&self) -> bool {
        let in_src = self
            .package()
            .and_then(|folder| self.path.strip_prefix(folder))
            .is_some_and(|rest| rest.starts_with("/src/"));
        let for_tests = self.package_name() == Some("rut-testkit");
        in_src
            && !for_tests
            && self.rust.is_some()
            && !self.path.contains("/tests/")
            && self.name() != "tests.rs"
    }
}

/// Every file that git tracks or would track.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// In the order of their paths.
    pub files: Vec<TreeFile>,
}

impl Tree {
    /// Reads what `git ls-files` lists under `root`, untracked files that are not ignored included.
    ///
    /// # Errors
    /// If git cannot list the files, or one of them cannot be read.
    pub fn read(root: &Path) -> Result<Self> {
        let listing = Command::new("git")
            .args([
                "ls-files",
                "--cached",
                "--others",
                "--exclude-standard",
                "--deduplicate",
                "-z",
            ])
            .current_dir(root)
            .output()
            .context("failed to start git, which lists the files to check")?;
        ensure!(
            listing.status.success(),
            "`git ls-files` failed in {}: {}",
            root.display(),
            String::from_utf8_lossy(&listing.stderr).trim()
        );
        let names = String::from_utf8(listing.stdout).context("a file name is not UTF-8")?;
        let mut files = Vec::new();
        for name in names.split('\0').filter(|name| !name.is_empty()) {
            let path = root.join(name);
            // A file that was removed but is still in the index is no longer part of the tree.
            if path.is_file() {
                let bytes =
                    std::fs::read(&path).with_context(|| format!("failed to read {name}"))?;
                files.push(TreeFile::new(name, bytes));
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// A tree of sample files, for tests of checks.
    pub fn of(samples: &[(&str, &str)]) -> Self {
        let files = samples
            .iter()
            .map(|(path, text)| TreeFile::new(*path, *text))
            .collect();
        Self { files }
    }

    /// The file at `path`.
    pub fn get(&self, path: &str) -> Option<&TreeFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// All Rust files.
    pub fn rust_files(&self) -> impl Iterator<Item = (&TreeFile, &Masked)> {
        self.files
            .iter()
            .filter_map(|file| file.rust.as_ref().map(|masked| (file, masked)))
    }

    /// Rust files that ship: `src/` without test files.
    pub fn shipped(&self) -> impl Iterator<Item = (&TreeFile, &Masked)> {
        self.rust_files()
            .filter(|(file, _)| file.is_shipped_source())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_knows_its_package() {
        let package = |path: &str| TreeFile::new(path, "").package_name().map(str::to_owned);
        assert_eq!(
            package("crates/rut-data/src/lib.rs").as_deref(),
            Some("rut-data")
        );
        assert_eq!(package("xtask/src/main.rs").as_deref(), Some("xtask"));
        assert_eq!(package("crates/README.md"), None);
        assert_eq!(package("README.md"), None);
    }

    #[test]
    fn tests_and_benches_do_not_ship() {
        let ships = |path: &str| TreeFile::new(path, "//! x\n").is_shipped_source();
        assert!(ships("crates/rut-data/src/a/b.rs"));
        assert!(!ships("crates/rut-data/src/a/tests.rs"));
        assert!(!ships("crates/rut-data/tests/a.rs"));
        assert!(!ships("crates/rut-data/benches/a.rs"));
    }
}
