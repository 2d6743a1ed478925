//! Which networks of a folder of results were measured on their own source data. How they are measured is the crate's
//! `upstream`.

use std::path::{Path, PathBuf};

use super::network::NetworkKey;
use crate::error::{Result, file};
use crate::spec::Masking;
use crate::upstream::UpstreamRecord;

/// The network that `record` is about.
pub(crate) fn key(record: &UpstreamRecord) -> NetworkKey {
    NetworkKey {
        model: record.model.clone(),
        checkpoint: record.checkpoint.clone(),
        mask: record.mask.clone(),
        dropped: record.masking == Masking::Dropped,
    }
}

/// The records in `results`, by file name; none where nothing was measured.
///
/// # Errors
/// If one cannot be read.
pub(crate) fn read(results: &Path) -> Result<Vec<UpstreamRecord>> {
    let folder = results.join("upstream");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(&folder).map_err(file("open the folder", &folder))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    paths
        .iter()
        .map(|path| UpstreamRecord::read(path))
        .collect()
}
