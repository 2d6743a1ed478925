//! How images become a network's input: the transform and the normalisation that belong to its
//! weights, by a specification and the table of models. For the arithmetic of resizing, see
//! `rut-data`.

use rut_images::{ColorOrder, Filter, Geometry, Transform};
use rut_models::{Evaluation, ModelSpec, Normalization};
use rut_record::{Adaptation, Interpolation, RunSpec};

use crate::error::{Result, refused};

/// The largest side that images are resized or cropped to, pixels.
const MOST_PIXELS: u32 = 4096;

/// The transform that a network's published accuracy was measured with: by its weights' name, or the first of the table's
/// (the network's own size without one). What the specification says of it is done instead.
///
/// # Errors
/// If the table knows no such weights of this model.
pub fn weights_transform(
    spec: &RunSpec,
    model: &ModelSpec,
    weights: Option<&str>,
) -> Result<Transform> {
    if let Some((resize, crop)) = spec
        .probe()
        .and_then(|probe| Some((probe.resize?, probe.crop?)))
    {
        return Ok(interpolated(spec, middle(Evaluation { resize, crop })));
    }
    let named = model
        .weights
        .iter()
        .find(|known| weights.is_none_or(|name| known.name.eq_ignore_ascii_case(name)));
    if let (None, Some(name)) = (named, weights) {
        let known: Vec<&str> = model.weights.iter().map(|weights| weights.name).collect();
        let expected = format!("weights of {}: {}", model.name, known.join(", "));
        return Err(refused("weights", expected, name));
    }
    Ok(interpolated(
        spec,
        match named.map(|known| known.evaluation) {
            Some(evaluation) if evaluation.resize != evaluation.crop => middle(evaluation),
            _ => Transform::squash(model.input_size, ColorOrder::RgbThenResize),
        },
    ))
}

/// `transform` with the interpolation of `spec`.
pub(crate) fn interpolated(spec: &RunSpec, transform: Transform) -> Transform {
    let filter = match spec.network.interpolation {
        None | Some(Interpolation::Bilinear) => Filter::Bilinear,
        Some(Interpolation::Bicubic) => Filter::Bicubic,
    };
    Transform {
        filter,
        ..transform
    }
}

/// What the input of `model` is normalised by.
pub fn normalization(spec: &RunSpec, model: &ModelSpec) -> Normalization {
    let single = |values: [f64; 3]| values.map(|value| value as f32);
    let Normalization { mean, std } = model.normalization;
    Normalization {
        mean: spec.network.mean.map_or(mean, single),
        std: spec.network.std.map_or(std, single),
    }
}

/// Leaves what is `model`'s own to its default, and says both sides of a resized middle.
pub(crate) fn canonicalize_transform(spec: &mut RunSpec, model: &ModelSpec) {
    let Normalization { mean, std } = model.normalization;
    let other = |own: [f32; 3]| move |given: &[f64; 3]| given.map(|value| value as f32) != own;
    spec.network.mean = spec.network.mean.filter(other(mean));
    spec.network.std = spec.network.std.filter(other(std));
    let interpolation = spec.network.interpolation;
    spec.network.interpolation = interpolation.filter(|&given| given != Interpolation::Bilinear);
    if let Adaptation::Probe(probe) = &mut spec.adaptation
        && (probe.resize.is_some() || probe.crop.is_some())
    {
        let usual = model.weights.first().map(|weights| weights.evaluation);
        let usual = usual.unwrap_or(Evaluation {
            resize: model.input_size,
            crop: model.input_size,
        });
        probe.resize.get_or_insert(usual.resize);
        probe.crop.get_or_insert(usual.crop);
    }
}

