//! Where a run reads and writes, and with how many threads: nothing that a run's figures depend on.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::text_file::toml_problem;

/// Whether a run writes an event file of TensorBoard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tensorboard {
    /// The file is written.
    #[default]
    On,
    /// It writes none; one of an earlier session stays as it is.
    Off,
}

/// Paths and resources of a run. They are no part of its identity.
///
/// ```
/// let locations = rut_record::Locations::from_toml("data_dir = 'images'")?;
/// assert_eq!(locations.results_path.to_str(), Some("results"));
/// # Ok::<(), rut_record::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Locations {
    /// What torchvision calls `root`: it, and its folder named for the data set, are searched.
    pub data_dir: PathBuf,
    /// Runs' folders are made here.
    pub results_path: PathBuf,
    /// Name of the run's folder; left out, the run's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_name: Option<String>,
    /// Extracted features are kept here.
    pub cache_dir: PathBuf,
    /// Maximal size of the cache, GiB.
    pub cache_gib: f64,
    /// Threads; left out, one per core that the process may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// Seconds between two savings of a run's state.
    pub save_every: f64,
    /// Whether an event file for TensorBoard is written.
    pub tensorboard: Tensorboard,
    /// Where the frozen network computes, by its name in the table of devices.
    pub device: String,
}

impl Default for Locations {
    fn default() -> Self {
        Self {
            data_dir: "data".into(),
            results_path: "results".into(),
            run_name: None,
            cache_dir: ".rut-cache".into(),
            cache_gib: 10.0,
            threads: None,
            save_every: 600.0,
            tensorboard: Tensorboard::On,
            device: "cpu".into(),
        }
    }
}

impl Locations {
    /// The locations that a TOML text describes.
    ///
    /// # Errors
    /// If a key is unknown, or a value is of the wrong kind or out of range.
    pub fn from_toml(text: &str) -> Result<Self> {
        let locations: Self = toml::from_str(text).map_err(|e| Error::Spec(toml_problem(&e)))?;
        locations.check()
    }

    fn check(self) -> Result<Self> {
        let refuse =
            |field, expected: &str, found: String| Err(Error::field(field, expected, found));
        if let Some(threads) = self.threads.filter(|threads| !(1..=1024).contains(threads)) {
            return refuse("threads", "1 to 1024", threads.to_string());
        }
        if !(self.cache_gib >= 0.0 && self.cache_gib.is_finite()) {
            return refuse(
                "cache_gib",
                "a size in GiB, 0 or more",
                self.cache_gib.to_string(),
            );
        }
        if Duration::try_from_secs_f64(self.save_every).is_err() {
            return refuse(
                "save_every",
                "seconds, 0 or more",
                self.save_every.to_string(),
            );
        }
        match self.run_name.as_deref() {
            Some(name)
                if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') =>
            {
                refuse(
                    "run_name",
                    "a folder's name without `/`, not starting with `.`",
                    format!("`{name}`"),
                )
            }
            _ => Ok(self),
        }
    }

    /// Maximal size of the cache, bytes.
    pub fn cache_bytes(&self) -> u64 {
        (self.cache_gib * f64::from(1u32 << 30)) as u64
    }

    /// Time between two savings of a run's state.
    pub fn save_interval(&self) -> Duration {
        Duration::try_from_secs_f64(self.save_every).unwrap_or(Duration::MAX)
    }
}
