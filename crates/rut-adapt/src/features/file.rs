//! A finished file of the feature cache: safetensors with `features` [n, width] and `logits` [n, classes], f32 or f16, and
//! the key in its metadata, after the file's own checksum. `cache` names the files.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rut_formats::check_header;
use rut_formats::seal::{self, Seal};
use rut_models::{Stored, safetensors_bytes};
use rut_record::FeatureType;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use super::{Extracted, FeatureMatrix};
use crate::error::{Error, Result};

/// The metadata entry that holds the key.
const KEY: &str = "rut.features";

/// How many rows of which lengths a file must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureShape {
    /// Number of images.
    pub images: usize,
    /// Number of features of an image.
    pub width: usize,
    /// Number of source classes.
    pub classes: usize,
    /// The precision that they are kept in.
    pub kept: FeatureType,
}

/// The bytes of a file.
pub(super) fn to_bytes(all: &Extracted, key: &str) -> Result<Vec<u8>> {
    let failed = |error: safetensors::SafeTensorError| Error::TrainingState {
        field: "features".into(),
        expected: "tensors that can be written".into(),
        found: error.to_string(),
    };
    let parts = [("features", &all.features), ("logits", &all.logits)];
    let stored = parts.map(|(name, matrix)| {
        let shape = vec![matrix.len(), matrix.width()];
        let bytes = matrix.bytes_from(0);
        (name, Stored::bytes(dtype(matrix.kept()), shape, bytes))
    });
    let text = format!("{}{key}", seal::open());
    let mut bytes = safetensors_bytes(stored, KEY, &text).map_err(failed)?;
    seal::close(&mut bytes);
    Ok(bytes)
}

/// What is in a file, if it is whole, of `shape`, and its key `is` the right one.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn from_bytes(
    bytes: &[u8],
    is: impl Fn(&str) -> bool,
    shape: FeatureShape,
) -> std::result::Result<(Extracted, Seal), &'static str> {
    let seal = seal::check(bytes);
    if seal == Seal::Broken {
        return Err("is not what was written: its checksum is another");
    }
    let fitting = fitting(bytes, is, shape).ok_or("does not fit its key")?;
    Ok((fitting, seal))
}

fn fitting(bytes: &[u8], is: impl Fn(&str) -> bool, shape: FeatureShape) -> Option<Extracted> {
    check_header(bytes).ok()?;
    let (_, header) = SafeTensors::read_metadata(bytes).ok()?;
    let text = header.metadata().as_ref()?.get(KEY)?;
    // Earlier versions wrote the key alone.
    let own = seal::find(text)
        .and_then(|seal| text.strip_prefix(seal))
        .unwrap_or(text);
    let file = SafeTensors::deserialize(bytes).ok()?;
    let matrix = |name: &str, width: usize| {
        let view = file.tensor(name).ok()?;
        let fits = view.shape() == [shape.images, width] && view.dtype() == dtype(shape.kept);
        let mut matrix = FeatureMatrix::new(width, shape.kept);
        matrix.push_bytes(view.data());
        fits.then_some(matrix)
    };
    let all = Extracted {
        features: matrix("features", shape.width)?,
        logits: matrix("logits", shape.classes)?,
    };
    is(own).then_some(all)
}

fn dtype(kept: FeatureType) -> Dtype {
    match kept {
        FeatureType::F32 => Dtype::F32,
        FeatureType::F16 => Dtype::F16,
    }
}

/// Deletes a file; another process may have been faster.
pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(path)(error)),
        _ => Ok(()),
    }
}

/// An error of the cache that names its file.
pub(super) fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Cache { path, source }
}
