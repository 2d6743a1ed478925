//! What was put where, written once it is there: the proof that a folder is whole.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Error as IoError, ErrorKind};
use std::path::Path;

use rut_formats::escape;
use rut_formats::whole_file::write_whole;

use crate::digest::{Digests, Expected};
use crate::error::{Result, file};
use crate::unpack::{Content, Contents};

/// The first line of the file, with its version. A receipt of another version is none: version 1 did not know the files.
const FORMAT: &str = "rut fetch-data receipt 2";

/// A receipt for one archive.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// What the archive was.
    pub(crate) digests: Digests,
    /// The files that were unpacked, below the folder they went to.
    pub(crate) contents: Contents,
}

impl Receipt {
    /// Reads the receipt at `path`; `None` if there is none, or one that this program did not write.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        // The last line is whole only if the file is.
        let mut lines = text.strip_suffix('\n')?.lines();
        if lines.next()? != FORMAT {
            return None;
        }
        let digests = Digests {
            md5: lines.next()?.strip_prefix("md5 ")?.to_owned(),
            sha256: lines.next()?.strip_prefix("sha256 ")?.to_owned(),
            bytes: lines.next()?.strip_prefix("bytes ")?.parse().ok()?,
        };
        let contents = lines.map(content).collect::<Option<_>>()?;
        Some(Self { digests, contents })
    }

    /// Writes it under a temporary name and renames it.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        if let Some(name) = self
            .contents
            .keys()
            .find(|name| name.contains(['\n', '\r']))
        {
            let why = format!("refused `{}`: a line break in a file name", escape(name));
            return Err(file("write", path)(IoError::new(
                ErrorKind::InvalidData,
                why,
            )));
        }
        let Digests { md5, sha256, bytes } = &self.digests;
        let mut text = format!("{FORMAT}\nmd5 {md5}\nsha256 {sha256}\nbytes {bytes}\n");
        for (name, content) in &self.contents {
            text.push_str(&format!("{} {} {name}\n", content.bytes, content.sha256));
        }
        write_whole(path, text.as_bytes()).map_err(file("write", path))
    }

    /// Whether it is for what is expected today, and what it lists is still in `folder` as far down as the second level:
    /// a look that costs nothing. [`findings`](Self::findings) looks at everything.
    pub(crate) fn holds(&self, expected: &Expected<'_>, folder: &Path) -> bool {
        let is_there = |name: &str| match self.contents.get(name) {
            Some(content) => is_file_of(&folder.join(name), content.bytes),
            None => folder.join(name).is_dir(),
        };
        let names: BTreeSet<&str> = self.contents.keys().flat_map(|name| tops(name)).collect();
        self.digests.objection(expected).is_none() && names.into_iter().all(is_there)
    }

    /// What is missing or altered of what it lists, in words; `at` gets the number of bytes read, and may stop it.
    ///
    /// # Errors
    /// If a file cannot be read, and those of `at`.
    pub(crate) fn findings(
        &self,
        folder: &Path,
        at: &dyn Fn(u64) -> Result<()>,
    ) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut bytes = 0;
        for (name, content) in &self.contents {
            let path = folder.join(name);
            at(bytes)?;
            let difference = difference(&path, content, &|read| at(bytes + read))?;
            found.extend(difference.map(|what| format!("{}: {what}", escape(&path).whole())));
            bytes += content.bytes;
        }
        at(bytes)?;
        Ok(found)
    }

    /// Bytes of all files that it lists.
    pub(crate) fn bytes(&self) -> u64 {
        self.contents.values().map(|content| content.bytes).sum()
    }
}

/// `BYTES SHA256 NAME`.
fn content(line: &str) -> Option<(String, Content)> {
    let (bytes, rest) = line.split_once(' ')?;
    let (sha256, name) = rest.split_once(' ')?;
    let content = Content {
        bytes: bytes.parse().ok()?,
        sha256: sha256.to_owned(),
    };
    Some((name.to_owned(), content))
}

/// The first two levels of a path.
fn tops(name: &str) -> impl Iterator<Item = &str> {
    let mut ends: Vec<usize> = name.match_indices('/').map(|(at, _)| at).collect();
    ends.push(name.len());
    ends.into_iter().take(2).filter_map(|end| name.get(..end))
}

