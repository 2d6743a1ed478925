//! `LOCK.json`: what every file was when it was first fetched. A publisher that gives an MD5, or nothing, can replace a
//! file unnoticed; this list notices. It belongs to the repository.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::slot::{open_lock, with_ending};

/// Version of the file's format.
const FORMAT: u32 = 1;

/// The file, read anew for each question: another run may have written it.
#[derive(Debug, Clone)]
pub struct LockFile {
    path: PathBuf,
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
        }
    }

    /// What the file called `name` was.
    ///
    /// # Errors
    /// If the list is there and cannot be read.
    pub fn entry(&self, name: &str) -> Result<Option<Entry>> {
        Ok(self.read()?.files.remove(name))
    }

    /// Writes down what the file called `name` is, unless that was done before. Other runs may do the same meanwhile.
    ///
    /// # Errors
    /// If the list has it as another file, or cannot be read or written.
    pub fn record(&self, name: &str, entry: Entry) -> Result<Recorded> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)
            .with_context(|| format!("failed to create {}", folder.display()))?;
        let hidden = format!(
            ".{}.lock",
            self.path.file_name().unwrap_or_default().display()
        );
        let alone = open_lock(&folder.join(hidden))?;
        alone
            .lock()
            .with_context(|| format!("failed to lock {}", self.path.display()))?;
        let mut content = self.read()?;
        match content.files.get(name) {
            Some(known) if known.sha256 == entry.sha256 && known.bytes == entry.bytes => {
                return Ok(Recorded::Before);
            }
            Some(known) => bail!(
                "{name} has SHA-256 {} ({} bytes), and {} has it with {} ({} bytes)",
                entry.sha256,
                entry.bytes,
                self.path.display(),
                known.sha256,
                known.bytes
            ),
            None => content.files.insert(name.to_owned(), entry),
        };
        self.write(&content)?;
        Ok(Recorded::Now)
    }

    fn read(&self) -> Result<Content> {
        let path = self.path.display();
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Content {
                    format: FORMAT,
                    files: BTreeMap::new(),
                });
            }
            Err(error) => return Err(error).with_context(|| format!("failed to read {path}")),
        };
        let content: Content = serde_json::from_str(&text).with_context(|| {
            format!("failed to read {path}: restore it from the repository's history")
        })?;
        if content.format != FORMAT {
            let found = content.format;
            bail!("{path} has format {found} and this program knows {FORMAT}: update the program");
        }
        Ok(content)
    }

    fn write(&self, content: &Content) -> Result<()> {
        let temporary = with_ending(&self.path, ".new");
        let write = || -> Result<()> {
            let mut text = serde_json::to_string_pretty(content)?;
            text.push('\n');
            let mut file = File::create(&temporary)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            Ok(fs::rename(&temporary, &self.path)?)
        };
        write().with_context(|| format!("failed to write {}", self.path.display()))
    }
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
            error.contains("SHA-256 22") && error.contains("with 11"),
            "{error}"
        );
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
