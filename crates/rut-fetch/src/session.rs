//! One run: its options, and what its downloads share.

use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::{FreeSpace, Space};
use crate::error::Error;
use crate::event::{Event, Observer};
use crate::hub::{Hub, Network};
use crate::job::Job;
use crate::lock::LockFile;
use crate::meter::Meter;
use crate::pace::Pace;
use crate::patience::Patience;
use crate::proxy::Proxy;
use crate::stop::Stop;
use crate::summary::FetchStatus;

/// How to fetch.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// Where data sets are kept.
    pub data_dir: PathBuf,
    /// Where networks are kept.
    pub checkpoints_dir: PathBuf,
    /// What every file was when it was first fetched.
    pub lock: LockFile,
    /// Address of a folder that holds every file under its own name, to be used instead of the files' own.
    pub mirror: Option<String>,
    /// The server between this machine and all others, if there is one.
    pub proxy: Option<Proxy>,
    /// The Hugging Face hub.
    pub hub: Hub,
    /// Whether the network may be used.
    pub network: Network,
    /// How often to try again.
    pub patience: Patience,
    /// Files that are fetched at the same time; 0 is 1.
    pub jobs: usize,
    /// Says what the disk has left; `None` asks the system.
    pub free_space: Option<FreeSpace>,
}

impl FetchOptions {
    /// Those that a user's environment names: proxies as [`Proxy::of_variables`] takes them, the hub as
    /// [`Hub::of_variables`]; the rest as by default.
    pub fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        Self {
            proxy: Proxy::of_variables(variable),
            hub: Hub::of_variables(variable),
            ..Self::default()
        }
    }
}

impl Default for FetchOptions {
    /// Into the folders `data` and `checkpoints`, from the publishers, three files at a time.
    fn default() -> Self {
        Self {
            data_dir: "data".into(),
            checkpoints_dir: "checkpoints".into(),
            lock: LockFile::over_shipped("data/LOCK.json".as_ref()),
            mirror: None,
            proxy: None,
            hub: Hub::default(),
            network: Network::Online,
            patience: Patience::default(),
            jobs: 3,
            free_space: None,
        }
    }
}

/// A run.
#[derive(Debug)]
pub struct Session {
    /// How it was asked for.
    pub options: FetchOptions,
    /// When to end it.
    pub stop: Stop,
    observer: Arc<dyn Observer>,
    space: Space,
}

impl Session {
    /// A new session, which reports to `observer`.
    pub fn new(options: FetchOptions, observer: Arc<dyn Observer>) -> Self {
        Self {
            stop: Stop::default(),
            observer,
            space: options.free_space.map_or_else(Space::default, Space::of),
            options,
        }
    }

    /// The share of the file that a person knows as `label`.
    pub fn job(&self, label: &str) -> Job {
        Job {
            patience: self.options.patience,
            pace: Pace::default(),
            proxy: self.options.proxy.clone(),
            stop: self.stop.clone(),
            space: self.space.clone(),
            meter: Meter::new(label, Arc::clone(&self.observer)),
        }
    }

    /// Where to take the file called `name`, which is published at `url`.
    pub(crate) fn address(&self, url: &str, name: &str) -> String {
        match &self.options.mirror {
            Some(mirror) => format!("{}/{name}", mirror.trim_end_matches('/')),
            None => url.to_owned(),
        }
    }

    /// Reports a result.
    pub(crate) fn result(&self, text: &str) {
        self.observer.event(&Event::Result(text));
    }

    /// Reports a note.
    pub(crate) fn note(&self, text: &str) {
        self.observer.event(&Event::Note(text));
    }

    /// Reports that `name` could not be fetched, unless the user asked to stop.
    pub(crate) fn failed(&self, name: &str, error: &Error) -> FetchStatus {
        if !matches!(error, Error::Interrupted) {
            self.note(&format!("{name}: failed to {error}"));
        }
        FetchStatus::Failed
    }
}
