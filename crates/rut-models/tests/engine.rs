//! The CPU engine against the reference engine: every network of the table, dense and masked.

#![expect(
    clippy::print_stdout,
    reason = "what was reached is part of the test's result"
)]

mod common;

use candle_core::{DType, Device, Tensor};
use common::nets::values;
use rut_models::{
    Bias, CandleNetwork, Conv, CpuNetwork, FrozenNetwork, Graph, GraphBuilder, Kernels, MODELS,
    MaxPool, ModelSpec, OutputGrads, Trace, Windowed, find,
};
use rut_testkit::close::relative_l2;
use rut_testkit::weights_rule;

/// Largest difference of logits and features, of the largest magnitude.
const OUTPUT: f64 = 1e-5;
/// The same of input gradients under the same decisions.
const REPLAYED: f64 = 1e-4;
/// Relative L2 of input gradients, each engine under its own decisions: rounding flips ReLUs near zero.
const OWN: f64 = 1e-2;
/// The late max-pools of VGG have near ties of which each moves the gradient by 1e-2; that nothing else is wrong is what
/// `REPLAYED` pins.
const OWN_VGG: f64 = 3e-2;

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

fn hold_against_the_reference(model: &ModelSpec, density: Option<f64>, kernels: Kernels) {
    let graph = model.build();
    let (n, side) = if model.name.contains("cifar") {
        (18, 32)
    } else {
        (2, 64)
    };
    let weights = weights_rule::weights(&graph, density);
    let reference = CandleNetwork::new(&graph, &weights, DType::F32, &Device::Cpu).unwrap();
    let engine = CpuNetwork::new(&graph, &weights, kernels).unwrap();
    drop(weights);
    let (images, grad) = (images(n, side), grad_logits(n, graph.classes()));
    let (expected, own) = reference.trace(&images).unwrap();
    let own = own
        .backward_to_input(&OutputGrads::of_logits(&grad))
        .unwrap();
    let (found, trace) = engine.trace_blocks(&images).unwrap();
    let record = trace.record().unwrap();
    let replayed = reference
        .backward_with_record(&record, &OutputGrads::of_logits(&grad))
        .unwrap();
    let back = Box::new(trace)
        .backward_to_input(&OutputGrads::of_logits(&grad))
        .unwrap();
    let inferred = engine.infer(&images).unwrap();
    assert_eq!(values(&inferred.logits), values(&found.logits));
    let logits = of_largest(&values(&found.logits), &values(&expected.logits));
    let features = of_largest(&values(&found.features), &values(&expected.features));
    let same = of_largest(&values(&back), &values(&replayed));
    let apart = relative_l2(&values(&back), &values(&own));
    println!(
        "{:<18} {:>5} {kernels:?}: logits {logits:.1e}, features {features:.1e}, gradient {same:.1e} replayed, {apart:.1e} own (L2)",
        model.name,
        density.unwrap_or(1.0),
    );
    let own = if model.name.starts_with("vgg") {
        OWN_VGG
    } else {
        OWN
    };
    assert!(logits <= OUTPUT && features <= OUTPUT, "{}", model.name);
    assert!(same <= REPLAYED, "{}", model.name);
    for (what, grads) in of_features(&grad, n, graph.width()) {
        let (_, trace) = engine.trace_blocks(&images).unwrap();
        let replayed = reference.backward_with_record(&record, &grads).unwrap();
        let back = Box::new(trace).backward_to_input(&grads).unwrap();
        let same = of_largest(&values(&back), &values(&replayed));
        assert!(same <= REPLAYED, "{}, {what}: {same:.1e}", model.name);
    }
    assert!(apart <= own, "{}", model.name);
}

