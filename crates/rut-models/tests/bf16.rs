//! The engine in bfloat16 against the reference engine: networks of the table and trained ones; bits that may depend on nothing
//! but the image; and one set of kernels against the other.

#![expect(
    clippy::print_stdout,
    reason = "what was reached is part of the test's result"
)]

mod common;

use candle_core::{Device, Tensor};
use common::bf16::{Apart, apart, bundled, digits, engine, gradients, images, isa, reference};
use common::nets::{every_operation, values};
use rut_kernels::bf16::Bf16Isa;
use rut_models::{
    Bf16Network, Checkpoint, FrozenNetwork, Graph, MODELS, ModelSpec, Normalization, OutputGrads,
    Weights, find,
};
use rut_testkit::place::shared;
use rut_testkit::weights_rule;

/// Relative L2 of logits and features. A rounding to bfloat16 is off by 1.1e-3 in the mean square, and a network has two
/// for each layer, of weights and of activations. Reached by all rows of the table: 9e-4 to 7.6e-3 (vgg19).
const OUTPUT: f64 = 1.5e-2;
/// The same of input gradients under the engine's own decisions, through as many roundings of which nothing later makes good.
/// Reached: 5e-3 to 1.8e-2 (resnet152).
const REPLAYED: f64 = 3e-2;
/// The same of the kernels of one instruction set and those of another, which may add the same products in another order: a
/// few sums are rounded to the neighbour. Reached: 4e-4.
const SETS: f64 = 5e-3;

/// Rows between the shallowest and the deepest of a family, whose weights alone take seconds to make.
const BETWEEN: &[&str] = &[
    "resnet101",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19_bn",
];

/// Those that plain Rust runs in seconds as well.
const SMALL: &[&str] = &[
    "resnet20_cifar10",
    "resnet20_cifar100",
    "resnet18",
    "vgg11_bn",
];

fn hold_against_the_reference(model: &ModelSpec, density: Option<f64>) {
    let graph = model.build();
    let (n, side) = if model.name.contains("cifar") {
        (18, 32)
    } else {
        (2, 64)
    };
    let weights = weights_rule::weights(&graph, density);
    let (reference, engine) = (reference(&graph, &weights), engine(&graph, &weights));
    drop(weights);
    let of = gradients(&graph, n);
    let of = if SMALL.contains(&model.name) {
        &of
    } else {
        &of[..1]
    };
    let apart = Apart::measure(&reference, &engine, &images(n, [side, side]), of);
    println!(
        "{:<18} {:>5} {}: logits {:.1e}, features {:.1e}, gradient {:.1e} replayed",
        model.name,
        density.unwrap_or(1.0),
        engine.isa().name(),
        apart.logits,
        apart.features,
        apart.gradient(),
    );
    assert!(
        apart.logits <= OUTPUT && apart.features <= OUTPUT && apart.gradient() <= REPLAYED,
        "{}: {apart:?}",
        model.name
    );
}

#[test]
fn models_agree_with_the_reference() {
    let is_fast = isa() != Bf16Isa::Portable;
    for model in MODELS {
        let is_run = is_fast && !BETWEEN.contains(&model.name);
        if is_run || SMALL.contains(&model.name) {
            hold_against_the_reference(model, None);
        }
    }
}

#[test]
fn masked_models_agree_with_the_reference() {
    for model in MODELS {
        if SMALL.contains(&model.name) {
            hold_against_the_reference(model, Some(0.168));
        }
    }
}

/// Logits, features and input gradient.
fn run(engine: &Bf16Network, images: &Tensor, grads: &OutputGrads) -> [Tensor; 3] {
    let (outputs, trace) = engine.trace(images).unwrap();
    let back = trace.backward_to_input(grads).unwrap();
    [outputs.logits, outputs.features, back]
}

