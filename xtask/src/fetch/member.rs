//! The name of a file inside an archive, as a path that stays inside the folder it is unpacked into.

use std::path::PathBuf;

use anyhow::{Result, bail};

/// The relative path that `name` means; empty for the archive's own root.
///
/// # Errors
/// If the name is absolute, climbs with `..`, or means something else on another system.
pub(super) fn member_path(name: &str) -> Result<PathBuf> {
    let is_drive =
        name.as_bytes().get(1) == Some(&b':') && name.as_bytes()[0].is_ascii_alphabetic();
    if name.starts_with('/') || is_drive {
        bail!("refused `{name}`: an absolute path");
    }
    if name.contains(['\\', '\0']) {
        bail!(
            "refused `{}`: a path with characters that mean something else elsewhere",
            name.escape_default()
        );
    }
    let mut path = PathBuf::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => bail!("refused `{name}`: it climbs out of its folder"),
            _ => path.push(part),
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_paths() {
        assert_eq!(
            member_path("./a//b/./c.txt").unwrap(),
            PathBuf::from("a/b/c.txt")
        );
        assert_eq!(member_path("a..b/…").unwrap(), PathBuf::from("a..b/…"));
        assert_eq!(member_path("./").unwrap(), PathBuf::new());
    }

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for name in [
            "/etc/passwd",
            "..",
            "../a",
            "a/../../b",
            "a/..",
            "C:/a",
            "C:a",
            "..\\a",
            "\\\\host\\a",
            "a\0b",
        ] {
            let error = member_path(name).unwrap_err().to_string();
            assert!(error.starts_with("refused `"), "{name}: {error}");
        }
    }
}
