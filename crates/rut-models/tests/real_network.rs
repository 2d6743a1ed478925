//! A real trained network, from both of its files, against the logits that PyTorch gives for real images.

#![expect(
    clippy::print_stdout,
    reason = "what was reached is part of the test's result"
)]

mod common;

use candle_core::{DType, Device, Tensor};
use common::nets::values;
use rut_models::{CandleNetwork, Checkpoint, FrozenNetwork, Normalization, Weights, find};
use rut_testkit::close::{Tolerance, assert_close};
use rut_testkit::place::shared;

/// The expected logits are written with five decimals.
const WRITTEN: Tolerance = Tolerance {
    abs: 1e-5,
    rel: 0.0,
};
/// f32 rounding of logits up to 20.
const SINGLE: Tolerance = Tolerance {
    abs: 3e-5,
    rel: 0.0,
};

const IMAGES: usize = 8;
const PIXELS: usize = 32 * 32;

/// The first images of a CIFAR-10 binary file: a label, then the red, green and blue plane.
fn images(bytes: &[u8]) -> (Tensor, Vec<u64>) {
    let Normalization { mean, std } = Normalization::IMAGENET;
    let (mut data, mut labels) = (Vec::new(), Vec::new());
    for record in bytes.chunks_exact(1 + 3 * PIXELS).take(IMAGES) {
        labels.push(u64::from(record[0]));
        let normalise = |(i, &x): (usize, &u8)| {
            (f64::from(x) / 255.0 - f64::from(mean[i / PIXELS])) / f64::from(std[i / PIXELS])
        };
        data.extend(record[1..].iter().enumerate().map(normalise));
    }
    (
        Tensor::from_vec(data, (IMAGES, 3, 32, 32), &Device::Cpu).unwrap(),
        labels,
    )
}

#[test]
fn akamaster_resnet20_gives_its_logits() {
    let (Some(weights), Some(batch)) = (
        shared("weights"),
        shared("datasets/cifar10/cifar-10-batches-bin/test_batch.bin"),
    ) else {
        return;
    };
    let (images, labels) = images(&std::fs::read(batch).unwrap());
    let expected: serde_json::Value =
        serde_json::from_slice(&std::fs::read(weights.join("expected_logits.json")).unwrap())
            .unwrap();
    let expected_labels: Vec<u64> = serde_json::from_value(expected["labels"].clone()).unwrap();
    assert_eq!(labels, expected_labels);
    let logits: Vec<Vec<f64>> =
        serde_json::from_value(expected["models"]["resnet20-12fca82f"]["logits"].clone()).unwrap();
    let graph = find("resnet20_cifar10").unwrap().build();
    for file in ["resnet20-12fca82f.th", "resnet20-12fca82f.safetensors"] {
        let checkpoint = Checkpoint::open(&weights.join(file)).unwrap();
        let assembled = Weights::assemble(&graph, &checkpoint, None).unwrap();
        for (dtype, tolerance) in [(DType::F64, WRITTEN), (DType::F32, SINGLE)] {
            let net = CandleNetwork::new(&graph, &assembled, dtype, &Device::Cpu).unwrap();
            let got = net.infer(&images.to_dtype(dtype).unwrap()).unwrap().logits;
            let error = assert_close(file, &values(&got), &logits.concat(), tolerance);
            println!("{file} {dtype:?}: {error:.1e} of the largest logit");
        }
    }
}

/// The digest is the file's SHA-256, whose first digits the publisher put into its name.
#[test]
fn the_digest_begins_as_published() {
    let Some(path) = shared("weights/resnet20-12fca82f.th") else {
        return;
    };
    let checkpoint = Checkpoint::open(&path).unwrap();
    let published = find("resnet20_cifar10").unwrap().weights[0];
    assert!(checkpoint.digest.starts_with(published.sha256_prefix));
    assert!(published.url.ends_with("resnet20-12fca82f.th"));
}