/// The same images in a batch of one, of a few, and of blocks of which one is not full; among other neighbours, in another order.
#[test]
fn an_image_has_the_same_bits_in_every_batch() {
    let n = 37;
    for (graph, side) in [
        (find("resnet20_cifar100").unwrap().build(), 32),
        (find("resnet18").unwrap().build(), 40),
        (every_operation(), 37),
    ] {
        let engine = engine(&graph, &weights_rule::weights(&graph, None));
        let images = images(n, [side, side]);
        let [.., grads] = gradients(&graph, n);
        let all = run(&engine, &images, &grads);
        let backwards: Vec<u32> = (0..n as u32).rev().collect();
        for rows in [
            &[0][..],
            &[36],
            &[17, 3, 3, 30, 16],
            &backwards,
            &backwards[..17],
        ] {
            let index = Tensor::new(rows, &Device::Cpu).unwrap();
            let pick = |tensor: &Tensor| tensor.index_select(&index, 0).unwrap();
            let picked = OutputGrads {
                features: grads.features.as_ref().map(pick),
                logits: grads.logits.as_ref().map(pick),
            };
            let some = run(&engine, &pick(&images), &picked);
            for (all, some) in all.iter().zip(&some) {
                assert_eq!(values(&pick(all)), values(some), "{rows:?}");
            }
        }
    }
}

/// A NaN may not get lost in a maximum or a product with zero, nor reach the image beside it, nor stay in memory that is used
/// again.
#[test]
fn nan_in_nan_out() {
    let n = 20;
    for graph in [find("resnet20_cifar10").unwrap().build(), every_operation()] {
        let engine = engine(&graph, &weights_rule::weights(&graph, Some(0.1)));
        let clean = images(n, [32, 32]);
        let [.., grads] = gradients(&graph, n);
        let [logits, features, back] = run(&engine, &clean, &grads);
        for bad in [f32::NAN, f32::INFINITY] {
            let mut pixels: Vec<f32> = clean.flatten_all().unwrap().to_vec1().unwrap();
            pixels[17 * 3 * 32 * 32 + 5] = bad;
            let dirty = Tensor::from_vec(pixels, (n, 3, 32, 32), &Device::Cpu).unwrap();
            let found = run(&engine, &dirty, &grads);
            is_nan_of_one(&found[0], &logits);
            is_nan_of_one(&found[1], &features);
            let mut of_logits: Vec<f32> = grads
                .logits
                .as_ref()
                .unwrap()
                .flatten_all()
                .unwrap()
                .to_vec1()
                .unwrap();
            of_logits[17 * graph.classes()] = bad;
            let of_logits =
                Tensor::from_vec(of_logits, (n, graph.classes()), &Device::Cpu).unwrap();
            let grads = OutputGrads {
                features: grads.features.clone(),
                logits: Some(of_logits),
            };
            let found = run(&engine, &clean, &grads);
            is_nan_of_one(&found[2], &back);
        }
        let again = run(&engine, &clean, &grads);
        for (again, first) in again.iter().zip([&logits, &features, &back]) {
            assert_eq!(values(again), values(first));
        }
    }
}

/// Image 17 is NaN, the others are as they were.
fn is_nan_of_one(found: &Tensor, clean: &Tensor) {
    for image in 0..found.dims()[0] {
        let [found, clean] = [found, clean].map(|tensor| values(&tensor.get(image).unwrap()));
        if image == 17 {
            assert!(found.iter().all(|value| value.is_nan()));
        } else {
            assert_eq!(found, clean, "image {image}");
        }
    }
}

#[test]
fn plain_rust_agrees_with_the_other_kernels() {
    let others = Bf16Isa::ALL
        .into_iter()
        .filter(|&isa| isa != Bf16Isa::Portable);
    for isa in others {
        if !isa.is_available() {
            println!("skipped: this processor has no {}", isa.name());
            continue;
        }
        for (name, graph, side) in [
            (
                "resnet20_cifar100",
                find("resnet20_cifar100").unwrap().build(),
                32,
            ),
            ("resnet18", find("resnet18").unwrap().build(), 48),
            ("every operation", every_operation(), 37),
        ] {
            let weights = weights_rule::weights(&graph, None);
            let [plain, other] =
                [Bf16Isa::Portable, isa].map(|isa| Bf16Network::on(&graph, &weights, isa).unwrap());
            let images = images(3, [side, side]);
            let expected = plain.infer(&images).unwrap();
            let found = other.infer(&images).unwrap();
            let logits = apart(&found.logits, &expected.logits);
            let features = apart(&found.features, &expected.features);
            let of_plain = Apart::measure(
                &reference(&graph, &weights),
                &plain,
                &images,
                &gradients(&graph, 3),
            );
            println!(
                "{name}, {}: logits {logits:.1e}, features {features:.1e}; plain Rust: logits {:.1e}, gradients {:.1e} replayed",
                isa.name(),
                of_plain.logits,
                of_plain.gradient()
            );
            assert!(logits <= SETS && features <= SETS);
            assert!(of_plain.logits <= OUTPUT && of_plain.gradient() <= REPLAYED);
        }
    }
}

