//! Accuracy and calibration of networks on their own source data, where a folder of results holds them.

use std::path::Path;

use super::network::NetworkKey;
use crate::error::Result;

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

/// Those in `folder`.
///
/// # Errors
/// If one cannot be read.
pub(crate) fn read(_folder: &Path) -> Result<Vec<UpstreamRow>> {
    Ok(Vec::new())
}
