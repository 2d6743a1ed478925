//! A folder to fetch into, and what is in it.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "not every test program that includes this module uses all of it"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rut_fetch::{Digests, Job};
use tempfile::TempDir;

use crate::loopback::DEADLINE;

/// A folder to fetch into.
pub(crate) struct Home {
    /// All of it.
    pub(crate) folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A path below the data folder.
    pub(crate) fn data(&self, path: &str) -> PathBuf {
        self.folder.path().join("data").join(path)
    }

    /// A path below the folder of networks.
    pub(crate) fn checkpoints(&self, path: &str) -> PathBuf {
        self.folder.path().join("checkpoints").join(path)
    }

    /// What files were.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.folder.path().join("LOCK.json")
    }
}

/// The names in a folder, in order.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Waits until the file at `path` has `bytes` bytes.
pub(crate) fn wait_for(path: &Path, bytes: u64) {
    let start = Instant::now();
    while fs::metadata(path).map_or(0, |there| there.len()) < bytes {
        assert!(start.elapsed() < DEADLINE, "{} stays short", path.display());
        thread::sleep(Duration::from_millis(5));
    }
}

/// A safetensors file of one array, `fc.weight`.
pub(crate) fn safetensors() -> Vec<u8> {
    let header = r#"{"fc.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend([1_f32, 2.0, 3.0, 4.0].iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

/// The digests of `bytes`.
pub(crate) fn digests(bytes: &[u8]) -> Digests {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    fs::write(&path, bytes).unwrap();
    Digests::of(&path, &Job::default()).unwrap()
}