/// Whether transform and normalisation are in range.
///
/// # Errors
/// If one is not, or two do not go together.
pub fn check_transform(spec: &RunSpec, model: &ModelSpec) -> Result<()> {
    let outside = |values: Option<[f64; 3]>, inside: fn(f64) -> bool| {
        values.and_then(|values| values.into_iter().find(|&value| !inside(value)))
    };
    if let Some(value) = outside(spec.network.mean, |mean| (0.0..=1.0).contains(&mean)) {
        let expected = "numbers from 0 to 1 (means of bytes divided by 255)";
        return Err(refused("mean", expected, value.to_string()));
    }
    if let Some(value) = outside(spec.network.std, |std| std > 0.0 && std <= 1.0) {
        let expected = "numbers above 0, at most 1 (deviations of bytes divided by 255)";
        return Err(refused("std", expected, value.to_string()));
    }
    let Some(probe) = spec.probe() else {
        return Ok(());
    };
    let (Some(resize), Some(crop)) = (probe.resize, probe.crop) else {
        return Ok(());
    };
    for (field, side) in [("resize", resize), ("crop", crop)] {
        if !(1..=MOST_PIXELS).contains(&side) {
            return Err(refused(field, "1 to 4096 pixels", side.to_string()));
        }
    }
    if crop > resize {
        let expected = format!("at most the {resize} pixels that images are resized to");
        return Err(refused("crop", &expected, crop.to_string()));
    }
    if probe.first_resize.is_some() {
        return Err(refused("image_size", "it or `resize` and `crop`", "both"));
    }
    let side = crop as usize;
    let graph = (model.graph)(1);
    graph.shapes([3, side, side]).map(drop).map_err(|error| {
        let expected = format!("a side that {} can take ({error})", model.name);
        refused("crop", &expected, crop.to_string())
    })
}

/// The shorter side resized, then the middle.
pub(crate) fn middle(Evaluation { resize, crop }: Evaluation) -> Transform {
    Transform {
        geometry: vec![
            Geometry::ShorterSide { side: resize },
            Geometry::CenterCrop { side: crop },
        ],
        ..Transform::squash(1, ColorOrder::RgbThenResize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adaptation::transform;
    use crate::canonicalize::canonicalize;

    fn canonicalized(toml: &str) -> RunSpec {
        let mut spec = RunSpec::from_toml(&format!("method = 'lp'\n{toml}")).unwrap();
        canonicalize(&mut spec);
        spec
    }

    fn described(toml: &str) -> String {
        let spec = canonicalized(toml);
        let model = crate::names::find_model(&spec.network.model).unwrap();
        check_transform(&spec, model).unwrap();
        transform(&spec, model, None).describe()
    }

    #[test]
    fn what_is_said_of_the_transform_is_done_and_the_table_says_the_rest() {
        assert_eq!(described(""), "squash 224, rgb");
        let usual = "rgb, shorter-side 256, center-crop 224";
        assert_eq!(described("resize = 256"), usual);
        assert_eq!(described("crop = 224"), usual);
        assert_eq!(
            described("crop = 192\ninterpolation = 'bicubic'"),
            "rgb, shorter-side 256, center-crop 192, bicubic"
        );
        assert_eq!(
            described("interpolation = 'bicubic'"),
            "squash 224, rgb, bicubic"
        );
        let spec = canonicalized("resize = 256");
        let model = crate::names::find_model("resnet50").unwrap();
        assert_eq!(
            transform(&spec, model, None),
            weights_transform(&spec, model, None).unwrap()
        );
        let v2 = weights_transform(&canonicalized(""), model, Some("imagenet1k_v2")).unwrap();
        assert_eq!(v2.describe(), "rgb, shorter-side 232, center-crop 224");
    }

    #[test]
    fn what_is_the_model_s_own_is_not_written_down() {
        let own =
            "mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]\ninterpolation = 'bilinear'";
        assert_eq!(canonicalized(own), canonicalized(""));
        let other = canonicalized("mean = [0.5, 0.5, 0.5]");
        let model = crate::names::find_model("resnet50").unwrap();
        let Normalization { mean, std } = normalization(&other, model);
        assert_eq!((mean, std), ([0.5; 3], model.normalization.std));
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        for (toml, texts) in [
            ("mean = [123.7, 116.3, 103.5]", ["mean", "123.7"]),
            ("std = [0.0, 1.0, 1.0]", ["std", "0"]),
            ("std = [58.4, 57.1, 57.4]", ["divided by 255", "58.4"]),
            ("crop = 300", ["crop", "256"]),
            ("resize = 5000", ["resize", "4096"]),
            ("crop = 0", ["crop", "4096"]),
            ("resize = 256\nimage_size = 32", ["image_size", "both"]),
            ("crop = 16\nmodel = 'vgg11'", ["crop", "vgg11"]),
        ] {
            let spec = canonicalized(toml);
            let model = crate::names::find_model(&spec.network.model).unwrap();
            let error = check_transform(&spec, model).unwrap_err().to_string();
            assert!(
                texts.iter().all(|text| error.contains(text)),
                "{toml}: {error}"
            );
        }
    }
}
