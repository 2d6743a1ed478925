//! The engine in bfloat16 beside PyTorch's autocast to bfloat16, on the bundled networks and digits: it may not be farther from
//! the network in f64. For what `golden/bf16.json` holds, see `golden/make_bf16.py`.

#![expect(
    clippy::print_stdout,
    reason = "what was reached is part of the test's result"
)]

mod common;

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use common::bf16::{apart, bundled, digits, engine, gradients};
use common::nets::values;
use rut_models::{CandleNetwork, FrozenNetwork, Normalization, OutputGrads, find};
use rut_testkit::place::{golden, root};
use serde_json::Value;

const IMAGES: usize = 64;

fn argmax(logits: &Tensor) -> Vec<u32> {
    logits.argmax(1).unwrap().to_vec1().unwrap()
}

fn cosine(a: &Tensor, b: &Tensor) -> f64 {
    let (a, b) = (values(a), values(b));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
}

/// Mean cross entropy of the ten first logits: the first loss of a prompt whose label map is the identity.
fn first_loss(logits: &Tensor, labels: &[usize]) -> f64 {
    let rows = values(logits);
    let classes = logits.dims()[1];
    let losses = rows.chunks(classes).zip(labels).map(|(row, label)| {
        let row = &row[..10];
        let largest = row.iter().copied().fold(f64::MIN, f64::max);
        let sum: f64 = row.iter().map(|x| (x - largest).exp()).sum();
        largest + sum.ln() - row[*label]
    });
    losses.sum::<f64>() / labels.len() as f64
}

#[test]
fn it_is_no_farther_from_f64_than_autocast() {
    let figures: Value =
        serde_json::from_str(&std::fs::read_to_string(golden("bf16.json")).unwrap()).unwrap();
    let tensors: HashMap<String, Tensor> =
        candle_core::safetensors::load(golden("bf16.safetensors"), &Device::Cpu).unwrap();
    let graph = find("resnet20_cifar100").unwrap().build();
    let images = digits(IMAGES, Normalization::CIFAR100);
    let text = std::fs::read_to_string(root().join("data/digits/digits.csv")).unwrap();
    let label = |line: &str| line.rsplit(',').next().unwrap().parse::<usize>().unwrap();
    let labels: Vec<usize> = text.lines().take(IMAGES).map(label).collect();
    let [grads, ..] = gradients(&graph, IMAGES);
    let wide = |tensor: &Tensor| tensor.to_dtype(DType::F64).unwrap();
    let exact_grads = OutputGrads::of_logits(&wide(grads.logits.as_ref().unwrap()));
    for (title, folder, state) in [
        ("state0", ".", 0),
        ("state8", ".", 8),
        ("fair/state0", "fair", 0),
        ("fair/state2", "fair", 2),
        ("fair/state4", "fair", 4),
        ("fair/state6", "fair", 6),
        ("fair/state8", "fair", 8),
    ] {
        let weights = bundled(&graph, folder, state);
        let exact = CandleNetwork::new(&graph, &weights, DType::F64, &Device::Cpu).unwrap();
        let (expected, trace) = exact.trace(&wide(&images)).unwrap();
        let expected_back = trace.backward_to_input(&exact_grads).unwrap();
        // The same network, images and gradient as PyTorch's.
        let own = &tensors[&format!("{title}.f64")];
        assert!(apart(&expected.logits, own) < 1e-6);
        let (found, trace) = engine(&graph, &weights).trace(&images).unwrap();
        let back = trace.backward_to_input(&grads).unwrap();
        let golden = &figures[title];
        let exact_loss = golden["loss"].as_f64().unwrap();
        assert!((first_loss(&expected.logits, &labels) - exact_loss).abs() < 1e-5);
        let figure = |name: &str, key: &str| golden[name][key].as_f64().unwrap();
        let both = |key: &str| ["autocast", "autocast_folded"].map(|name| figure(name, key));
        let least = |key: &str| both(key).into_iter().fold(f64::INFINITY, f64::min);
        let most = |key: &str| both(key).into_iter().fold(0.0, f64::max);
        let pairs = argmax(&found.logits)
            .into_iter()
            .zip(argmax(&expected.logits));
        let agree = pairs.filter(|(a, b)| a == b).count() as f64 / IMAGES as f64;
        let (logits, cosine) = (
            apart(&found.logits, &expected.logits),
            cosine(&back, &expected_back),
        );
        let loss = (first_loss(&found.logits, &labels) - exact_loss).abs();
        println!(
            "{title}: logits {logits:.1e} (autocast {:.1e}), {agree:.3} agree ({:.3}), cosine of gradients {cosine:.3} \
             ({:.3}), first loss off by {loss:.1e} ({:.1e})",
            least("logits"),
            most("agree"),
            most("gradient_cosine"),
            both("loss")
                .map(|loss| (loss - exact_loss).abs())
                .into_iter()
                .fold(f64::INFINITY, f64::min),
        );
        // A tenth is how far two such sums of roundings may part by chance.
        assert!(logits <= 1.1 * least("logits"));
        // Two images near a tie decide nothing.
        assert!(agree >= most("agree") - 2.0 / IMAGES as f64);
        assert!(cosine >= most("gradient_cosine"));
        // Errors of single images cancel in a mean or do not: autocast's two are off by 1e-3 to 3e-2.
        let autocast = both("loss").map(|loss| (loss - exact_loss).abs());
        assert!(loss <= 2.0 * autocast.into_iter().fold(0.0, f64::max));
        // Both are near to f64, and so to one another: as far as two errors that have nothing to do with each other.
        let autocast = &tensors[&format!("{title}.autocast")];
        let independent = logits.hypot(figure("autocast", "logits"));
        let between = apart(&found.logits, autocast);
        assert!(between <= 1.2 * independent, "{between} {independent}");
    }
}
