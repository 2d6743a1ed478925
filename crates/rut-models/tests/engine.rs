//! The CPU engine against the reference engine: every network of the table, dense and masked.

#![expect(
    clippy::print_stdout,
    reason = "what was reached is part of the test's result"
)]

mod common;

use candle_core::{DType, Device, Tensor};
use common::close::relative_l2;
use common::nets::values;
use common::weights_rule;
use rut_models::{
    CandleNetwork, CpuNetwork, FrozenNetwork, Kernels, MODELS, Trace, Windowed, find,
};

/// Largest difference of logits and features, of the largest magnitude.
const OUTPUT: f64 = 1e-5;
/// The same of input gradients under the same decisions.
const REPLAYED: f64 = 1e-4;
/// Relative L2 of input gradients, each engine under its own decisions.
const OWN: f64 = 1e-2;

fn images(n: usize, side: usize) -> Tensor {
    let pixels = weights_rule::image("engine", n * 3 * side * side);
    let centred: Vec<f32> = pixels.into_iter().map(|p| 4.0 * (p - 0.5)).collect();
    Tensor::from_vec(centred, (n, 3, side, side), &Device::Cpu).unwrap()
}

fn grad_logits(n: usize, classes: usize) -> Tensor {
    let values = weights_rule::image("grad", n * classes);
    let centred: Vec<f32> = values.into_iter().map(|v| v - 0.5).collect();
    Tensor::from_vec(centred, (n, classes), &Device::Cpu).unwrap()
}

fn of_largest(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let pairs = found.iter().zip(expected);
    let difference = pairs.fold(0.0_f64, |m, (a, b)| m.max((a - b).abs()));
    assert!(found.iter().all(|v| v.is_finite()));
    difference / largest
}

#[test]
fn every_model_agrees_with_the_reference() {
    for model in MODELS {
        let graph = model.build();
        let cifar = model.name.contains("cifar");
        let (n, side) = if cifar { (18, 32) } else { (2, 64) };
        for density in [None, Some(0.168)] {
            let weights = weights_rule::weights(&graph, density);
            let reference = CandleNetwork::new(&graph, &weights, DType::F32, &Device::Cpu).unwrap();
            let engine = CpuNetwork::new(&graph, &weights, Kernels::Auto).unwrap();
            let images = images(n, side);
            let grad = grad_logits(n, graph.classes());
            let (expected, _) = reference.trace_recording(&images).unwrap();
            let (found, trace) = engine.trace_blocks(&images).unwrap();
            let record = trace.record().unwrap();
            let replayed = reference.backward_with_record(&record, &grad).unwrap();
            let own = reference.trace(&images).unwrap().1;
            let own = own.backward_to_input(&grad).unwrap();
            let back = Box::new(trace).backward_to_input(&grad).unwrap();
            let logits = of_largest(&values(&found.logits), &values(&expected.logits));
            let features = of_largest(&values(&found.features), &values(&expected.features));
            let same = of_largest(&values(&back), &values(&replayed));
            let apart = relative_l2(&values(&back), &values(&own));
            println!(
                "{:<28} {:>5}: logits {logits:.1e}, features {features:.1e}, gradient {same:.1e} replayed, {apart:.1e} own (L2)",
                model.name,
                density.unwrap_or(1.0),
            );
            assert!(logits <= OUTPUT && features <= OUTPUT, "{}", model.name);
            assert!(same <= REPLAYED, "{}", model.name);
            assert!(apart <= OWN, "{}", model.name);
        }
    }
}

/// A window at a position, and the size of the image.
const WINDOWS: &[(&str, usize, [usize; 3])] = &[
    // model, side of the image, [top, left, side]
    ("resnet20_cifar100", 32, [8, 8, 8]),
    ("resnet20_cifar100", 32, [0, 0, 3]),
    ("resnet20_cifar10", 32, [31, 30, 1]),
    ("resnet20_cifar10", 32, [0, 0, 32]),
    ("resnet18", 128, [48, 48, 32]),
    ("resnet50", 160, [64, 61, 20]),
    ("resnet50", 96, [0, 90, 6]),
    ("vgg11_bn", 64, [5, 40, 9]),
    ("vgg16", 64, [20, 20, 16]),
];

#[test]
fn a_window_gives_what_pasting_gives() {
    for &(name, side, [top, left, window]) in WINDOWS {
        let graph = find(name).unwrap().build();
        let weights = weights_rule::weights(&graph, Some(0.3));
        let engine = CpuNetwork::new(&graph, &weights, Kernels::Auto).unwrap();
        let n = 19;
        let windowed = Windowed {
            canvas: images(1, side).squeeze(0).unwrap(),
            patches: images(n, window),
            top,
            left,
        };
        let grad = grad_logits(n, graph.classes());
        let pasted = windowed.paste().unwrap();
        let (expected, trace) = engine.trace(&pasted).unwrap();
        let whole = values(&trace.backward_to_input(&grad).unwrap());
        let (found, trace) = engine.trace_window(&windowed).unwrap();
        let found_grad = trace.backward_to_window(&grad).unwrap();
        let inferred = engine.infer_window(&windowed).unwrap();
        assert_eq!(values(&inferred.logits), values(&found.logits));
        let logits = of_largest(&values(&found.logits), &values(&expected.logits));
        let (canvas, patches) = cut(&whole, n, side, [top, left, window]);
        let canvas = if canvas.iter().all(|&v| v == 0.0) {
            0.0
        } else {
            of_largest(&values(&found_grad.canvas), &canvas)
        };
        let patches = of_largest(&values(&found_grad.patches), &patches);
        println!(
            "{name} {side} window {window} at ({top}, {left}): logits {logits:.1e}, canvas {canvas:.1e}, patches {patches:.1e}"
        );
        assert!(logits <= OUTPUT && canvas <= REPLAYED && patches <= REPLAYED);
    }
}

/// The gradient of whole images as that of the canvas, summed and without its window, and of the patches.
fn cut(
    grad: &[f64],
    n: usize,
    side: usize,
    [top, left, window]: [usize; 3],
) -> (Vec<f64>, Vec<f64>) {
    let (mut canvas, mut patches) = (vec![0.0; 3 * side * side], Vec::new());
    for image in 0..n {
        for at in 0..3 * side * side {
            let (y, x) = (at / side % side, at % side);
            let inside = (top..top + window).contains(&y) && (left..left + window).contains(&x);
            let value = grad[image * canvas.len() + at];
            if inside {
                patches.push(value);
            } else {
                canvas[at] += value;
            }
        }
    }
    (canvas, patches)
}
