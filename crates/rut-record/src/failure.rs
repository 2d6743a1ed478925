//! What is written down of a run that failed: its folder then holds `failure.json`, until it is tried again.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, file};
use crate::run_dir::{RunDir, write_whole};
use crate::sealed;
use crate::spec::RunSpec;
use crate::text_file;
use crate::versioned::parse;

/// Why a run ended without a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// [`Failure::FORMAT_VERSION`].
    pub format_version: u32,
    /// The run's name.
    pub run_id: String,
    /// What was to be run.
    pub spec: RunSpec,
    /// The message, which reads after "failed to".
    pub error: String,
}

impl Failure {
    /// The layout of [`Failure`]; a file of another one is refused.
    pub const FORMAT_VERSION: u32 = 1;

    /// The failure of `spec`, named `run_id`, with `error`.
    pub fn new(run_id: &str, spec: &RunSpec, error: &str) -> Self {
        Self {
            format_version: Self::FORMAT_VERSION,
            run_id: run_id.into(),
            spec: spec.clone(),
            error: error.into(),
        }
    }

    /// What is written down in `dir`, if something is.
    ///
    /// # Errors
    /// If the file is broken, or of another format version.
    pub fn read(dir: &RunDir) -> Result<Option<Self>> {
        let path = dir.failure();
        if !path.exists() {
            return Ok(None);
        }
        let text = text_file::read_json(&path)?;
        let read = sealed::from_bytes(text.into_bytes())
            .and_then(|(text, _)| parse(&text, Self::FORMAT_VERSION));
        let failure = read.map_err(|problem| Error::Broken {
            path: path.clone(),
            problem: format!("{problem}; delete it, or run again"),
        })?;
        Ok(Some(failure))
    }

    /// Writes it down in `dir`, which is made where it is not there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, dir: &RunDir) -> Result<()> {
        let path = dir.failure();
        std::fs::create_dir_all(dir.path()).map_err(file("make the folder", dir.path()))?;
        let text = sealed::to_text(self, 1).map_err(|problem| Error::Broken {
            path: path.clone(),
            problem,
        })?;
        write_whole(&path, text.as_bytes())
    }
}