/// Gradients of the features alone, and of both.
fn of_features(of_logits: &Tensor, n: usize, width: usize) -> [(&'static str, OutputGrads); 2] {
    let features = grad_logits(n, width);
    let both = OutputGrads {
        features: Some(features.clone()),
        logits: Some(of_logits.clone()),
    };
    [
        ("features", OutputGrads::of_features(&features)),
        ("features and logits", both),
    ]
}

#[test]
fn every_model_agrees_with_the_reference() {
    for model in MODELS {
        hold_against_the_reference(model, None, Kernels::Auto);
        hold_against_the_reference(model, Some(0.168), Kernels::Auto);
    }
}

#[test]
fn every_choice_of_kernels_agrees_with_the_reference() {
    for name in ["resnet20_cifar10", "resnet18", "resnet50"] {
        let model = find(name).unwrap();
        for kernels in [Kernels::Dense, Kernels::Sparse] {
            hold_against_the_reference(model, Some(0.3), kernels);
        }
    }
}

/// Kernels that skip zeros would lose a NaN: what comes of an image that holds one is NaN, of the others nothing.
#[test]
fn nan_in_nan_out() {
    let graph = find("resnet20_cifar10").unwrap().build();
    let weights = weights_rule::weights(&graph, Some(0.1));
    let engine = CpuNetwork::new(&graph, &weights, Kernels::Auto).unwrap();
    let mut pixels = weights_rule::image("nan", 3 * 3 * 32 * 32);
    let clean = Tensor::from_slice(&pixels, (3, 3, 32, 32), &Device::Cpu).unwrap();
    pixels[3 * 32 * 32 + 5] = f32::NAN;
    let dirty = Tensor::from_vec(pixels, (3, 3, 32, 32), &Device::Cpu).unwrap();
    let (clean, dirty) = (engine.infer(&clean).unwrap(), engine.infer(&dirty).unwrap());
    let (clean, dirty) = (values(&clean.logits), values(&dirty.logits));
    for (at, (clean, dirty)) in clean.iter().zip(&dirty).enumerate() {
        if at / 10 == 1 {
            assert!(dirty.is_nan());
        } else {
            assert_eq!(clean, dirty);
        }
    }
}

#[test]
fn wrong_tensors_and_graphs_are_refused() {
    let graph = find("resnet20_cifar10").unwrap().build();
    let weights = weights_rule::weights(&graph, None);
    let engine = CpuNetwork::new(&graph, &weights, Kernels::Auto).unwrap();
    for (dims, dtype) in [
        (vec![2, 1, 32, 32], DType::F32),
        (vec![3, 32, 32], DType::F32),
        (vec![1, 3, 32, 32], DType::F64),
        (vec![2, 3, 0, 0], DType::F32),
    ] {
        let images = Tensor::zeros(dims.as_slice(), dtype, &Device::Cpu).unwrap();
        let error = engine.infer(&images).unwrap_err().to_string();
        assert!(
            error.contains("the batch of images is") && error.contains("[n, 3, h, w]"),
            "{error}"
        );
    }
    let mut b = GraphBuilder::new();
    let x = b.input();
    let x = b.relu(x);
    let x = b.global_avg_pool(x);
    let x = b.flatten(x);
    let graph = b.finish(x, "fc", 3, 2);
    let weights = weights_rule::weights(&graph, None);
    let error = CpuNetwork::new(&graph, &weights, Kernels::Auto)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("node 1") && error.contains("relu") && error.contains("reference"),
        "{error}"
    );
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

/// Forward to the bit, and so are the patches' gradients; the canvas's is summed in another order.
#[test]
fn a_window_gives_what_pasting_gives() {
    for &(name, side, place) in WINDOWS {
        let [logits, canvas, patches] =
            windowed_against_pasted(name, side, place, Kernels::Sparse, of_largest);
        assert!(
            logits == 0.0 && patches == 0.0 && canvas <= 1e-5,
            "{name} {side}, {place:?}"
        );
    }
}

/// Where tiles cross the window's edge Winograd's algorithm rounds differently, so that ReLUs flip as between engines.
#[test]
fn a_window_gives_what_pasting_gives_with_winograd_s_algorithm() {
    for &(name, side, place) in &WINDOWS[..6] {
        let [logits, canvas, patches] =
            windowed_against_pasted(name, side, place, Kernels::Dense, relative_l2);
        assert!(
            logits <= OUTPUT && canvas <= OWN && patches <= OWN,
            "{name} {side}, {place:?}"
        );
    }
}

/// What no network of the table has: two max-pools and one that nothing comes of on the same value, and steps over the
/// window.
#[test]
fn a_window_in_an_unusual_graph() {
    let conv = |b: &mut GraphBuilder, x, param: &str, (kernel, stride), in_channels| {
        let conv = Conv {
            param: param.into(),
            in_channels,
            out_channels: 8,
            kernel,
            stride,
            padding: kernel / 2,
            bias: Bias::Added,
        };
        b.conv(x, conv)
    };
    let pool = MaxPool {
        kernel: 3,
        stride: 2,
        padding: 1,
    };
    let mut b = GraphBuilder::new();
    let x = b.input();
    let x = conv(&mut b, x, "a", (3, 1), 3);
    let x = b.relu(x);
    let _ = b.max_pool(x, pool);
    let left = b.max_pool(x, pool);
    let right = b.max_pool(x, pool);
    let left = conv(&mut b, left, "b", (1, 1), 8);
    let x = b.add(left, right);
    let x = b.relu(x);
    let x = b.global_avg_pool(x);
    let x = b.flatten(x);
    let pools = b.finish(x, "fc", 8, 4);

    let mut b = GraphBuilder::new();
    let x = b.input();
    let x = conv(&mut b, x, "a", (1, 2), 3);
    let x = b.relu(x);
    let x = conv(&mut b, x, "b", (1, 2), 8);
    let x = b.relu(x);
    let x = b.global_avg_pool(x);
    let x = b.flatten(x);
    let steps = b.finish(x, "fc", 8, 4);

    // The window of one pixel is stepped over: its gradient is zero.
    let distance = |a: &[f64], b: &[f64]| if a == b { 0.0 } else { of_largest(a, b) };
    for (graph, side, place) in [
        (&pools, 8, [3, 3, 2]),
        (&pools, 9, [0, 4, 3]),
        (&steps, 64, [33, 33, 1]),
        (&steps, 64, [33, 33, 2]),
    ] {
        let found = graph_windowed_against_pasted(graph, side, place, Kernels::Sparse, distance);
        assert!(
            found[0] == 0.0 && found[1] <= 1e-5 && found[2] == 0.0,
            "{side}, {place:?}: {found:?}"
        );
    }
}

/// Distances of the logits and of the gradients of canvas and patches.
fn windowed_against_pasted(
    name: &str,
    side: usize,
    place: [usize; 3],
    kernels: Kernels,
    distance: impl Fn(&[f64], &[f64]) -> f64,
) -> [f64; 3] {
    let graph = find(name).unwrap().build();
    let apart = graph_windowed_against_pasted(&graph, side, place, kernels, distance);
    println!(
        "{name} {side}, {place:?} {kernels:?}: logits {:.1e}, canvas {:.1e}, patches {:.1e}",
        apart[0], apart[1], apart[2]
    );
    apart
}

fn graph_windowed_against_pasted(
    graph: &Graph,
    side: usize,
    [top, left, window]: [usize; 3],
    kernels: Kernels,
    distance: impl Fn(&[f64], &[f64]) -> f64,
) -> [f64; 3] {
    let weights = weights_rule::weights(graph, Some(0.3));
    let engine = CpuNetwork::new(graph, &weights, kernels).unwrap();
    let n = 19;
    let windowed = Windowed {
        canvas: images(1, side).squeeze(0).unwrap(),
        patches: images(n, window),
        top,
        left,
    };
    let grad = grad_logits(n, graph.classes());
    let (expected, trace) = engine.trace(&windowed.paste().unwrap()).unwrap();
    let whole = values(
        &trace
            .backward_to_input(&OutputGrads::of_logits(&grad))
            .unwrap(),
    );
    let (found, trace) = engine.trace_window(&windowed).unwrap();
    let found_grad = trace
        .backward_to_window(&OutputGrads::of_logits(&grad))
        .unwrap();
    let inferred = engine.infer_window(&windowed).unwrap();
    assert_eq!(values(&inferred.logits), values(&found.logits));
    // The trace's memory comes from the one before: nothing of it may be left.
    let (_, trace) = engine.trace_window(&windowed).unwrap();
    let canvas_alone = trace
        .backward_to_canvas(&OutputGrads::of_logits(&grad))
        .unwrap();
    assert_eq!(values(&canvas_alone), values(&found_grad.canvas));
    let (canvas, patches) = cut(&whole, n, side, [top, left, window]);
    let allowed = match kernels {
        Kernels::Sparse => 1e-5,
        _ => OWN,
    };
    for (what, grads) in of_features(&grad, n, graph.width()) {
        let (_, trace) = engine.trace(&windowed.paste().unwrap()).unwrap();
        let whole = values(&trace.backward_to_input(&grads).unwrap());
        let (_, trace) = engine.trace_window(&windowed).unwrap();
        let found = trace.backward_to_window(&grads).unwrap();
        let (canvas, patches) = cut(&whole, n, side, [top, left, window]);
        let apart = distance(&values(&found.patches), &patches);
        assert!(apart <= allowed, "{what}: patches {apart:.1e}");
        if window < side {
            let apart = distance(&values(&found.canvas), &canvas);
            assert!(apart <= allowed, "{what}: canvas {apart:.1e}");
        }
    }
    [
        distance(&values(&found.logits), &values(&expected.logits)),
        if window == side {
            assert!(values(&found_grad.canvas).iter().all(|&v| v == 0.0));
            0.0
        } else {
            distance(&values(&found_grad.canvas), &canvas)
        },
        distance(&values(&found_grad.patches), &patches),
    ]
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
