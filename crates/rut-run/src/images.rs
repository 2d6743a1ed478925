//! A split's images under a transform, and the text that says how pixels became a network's input.
//! For which transform it is, see `transform`.

use rut_data::{Depth, ImageSet, Prepared};
use rut_images::{PIXELS_VERSION, Transform, VALUES_VERSION};
use rut_models::Normalization;

use crate::error::Result;

/// Transformed images are kept in memory up to this size a split, bytes; larger splits are decoded again in every pass.
pub(crate) const MEMORY_CAP: u64 = 1 << 30;

/// The images of `set` under `transform`, in memory if they are small enough.
///
/// # Errors
/// If an image cannot be read.
pub fn prepare(set: &ImageSet, transform: &Transform) -> Result<Prepared> {
    Ok(Prepared::new(set, transform, MEMORY_CAP)?)
}

/// The images of `set` under `transform` for a single pass: they are decoded when their batch is due, and not kept.
///
/// # Errors
/// If the transform is out of range.
pub fn prepare_once(set: &ImageSet, transform: &Transform) -> Result<Prepared> {
    Ok(Prepared::new(set, transform, 0)?)
}

/// A stable text of pixels, transform and normalisation, for records and cache keys.
pub fn describe(depth: Depth, transform: &Transform, normalization: Normalization) -> String {
    let Normalization { mean, std } = normalization;
    let (kind, version) = match depth {
        Depth::Bytes => ("pixels", PIXELS_VERSION),
        Depth::Real => ("real values", VALUES_VERSION),
    };
    format!(
        "{kind} {version}: {}, mean {mean:?}, std {std:?}",
        transform.describe()
    )
}
