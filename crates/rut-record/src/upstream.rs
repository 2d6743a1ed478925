//! The record of a network on its own source data.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::choices::Masking;
use crate::environment::Environment;
use crate::error::{Error, Result, file};
use crate::run_dir::write_whole;
use crate::score::SplitScores;
use crate::versioned::parse;
use crate::{sealed, text_file};

/// Where records stand in a folder of results.
const FOLDER: &str = "upstream";

/// What is written down of a network on its own source data, in the folder `upstream` of a folder of results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamRecord {
    /// [`UpstreamRecord::FORMAT_VERSION`].
    pub format_version: u32,
    /// Name in the table.
    pub model: String,
    /// SHA-256 of the checkpoint.
    pub checkpoint: String,
    /// SHA-256 of the mask.
    pub mask: Option<String>,
    /// Whether the mask was applied.
    pub masking: Masking,
    /// In which precision it computed, if not in f32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
    /// How the network was trained, in words.
    pub recipe: Option<String>,
    /// Share of non-zero weights over all convolutions and linear layers, 0–1.
    pub density: f64,
    /// The data set, as it was named.
    pub dataset: String,
    /// SHA-256 over pixels and labels of the images.
    pub images_digest: String,
    /// How pixels became the network's input.
    pub preprocessing: String,
    /// The figures.
    pub scores: SplitScores,
    /// What they were made with.
    pub environment: Environment,
}

impl UpstreamRecord {
    /// The layout of an [`UpstreamRecord`]; a file of another one is refused.
    pub const FORMAT_VERSION: u32 = 1;

    /// The files of records among `results`, by name; none where nothing was measured.
    ///
    /// # Errors
    /// If their folder cannot be looked through.
    pub fn files(results: &Path) -> std::io::Result<Vec<PathBuf>> {
        let folder = results.join(FOLDER);
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let entries = std::fs::read_dir(folder)?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
        paths.sort();
        Ok(paths)
    }

    /// The file at `path`.
    ///
    /// # Errors
    /// If it cannot be read, is broken, or is of another format version.
    pub fn read(path: &Path) -> Result<Self> {
        let text = text_file::read_json(path)?;
        let read = sealed::from_bytes(text.into_bytes())
            .and_then(|(text, _)| parse(&text, Self::FORMAT_VERSION));
        read.map_err(|problem| Error::Broken {
            path: path.into(),
            problem: format!("{problem}; measure it again with `rut upstream`, or delete it"),
        })
    }

    /// Writes it into the folder `upstream` of `results`, under a name of its content, and gives the file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, results: &Path) -> Result<PathBuf> {
        let precision = self.precision.as_ref();
        let precision = precision.map_or_else(String::new, |name| format!(" {name}"));
        let identity = format!(
            "{} {} {:?} {:?} {} {}{precision}",
            self.model,
            self.checkpoint,
            self.mask,
            self.masking,
            self.images_digest,
            self.preprocessing
        );
        let hash = rut_data::Digest::of_bytes(identity.as_bytes()).to_string();
        let folder = results.join(FOLDER);
        let path = folder.join(format!("{}-{}.json", self.model, &hash[..10]));
        std::fs::create_dir_all(&folder).map_err(file("make the folder", &folder))?;
        let text = sealed::to_text(self, 1).map_err(|problem| Error::Broken {
            path: path.clone(),
            problem,
        })?;
        write_whole(&path, text.as_bytes())?;
        Ok(path)
    }
}
