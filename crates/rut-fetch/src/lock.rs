//! `LOCK.json`: what every file was when it was first fetched. A publisher that gives an MD5, or nothing, can replace a
//! file unnoticed; this list notices. One belongs to the repository, and stands in every program built from it.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rut_formats::whole_file::write_whole;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, file};
use crate::slot::open_lock;

/// Version of the file's format.
const FORMAT: u32 = 1;

/// The repository's list, as it was when the program was built.
const SHIPPED: &str = include_str!("../../../data/LOCK.json");

/// The file, read again for each query: another run may have written it.
#[derive(Debug, Clone)]
pub struct LockFile {
    path: PathBuf,
    /// What stands beneath it, in the same form.
    beneath: Option<&'static str>,
}

/// What a file was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// SHA-256 in lowercase hexadecimal.
    pub sha256: String,
    /// Length.
    pub bytes: u64,
    /// Where it came from.
    pub url: String,
}

/// Whether something was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The entry is new.
    Now,
    /// The same file was recorded before.
    Before,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    format: u32,
    files: BTreeMap<String, Entry>,
}

impl LockFile {
    /// The one at `path`, which need not be there.
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            beneath: None,
        }
    }

    /// The one at `path`, which need not be there, over the list that the program was built with: what neither has is
    /// written down at `path`, whose entries win.
    ///
    /// ```
    /// use rut_fetch::LockFile;
    ///
    /// let lock = LockFile::over_shipped("no/such/folder/LOCK.json".as_ref());
    /// assert_eq!(lock.entry("no-such-file.zip")?, None);
    /// # Ok::<(), rut_fetch::Error>(())
    /// ```
    pub fn over_shipped(path: &Path) -> Self {
        Self {
            beneath: Some(SHIPPED),
            ..Self::at(path)
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file called `name` was.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Broken`], if the list is there and cannot be read.
    pub fn entry(&self, name: &str) -> Result<Option<Entry>> {
        match self.read()?.files.remove(name) {
            Some(entry) => Ok(Some(entry)),
            None => self.entry_beneath(name),
        }
    }

    fn entry_beneath(&self, name: &str) -> Result<Option<Entry>> {
        let content = self.beneath.map(|text| self.parse(text)).transpose()?;
        Ok(content.and_then(|mut content| content.files.remove(name)))
    }

    /// Writes down what the file called `name` is, unless that was done before. Other runs may do the same meanwhile.
    ///
    /// # Errors
    /// [`Error::Changed`], if the list has it as another file; [`Error::File`] or [`Error::Broken`], if it cannot be read
    /// or written.
    pub fn record(&self, name: &str, entry: Entry) -> Result<Recorded> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(file("create", folder))?;
        let hidden = format!(
            ".{}.lock",
            self.path.file_name().unwrap_or_default().display()
        );
        let alone = open_lock(&folder.join(hidden))?;
        alone.lock().map_err(file("lock", &self.path))?;
        match self.entry(name)? {
            Some(known) if known.sha256 == entry.sha256 && known.bytes == entry.bytes => {
                Ok(Recorded::Before)
            }
            Some(known) => Err(Error::Changed {
                name: name.to_owned(),
                lock: self.path.clone(),
                expected: known.in_words(),
                found: entry.in_words(),
            }),
            None => {
                let mut content = self.read()?;
                content.files.insert(name.to_owned(), entry);
                self.write(&content)?;
                Ok(Recorded::Now)
            }
        }
    }

    fn read(&self) -> Result<Content> {
        match fs::read_to_string(&self.path) {
            Ok(text) => self.parse(&text),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Content {
                format: FORMAT,
                files: BTreeMap::new(),
            }),
            Err(error) => Err(file("read", &self.path)(error)),
        }
    }

    fn parse(&self, text: &str) -> Result<Content> {
        let broken = |problem| Error::Broken {
            path: self.path.clone(),
            problem,
        };
        let content: Content = serde_json::from_str(text).map_err(|error| {
            broken(format!("{error}; restore it from the repository's history"))
        })?;
        if content.format != FORMAT {
            return Err(broken(format!(
                "expected format {FORMAT}, found {}: update the program",
                content.format
            )));
        }
        Ok(content)
    }

    fn write(&self, content: &Content) -> Result<()> {
        write_json(&self.path, content)
    }
}

impl Entry {
    fn in_words(&self) -> String {
        format!("{} ({} bytes)", self.sha256, self.bytes)
    }
}

/// Writes something down as JSON, whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn write_json(path: &Path, content: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(content).map_err(std::io::Error::other);
    text.and_then(|text| write_whole(path, (text + "\n").as_bytes()))
        .map_err(file("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sha256: &str) -> Entry {
        Entry {
            sha256: sha256.to_owned(),
            bytes: 3,
            url: "https://example.org/a".to_owned(),
        }
    }

    #[test]
    fn the_list_is_sorted_and_stable() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("LOCK.json");
        let lock = LockFile::at(&path);
        assert_eq!(lock.entry("a").unwrap(), None);
        for name in ["b", "a"] {
            assert_eq!(lock.record(name, entry(name)).unwrap(), Recorded::Now);
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.find("\"a\"").unwrap() < text.find("\"b\"").unwrap(),
            "{text}"
        );
        assert_eq!(lock.record("a", entry("a")).unwrap(), Recorded::Before);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(lock.entry("b").unwrap(), Some(entry("b")));
    }

    #[test]
    fn another_file_of_the_same_name_is_an_error_with_both() {
        let folder = tempfile::tempdir().unwrap();
        let lock = LockFile::at(&folder.path().join("LOCK.json"));
        lock.record("a", entry("11")).unwrap();
        let error = lock.record("a", entry("22")).unwrap_err().to_string();
        assert!(
            error.contains("expected SHA-256 11 ") && error.contains("found 22 "),
            "{error}"
        );
    }

    #[test]
    fn what_stands_beneath_is_known_and_is_not_written_down() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("LOCK.json");
        let beneath = r#"{"format": 1, "files": {"a": {"sha256": "11", "bytes": 3, "url": ""}}}"#;
        let lock = LockFile {
            beneath: Some(beneath),
            ..LockFile::at(&path)
        };
        assert_eq!(lock.record("a", entry("11")).unwrap(), Recorded::Before);
        lock.record("a", entry("22")).unwrap_err();
        assert!(!path.exists());
        assert_eq!(lock.record("b", entry("33")).unwrap(), Recorded::Now);
        let own = LockFile::at(&path);
        assert_eq!(own.entry("a").unwrap(), None);
        own.record("a", entry("22")).unwrap();
        assert_eq!(lock.entry("a").unwrap(), Some(entry("22")));
        LockFile::over_shipped(&path).entry("no-such-file").unwrap();
    }

    #[test]
    fn a_damaged_list_is_an_error_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("LOCK.json");
        for text in [
            "{",
            "{\"format\": 2, \"files\": {}}",
            "{\"format\": 1, \"files\": {}, \"x\": 1}",
        ] {
            fs::write(&path, text).unwrap();
            LockFile::at(&path).record("a", entry("11")).unwrap_err();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn many_writers_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let lock = LockFile::at(&folder.path().join("LOCK.json"));
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let lock = &lock;
                scope.spawn(move || {
                    for at in 0..5 {
                        lock.record(&format!("{writer}.{at}"), entry("11")).unwrap();
                    }
                });
            }
        });
        assert_eq!(lock.read().unwrap().files.len(), 20);
    }
}
