//! A folder to fetch into, and what is in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rut_fetch::{Digests, FetchOptions, Job, LockFile, Patience, Session};
use tempfile::TempDir;

use crate::loopback::DEADLINE;

/// A folder to fetch into.
pub struct Home {
    /// All of it.
    pub folder: TempDir,
}

#[expect(clippy::new_without_default, reason = "it makes a folder")]
impl Home {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A path below the data folder.
    pub fn data(&self, path: &str) -> PathBuf {
        self.folder.path().join("data").join(path)
    }

    /// A path below the folder of networks.
    pub fn checkpoints(&self, path: &str) -> PathBuf {
        self.folder.path().join("checkpoints").join(path)
    }

    /// What files were.
    pub fn lock_file(&self) -> PathBuf {
        self.folder.path().join("LOCK.json")
    }
}

/// The names in a folder, in order.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Waits until the file at `path` has `bytes` bytes.
pub fn wait_for(path: &Path, bytes: u64) {
    let start = Instant::now();
    while fs::metadata(path).map_or(0, |there| there.len()) < bytes {
        assert!(start.elapsed() < DEADLINE, "{} stays short", path.display());
        thread::sleep(Duration::from_millis(5));
    }
}

/// A safetensors file of one array, `fc.weight`.
pub fn safetensors() -> Vec<u8> {
    let header = r#"{"fc.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend([1_f32, 2.0, 3.0, 4.0].iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

/// The digests of `bytes`.
pub fn digests(bytes: &[u8]) -> Digests {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    fs::write(&path, bytes).unwrap();
    Digests::of(&path, &Job::default()).unwrap()
}

impl Home {
    /// Options that no test waits long for.
    pub fn options(&self) -> FetchOptions {
        FetchOptions {
            data_dir: self.data(""),
            checkpoints_dir: self.checkpoints(""),
            lock: LockFile::at(&self.lock_file()),
            patience: Patience {
                attempts: 2,
                first_pause: Duration::ZERO,
                longest_pause: Duration::ZERO,
            },
            ..FetchOptions::default()
        }
    }

    /// A run that takes everything from `mirror`.
    pub fn session(&self, mirror: &str) -> Session {
        of(FetchOptions {
            mirror: Some(mirror.to_owned()),
            ..self.options()
        })
    }
}

/// A session without an observer.
pub fn of(options: FetchOptions) -> Session {
    Session::new(options, Arc::new(()))
}
