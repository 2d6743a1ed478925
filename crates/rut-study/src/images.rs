//! How a split's pixels become what a network, or a prompt, takes. The arithmetic of resizing is `rut-data`'s.

use rut_data::{
    ColorOrder, Depth, Filter, Geometry, ImageSet, PIXELS_VERSION, Prepared, Transform,
    VALUES_VERSION,
};
use rut_models::{Evaluation, ModelSpec, Normalization};

use crate::error::{Error, Result};
use crate::spec::Method;

/// Transformed images are kept in memory up to this size a split, bytes; larger splits are decoded again in every pass.
const MEMORY_CAP: u64 = 1 << 30;

/// The transform of a run's images, in the reference's order of operations. `image_size` is the side on the canvas
/// (prompting), or before the network's own size (probing), pixels.
pub fn transform(method: Method, model: &ModelSpec, image_size: Option<usize>) -> Transform {
    let side = image_size.map(|side| side as u32);
    match method {
        Method::Vp => {
            Transform::squash(side.unwrap_or(model.input_size), ColorOrder::RgbThenResize)
        }
        Method::Lp => {
            let before = side.map(|side| Geometry::Squash { side });
            let own = Geometry::Squash {
                side: model.input_size,
            };
            Transform {
                geometry: before.into_iter().chain([own]).collect(),
                order: ColorOrder::ResizeThenRgb,
                filter: Filter::Bilinear,
            }
        }
    }
}

/// The transform that a network's published accuracy was measured with: by its weights' name, or the first of the table's
/// (the network's own size without one).
///
/// # Errors
/// If the table knows no such weights of this model.
pub fn evaluation_transform(model: &ModelSpec, weights: Option<&str>) -> Result<Transform> {
    let order = ColorOrder::RgbThenResize;
    let named = model
        .weights
        .iter()
        .find(|known| weights.is_none_or(|name| known.name.eq_ignore_ascii_case(name)));
    if let (None, Some(name)) = (named, weights) {
        let known: Vec<&str> = model.weights.iter().map(|weights| weights.name).collect();
        let expected = format!("weights of {}: {}", model.name, known.join(", "));
        return Err(Error::Field {
            field: "weights",
            expected,
            found: name.into(),
        });
    }
    Ok(match named.map(|known| known.evaluation) {
        Some(Evaluation { resize, crop }) if resize != crop => {
            let geometry = vec![
                Geometry::ShorterSide { side: resize },
                Geometry::CenterCrop { side: crop },
            ];
            Transform {
                geometry,
                order,
                filter: Filter::Bilinear,
            }
        }
        _ => Transform::squash(model.input_size, order),
    })
}

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
