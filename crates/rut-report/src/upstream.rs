//! Which networks of a folder of results were measured on their own source data. How they are measured is the crate's
//! `upstream`.

use std::path::{Path, PathBuf};

use rut_record::{Masking, UpstreamRecord};

use crate::network::NetworkKey;
use crate::unread::Unread;

/// The network that `record` is about.
pub(crate) fn key(record: &UpstreamRecord) -> NetworkKey {
    NetworkKey {
        model: record.model.clone(),
        checkpoint: record.checkpoint.clone(),
        mask: record.mask.clone(),
        dropped: record.masking == Masking::Dropped,
    }
}

/// The records in `results`, by file name, and what of them could not be read; none where nothing was measured.
pub(crate) fn read(results: &Path) -> (Vec<UpstreamRecord>, Vec<Unread>) {
    let folder = results.join("upstream");
    let (mut records, mut unread) = (Vec::new(), Vec::new());
    if !folder.is_dir() {
        return (records, unread);
    }
    let paths = match files_in(&folder) {
        Ok(paths) => paths,
        // That it cannot be opened is told with the other folders of `results`.
        Err(_) => return (records, unread),
    };
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match UpstreamRecord::read(&path) {
            Ok(record) => records.push(record),
            Err(error) => unread.push(Unread::new(format!("upstream/{name}"), error)),
        }
    }
    (records, unread)
}

fn files_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    Ok(paths)
}