fn is_file_of(path: &Path, bytes: u64) -> bool {
    fs::metadata(path).is_ok_and(|there| there.is_file() && there.len() == bytes)
}

/// How the file at `path` differs from what was unpacked.
fn difference(
    path: &Path,
    content: &Content,
    at: &dyn Fn(u64) -> Result<()>,
) -> Result<Option<String>> {
    let length = match fs::metadata(path) {
        Ok(there) if there.is_file() => there.len(),
        Ok(_) => return Ok(Some("not a file any more".to_owned())),
        Err(error) if is_absence(&error) => return Ok(Some("missing".to_owned())),
        Err(error) => return Err(file("read", path)(error)),
    };
    let expected = content.bytes;
    if length != expected {
        let how = if length < expected {
            "too short"
        } else {
            "too long"
        };
        return Ok(Some(format!(
            "{how}: {length} bytes, and {expected} were unpacked"
        )));
    }
    let sha256 = Digests::watched(path, at)?.sha256;
    let altered = sha256 != content.sha256;
    Ok(altered.then(|| {
        format!(
            "altered: SHA-256 {sha256}, and {} was unpacked",
            content.sha256
        )
    }))
}

/// A file is also missing where a folder of its path has become a file.
fn is_absence(error: &IoError) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::job::Job;

    fn digests() -> Digests {
        Digests {
            md5: "0a".to_owned(),
            sha256: "0b".to_owned(),
            bytes: 9,
        }
    }

    /// A folder with the files that the receipt lists.
    fn unpacked() -> (tempfile::TempDir, Receipt) {
        let folder = tempfile::tempdir().unwrap();
        let mut contents = Contents::new();
        for name in ["a/b c/d/e", "a/f", "g"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, name).unwrap();
            let Digests { bytes, sha256, .. } = Digests::of(&path, &Job::default()).unwrap();
            contents.insert(name.to_owned(), Content { bytes, sha256 });
        }
        let digests = digests();
        (folder, Receipt { digests, contents })
    }

    #[test]
    fn a_receipt_is_read_back_and_holds_while_the_files_are_there() {
        let (folder, receipt) = unpacked();
        let path = folder.path().join("a.zip.receipt");
        receipt.write(&path).unwrap();
        let read = Receipt::read(&path).unwrap();
        assert_eq!(read, receipt);
        let md5 = |md5| Expected {
            md5: Some(md5),
            ..Expected::default()
        };
        assert!(read.holds(&md5("0A"), folder.path()));
        assert!(!read.holds(&md5("0c"), folder.path()));
        fs::remove_dir_all(folder.path().join("a/b c")).unwrap();
        assert!(!read.holds(&md5("0A"), folder.path()));
    }

    #[test]
    fn every_difference_is_a_finding() {
        let (folder, receipt) = unpacked();
        let findings = || receipt.findings(folder.path(), &|_| Ok(())).unwrap();
        assert_eq!(findings(), Vec::<String>::new());
        fs::write(folder.path().join("a/b c/d/e"), "a/b c/d/E").unwrap();
        fs::write(folder.path().join("a/f"), "a").unwrap();
        fs::remove_file(folder.path().join("g")).unwrap();
        let found = findings();
        let expected = [
            "e: altered: SHA-256 ",
            "f: too short: 1 bytes, and 3",
            "g: missing",
        ];
        assert_eq!(found.len(), 3, "{found:?}");
        for (line, part) in found.iter().zip(expected) {
            assert!(line.contains(part), "{line}");
        }
    }

    #[test]
    fn a_look_at_the_files_ends_between_two_of_them() {
        let (folder, receipt) = unpacked();
        let at = |bytes| match bytes {
            7.. => Err(Error::Interrupted),
            _ => Ok(()),
        };
        let error = receipt.findings(folder.path(), &at).unwrap_err();
        assert!(matches!(error, Error::Interrupted));
    }

    #[test]
    fn half_a_receipt_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r");
        for text in [
            "",
            "something else\n",
            "rut fetch-data receipt 1\nmd5 0\nsha256 0\na\n",
            "rut fetch-data receipt 2\nmd5 0\nsha256 0\nbytes 7\n1 00 half-a-na",
            "rut fetch-data receipt 2\nmd5 0\nsha256 0\nbytes 7\nx 00 a\n",
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(Receipt::read(&path), None, "{text}");
        }
    }
}
