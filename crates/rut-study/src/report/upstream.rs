//! Accuracy and calibration of networks on their own source data, where a folder of results holds them in `upstream/`. They
//! are measured elsewhere.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::network::NetworkKey;
use crate::error::{Error, Result, file};
use crate::score::SplitScores;
use crate::spec::Masking;

/// The layout of a file; one of another is refused.
const FORMAT_VERSION: u32 = 1;

/// What a file holds, as far as a report needs it.
#[derive(Deserialize)]
struct UpstreamFile {
    model: String,
    checkpoint: String,
    mask: Option<String>,
    #[serde(default)]
    masking: Masking,
    dataset: String,
    scores: SplitScores,
}

/// A network on its own source data.
pub(crate) struct UpstreamRow {
    /// Which network.
    pub(crate) key: NetworkKey,
    /// Accuracy, with the ends of its interval, 0–1.
    pub(crate) accuracy: (f64, f64, f64),
    /// Expected calibration error, 0–1.
    pub(crate) ece: f64,
    /// Images.
    pub(crate) images: u64,
    /// What they are of.
    pub(crate) dataset: String,
}

/// Those in `results`, by file name; none where nothing was measured.
///
/// # Errors
/// If one cannot be read.
pub(crate) fn read(results: &Path) -> Result<Vec<UpstreamRow>> {
    let folder = results.join("upstream");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(&folder).map_err(file("open the folder", &folder))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    paths.iter().map(|path| row(path)).collect()
}

fn row(path: &Path) -> Result<UpstreamRow> {
    #[derive(Deserialize)]
    struct Version {
        format_version: u32,
    }
    let text = std::fs::read_to_string(path).map_err(file("read", path))?;
    let broken = |problem: String| Error::Broken {
        path: path.into(),
        problem: format!("{problem}; measure it again with `rut upstream`, or delete it"),
    };
    let Version { format_version } =
        serde_json::from_str(&text).map_err(|e| broken(e.to_string()))?;
    if format_version != FORMAT_VERSION {
        return Err(broken(format!(
            "expected format_version {FORMAT_VERSION}, found {format_version}"
        )));
    }
    let found: UpstreamFile = serde_json::from_str(&text).map_err(|e| broken(e.to_string()))?;
    let accuracy = found.scores.intervals.accuracy;
    Ok(UpstreamRow {
        key: NetworkKey {
            model: found.model,
            checkpoint: found.checkpoint,
            mask: found.mask,
            dropped: found.masking == Masking::Dropped,
        },
        accuracy: (accuracy.estimate, accuracy.lo, accuracy.hi),
        ece: found.scores.raw.ece,
        images: found.scores.raw.n,
        dataset: found.dataset,
    })
}
