//! What several tests need: real images that are not part of the repository, and small folders.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "not every test program that includes this module uses all of it"
)]

pub(crate) mod parquet;

use std::path::{Path, PathBuf};

use rut_data::{Dataset, Digest, Error, ImageSet, RgbImage};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// Root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What lies beside the workspace; without it the caller skips visibly.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    rut_testkit::place::shared(name)
}

/// A JSON file.
pub(crate) fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a readable file");
    serde_json::from_str(&text).expect("valid JSON")
}

/// Compares a set with a split of an `expected.json`: labels, and pixels of the first images.
pub(crate) fn assert_as_expected(set: &ImageSet, split: &Value) {
    let labels: Vec<u32> = serde_json::from_value(split["labels"].clone()).expect("labels");
    assert_eq!(set.labels(), labels);
    assert_eq!(
        set.len() as u64,
        split["num_samples"].as_u64().expect("a count")
    );
    for (class, count) in split["label_histogram"].as_object().expect("a histogram") {
        let class: usize = class.parse().expect("a class");
        assert_eq!(
            set.class_counts(class + 1)[class] as u64,
            count.as_u64().expect("a count")
        );
    }
    for first in split["first"].as_array().expect("samples") {
        let index = first["index"].as_u64().expect("an index") as usize;
        let rgb = set.decode(index).expect("an image").to_rgb();
        let size = [first["width"].as_u64(), first["height"].as_u64()];
        assert_eq!(
            [Some(u64::from(rgb.width)), Some(u64::from(rgb.height))],
            size
        );
        match first["rgb_sha256"].as_str() {
            Some(digest) => assert_eq!(
                digest,
                Digest::of_bytes(&rgb.pixels).to_string(),
                "image {index}, {}",
                set.source(index)
            ),
            None => assert_means(&rgb, &first["rgb_mean"]),
        }
        if let Some(file) = first["file"].as_str() {
            assert!(
                set.source(index).ends_with(file),
                "{} is not {file}",
                set.source(index)
            );
        }
    }
}

/// Compares the means of the channels, within a level: JPEG decoders differ by a few in a pixel.
fn assert_means(rgb: &RgbImage, expected: &Value) {
    let expected: [f64; 3] = serde_json::from_value(expected.clone()).expect("three means");
    for (channel, expected) in expected.into_iter().enumerate() {
        let values = rgb.pixels.iter().skip(channel).step_by(3);
        let sum: f64 = values.map(|&value| f64::from(value)).sum();
        let mean = sum / (rgb.pixels.len() / 3) as f64;
        assert!((mean - expected).abs() < 1.0, "{mean} is not {expected}");
    }
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: impl AsRef<Path>, bytes: &[u8]) {
    let folder = path.as_ref().parent().expect("a folder above");
    std::fs::create_dir_all(folder).expect("a new folder");
    std::fs::write(path, bytes).expect("a new file");
}

/// A one-pixel image file.
pub(crate) fn dot(value: u8) -> Vec<u8> {
    [b"P5 1 1 255\n".as_slice(), &[value]].concat()
}

/// A folder with these files; images are single pixels of different values.
pub(crate) fn tree(texts: &[(&str, &str)], images: &[&str]) -> TempDir {
    let folder = tempdir().expect("a folder");
    for (path, text) in texts {
        write(folder.path().join(path), text.as_bytes());
    }
    for (value, path) in images.iter().enumerate() {
        write(folder.path().join(path), &dot(value as u8));
    }
    folder
}

/// Where the images of a set are from.
pub(crate) fn sources(set: &ImageSet) -> Vec<String> {
    (0..set.len()).map(|index| set.source(index)).collect()
}

/// Whether all training and test images decode.
pub(crate) fn decodes(dataset: &Dataset) -> bool {
    [&dataset.train, &dataset.test]
        .iter()
        .all(|set| (0..set.len()).all(|index| set.decode(index).is_ok()))
}

/// Asserts that the error's message holds all of these texts.
pub(crate) fn assert_says<T: std::fmt::Debug>(result: Result<T, Error>, texts: &[&str]) {
    let message = result.expect_err("an error").to_string();
    for text in texts {
        assert!(message.contains(text), "no '{text}' in: {message}");
    }
    let verbs = [
        "read", "find", "decode", "resize", "label", "keep", "use", "get", "draw",
    ];
    let verb = message.split(' ').next().unwrap_or_default();
    assert!(
        verbs.contains(&verb),
        "does not read after 'failed to': {message}"
    );
}