/// What a trained network reaches.
struct Trained {
    /// Relative L2 of the logits.
    logits: f64,
    /// Of images, the share that has the same class.
    agree: f64,
    /// Of input gradients, each engine under its own decisions.
    cosine: f64,
}

impl Trained {
    /// Reached on digits: 2.9e-3, 100 % and 0.989 for the dense network, 4.8e-3, 98.7 % and 0.986 for the sparsest ticket.
    /// With a first layer that is rounded like the others, a prototype had 6.5e-3, 98.8 % and 0.926 for the dense one.
    fn hold(&self) {
        assert!(self.logits <= 6e-3 && self.agree >= 0.97 && self.cosine >= 0.97);
    }
}

fn trained(what: &str, graph: &Graph, weights: &Weights, images: &Tensor) -> Trained {
    let (reference, engine) = (reference(graph, weights), engine(graph, weights));
    let n = images.dims()[0];
    let [grads, ..] = gradients(graph, n);
    let (expected, trace) = reference.trace(images).unwrap();
    let expected_back = trace.backward_to_input(&grads).unwrap();
    let [logits, _, back] = run(&engine, images, &grads);
    let classes = |logits: &Tensor| logits.argmax(1).unwrap().to_vec1::<u32>().unwrap();
    let pairs = classes(&logits).into_iter().zip(classes(&expected.logits));
    let (back, expected_back) = (values(&back), values(&expected_back));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norms = dot(&back, &back) * dot(&expected_back, &expected_back);
    let found = Trained {
        logits: apart(&logits, &expected.logits),
        agree: pairs.filter(|(a, b)| a == b).count() as f64 / n as f64,
        cosine: dot(&back, &expected_back) / norms.sqrt(),
    };
    println!(
        "{what}, {n} images: logits {:.1e}, {:.1} % agree, cosine of gradients {:.3}",
        found.logits,
        100.0 * found.agree,
        found.cosine
    );
    found
}

/// Flat backgrounds, over which ReLUs flip all at once, are the hardest images for a gradient.
#[test]
fn trained_networks_agree_on_digits() {
    let graph = find("resnet20_cifar100").unwrap().build();
    let images = digits(300, Normalization::CIFAR100);
    for state in [0, 8] {
        let weights = bundled(&graph, ".", state);
        let found = trained(&format!("state {state}"), &graph, &weights, &images);
        found.hold();
    }
}

/// Photographs that it was trained for.
#[test]
fn a_trained_network_agrees_on_photographs() {
    let (Some(weights), Some(batch)) = (
        shared("weights/resnet20-12fca82f.safetensors"),
        shared("datasets/cifar10/cifar-10-batches-bin/test_batch.bin"),
    ) else {
        return;
    };
    let (n, Normalization { mean, std }) = (200, Normalization::IMAGENET);
    let mut pixels = Vec::new();
    for record in std::fs::read(batch)
        .unwrap()
        .chunks_exact(1 + 3 * 32 * 32)
        .take(n)
    {
        for (at, &level) in record[1..].iter().enumerate() {
            let colour = at / (32 * 32);
            pixels.push((f32::from(level) / 255.0 - mean[colour]) / std[colour]);
        }
    }
    let images = Tensor::from_vec(pixels, (n, 3, 32, 32), &Device::Cpu).unwrap();
    let graph = find("resnet20_cifar10").unwrap().build();
    let checkpoint = Checkpoint::open(&weights).unwrap();
    let weights = Weights::assemble(&graph, &checkpoint, None).unwrap();
    let found = trained("photographs", &graph, &weights, &images);
    found.hold();
}
