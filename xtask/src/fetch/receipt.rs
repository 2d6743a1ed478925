//! What `fetch-data` put where, written once it is there: the proof that a folder is whole.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::digest::{Digests, Expected};

/// The first line of the file, with its version.
const FORMAT: &str = "rut fetch-data receipt 1";

/// A receipt for one archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    /// What the archive was.
    pub(super) digests: Digests,
    /// Paths that were unpacked, below the folder they went to.
    pub(super) members: Vec<String>,
}

impl Receipt {
    /// Reads the receipt at `path`; `None` if there is none, or one that this program did not write.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        // The last line is whole only if the file is.
        let mut lines = text.strip_suffix('\n')?.lines();
        if lines.next()? != FORMAT {
            return None;
        }
        let md5 = lines.next()?.strip_prefix("md5 ")?.to_owned();
        let sha256 = lines.next()?.strip_prefix("sha256 ")?.to_owned();
        Some(Self {
            digests: Digests { md5, sha256 },
            members: lines.map(str::to_owned).collect(),
        })
    }

    /// Writes it under a temporary name and renames it.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        if let Some(name) = self.members.iter().find(|name| name.contains('\n')) {
            bail!(
                "refused `{}`: a line break in a file name",
                name.escape_default()
            );
        }
        let Digests { md5, sha256 } = &self.digests;
        let mut text = format!("{FORMAT}\nmd5 {md5}\nsha256 {sha256}\n");
        for member in &self.members {
            text.push_str(member);
            text.push('\n');
        }
        let temporary = path.with_extension("receipt.new");
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&temporary)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&temporary, path)
        };
        write().with_context(|| format!("failed to write {}", path.display()))
    }

    /// Whether it is for what is expected today, and everything that it lists is still in `folder`.
    pub(super) fn holds(&self, expected: &Expected<'_>, folder: &Path) -> bool {
        self.digests.objection(expected).is_none()
            && self
                .members
                .iter()
                .all(|member| folder.join(member).exists())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_read_back_and_holds_while_the_files_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip.receipt");
        let digests = Digests {
            md5: "0a".to_owned(),
            sha256: "0b".to_owned(),
        };
        let receipt = Receipt {
            digests,
            members: vec!["a".to_owned(), "a/b c".to_owned()],
        };
        receipt.write(&path).unwrap();
        assert_eq!(Receipt::read(&path), Some(Receipt { ..receipt }));
        let read = Receipt::read(&path).unwrap();
        let expected = Expected {
            md5: Some("0A"),
            sha256: None,
        };
        assert!(!read.holds(&expected, folder.path()));
        fs::create_dir_all(folder.path().join("a/b c")).unwrap();
        assert!(read.holds(&expected, folder.path()));
        assert!(!read.holds(
            &Expected {
                md5: Some("0c"),
                sha256: None
            },
            folder.path()
        ));
    }

    #[test]
    fn half_a_receipt_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r");
        for text in [
            "",
            "something else\n",
            "rut fetch-data receipt 1\nmd5 0\nsha256 0\nhalf-a-na",
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(Receipt::read(&path), None, "{text}");
        }
    }
}
