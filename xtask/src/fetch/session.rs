//! One run of `fetch-data`: its options, and what its downloads share.

use std::path::PathBuf;

use rut_formats::lines;

use super::disk::{FreeSpace, Space};
use super::job::Job;
use super::lock::LockFile;
use super::pace::Pace;
use super::patience::Patience;
use super::progress::Progress;
use super::stop::Stop;

/// How to fetch.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// Where data sets are kept.
    pub data_dir: PathBuf,
    /// Where networks are kept.
    pub checkpoints_dir: PathBuf,
    /// What every file was when it was first fetched.
    pub lock_file: PathBuf,
    /// Address of a folder that holds every file under its own name, to be used instead of the files' own.
    pub mirror: Option<String>,
    /// Whether the network may be used.
    pub network: Network,
    /// How often to try again.
    pub patience: Patience,
    /// Files that are fetched at the same time; 0 is 1.
    pub jobs: usize,
    /// Says what the disk has left; `None` asks the system.
    pub free_space: Option<FreeSpace>,
}

/// Whether the network may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// It may.
    Online,
    /// Only what is on the disk is used.
    Offline,
}

/// A run.
#[derive(Debug)]
pub struct Session {
    /// How it was asked for.
    pub options: FetchOptions,
    /// When to end it.
    pub stop: Stop,
    /// What a person sees.
    pub progress: Progress,
    pub(super) lock: LockFile,
    space: Space,
}

impl Session {
    /// A run that nothing was done in.
    pub fn new(options: FetchOptions) -> Self {
        Self {
            stop: Stop::default(),
            progress: Progress::new(),
            lock: LockFile::at(&options.lock_file),
            space: options.free_space.map_or_else(Space::default, Space::of),
            options,
        }
    }

    /// The share of the file that a person sees as `label`.
    pub fn job(&self, label: &str) -> Job {
        Job {
            patience: self.options.patience,
            pace: Pace::default(),
            stop: self.stop.clone(),
            space: self.space.clone(),
            meter: self.progress.meter(label),
        }
    }

    /// Where to take the file called `name`, which is published at `url`.
    pub(super) fn address(&self, url: &str, name: &str) -> String {
        match &self.options.mirror {
            Some(mirror) => format!("{}/{name}", mirror.trim_end_matches('/')),
            None => url.to_owned(),
        }
    }

    /// A result, on stdout.
    pub(super) fn print(&self, line: &str) {
        self.progress
            .above(|| println!("{}", lines(line, usize::MAX)));
    }
}
