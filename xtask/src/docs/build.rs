//! Runs rustdoc, and writes the generated sections into the files of the checkout.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};

use super::section::refresh;
use crate::tree::Tree;

/// Writes the generated sections, says which files changed, and builds the documentation.
///
/// # Errors
/// As [`write_sections`] and [`build`].
pub fn run(root: &Path) -> Result<()> {
    for path in write_sections(root)? {
        eprintln!("wrote {path}");
    }
    build(root)
}

/// Builds the documentation of the workspace; any warning is an error.
///
/// # Errors
/// If rustdoc has something to say.
pub fn build(root: &Path) -> Result<()> {
    let status = crate::cargo::command()
        .args(["doc", "--no-deps", "--workspace"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .current_dir(root)
        .status()
        .context("failed to start cargo")?;
    ensure!(
        status.success(),
        "`RUSTDOCFLAGS=\"-D warnings\" cargo doc --no-deps --workspace` failed"
    );
    Ok(())
}

/// Writes every generated section again and names the files that changed.
///
/// # Errors
/// If a marker is wrong, or a file cannot be read or written.
pub fn write_sections(root: &Path) -> Result<Vec<String>> {
    let mut changed = Vec::new();
    for file in Tree::read(root)?
        .files
        .iter()
        .filter(|file| file.path.ends_with(".md"))
    {
        let Some(text) = file.text() else { continue };
        let fresh = refresh(text).map_err(|why| anyhow!("{}: {why}", file.path))?;
        if fresh != text {
            fs::write(root.join(&file.path), fresh)
                .with_context(|| format!("failed to write {}", file.path))?;
            changed.push(file.path.clone());
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::docs::{END, opening};

    #[test]
    fn sections_are_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let git = Command::new("git")
            .args(["init", "--quiet"])
            .current_dir(folder.path())
            .status();
        assert!(git.unwrap().success());
        let readme = folder.path().join("README.md");
        fs::write(
            &readme,
            format!("# rut\n\n{}\n{END}\n", opening("datasets")),
        )
        .unwrap();
        assert_eq!(write_sections(folder.path()).unwrap(), ["README.md"]);
        assert!(
            fs::read_to_string(&readme)
                .unwrap()
                .contains("| `digits` |")
        );
        assert_eq!(write_sections(folder.path()).unwrap(), [""; 0]);
        fs::write(
            folder.path().join("a.md"),
            format!("{}\n", opening("moons")),
        )
        .unwrap();
        let error = write_sections(folder.path()).unwrap_err().to_string();
        assert!(
            error.starts_with("a.md: no generated section is called `moons`"),
            "{error}"
        );
    }
}
