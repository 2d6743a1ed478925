//! The name of a file inside an archive, as a path that stays inside the folder it is unpacked into.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rut_formats::escape;

/// The relative path that `name` means; empty for the archive's own root.
///
/// # Errors
/// If the name is absolute, climbs with `..`, or means something else on another system.
pub(crate) fn member_path(name: &str) -> Result<PathBuf, String> {
    let is_drive =
        name.as_bytes().get(1) == Some(&b':') && name.as_bytes()[0].is_ascii_alphabetic();
    if name.starts_with('/') || is_drive {
        return Err(format!("refused `{}`: an absolute path", escape(name)));
    }
    if name.contains(['\\', '\0']) {
        return Err(format!(
            "refused `{}`: a path with characters that mean something else elsewhere",
            escape(name)
        ));
    }
    let mut path = PathBuf::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                let name = escape(name);
                return Err(format!("refused `{name}`: it climbs out of its folder"));
            }
            _ => path.push(part),
        }
    }
    Ok(path)
}

/// Whether a member is what a file manager leaves behind unintentionally: `__MACOSX`, `._NAME`, `.DS_Store`.
/// A reader that takes every file of a folder for an image would stumble over it.
pub(crate) fn is_litter(member: &Path) -> bool {
    let is_trace = |part: &OsStr| {
        part == "__MACOSX" || part == ".DS_Store" || part.as_encoded_bytes().starts_with(b"._")
    };
    member.iter().any(is_trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn litter_is_told_from_data() {
        for litter in ["__MACOSX/a/b.jpg", "a/._b.jpg", "a/.DS_Store"] {
            assert!(is_litter(Path::new(litter)), "{litter}");
        }
        for data in ["a/b.jpg", "a/.directory", "a_._b.jpg", "_/b", "MACOSX/b"] {
            assert!(!is_litter(Path::new(data)), "{data}");
        }
    }

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
            let error = member_path(name).unwrap_err();
            assert!(error.starts_with("refused `"), "{name}: {error}");
        }
    }
}
