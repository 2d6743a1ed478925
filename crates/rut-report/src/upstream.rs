//! Which networks of a folder of results were measured on their own source data. How they are measured is the crate's
//! `upstream`.

use std::path::Path;

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
    let (mut records, mut unread) = (Vec::new(), Vec::new());
    // That their folder cannot be opened is told with the other folders of `results`.
    for path in UpstreamRecord::files(results).unwrap_or_default() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match UpstreamRecord::read(&path) {
            Ok(record) => records.push(record),
            Err(error) => unread.push(Unread::new(format!("upstream/{name}"), error)),
        }
    }
    (records, unread)
}
