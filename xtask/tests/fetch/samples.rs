//! Archives, tables and sessions for the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use rut_data::{Archive, DatasetSpec};
use tempfile::TempDir;
use xtask::fetch::{Digests, FetchOptions, Job, Network, Patience, Session};

/// A tar.gz of these files.
pub(crate) fn tar_gz(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, name, content.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// The digests of `bytes`.
pub(crate) fn digests(bytes: &[u8]) -> Digests {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    fs::write(&path, bytes).unwrap();
    Digests::of(&path, &Job::default()).unwrap()
}

/// A row of a table of archives; its publisher gives an MD5.
pub(crate) fn archive(file: &'static str, bytes: &[u8]) -> Archive {
    Archive {
        url: "http://127.0.0.1:1/never",
        file,
        md5: Some(digests(bytes).md5.leak()),
        sha256: None,
        unpack_into: "sets",
    }
}

/// A row of the table of data sets.
pub(crate) fn spec(name: &'static str, archives: Vec<Archive>) -> DatasetSpec {
    DatasetSpec {
        name,
        archives: archives.leak(),
        ..*rut_data::find("cifar10").unwrap()
    }
}

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

    /// Options that no test waits long for.
    pub(crate) fn options(&self) -> FetchOptions {
        FetchOptions {
            data_dir: self.data(""),
            checkpoints_dir: self.folder.path().join("checkpoints"),
            lock_file: self.folder.path().join("LOCK.json"),
            mirror: None,
            network: Network::Online,
            patience: Patience {
                attempts: 2,
                first_pause: Duration::ZERO,
                longest_pause: Duration::ZERO,
            },
            jobs: 3,
            free_space: None,
        }
    }

    /// A run that takes everything from `mirror`.
    pub(crate) fn session(&self, mirror: &str) -> Session {
        Session::new(FetchOptions {
            mirror: Some(mirror.to_owned()),
            ..self.options()
        })
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
