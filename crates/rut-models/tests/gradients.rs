//! Gradients of the reference engine without another framework: adjoint and difference tests, the max-pool's rules,
//! records, and the errors of a pass.

#![expect(
    clippy::print_stdout,
    reason = "what was reached is part of the test's result"
)]

mod common;

use candle_core::{DType, Device, Tensor};
use common::nets::{self, by_rule, conv, dot, every_operation, noise, only_conv, values};
use rut_models::{
    Bias, CandleNetwork, Error, FrozenNetwork, Graph, GraphBuilder, MaxPool, OutputGrads, find,
};
use rut_testkit::close::{Tolerance, assert_close};

/// Two sums of the same products in another order, in f64.
const SAME_SUM: Tolerance = Tolerance::rel(1e-11);
/// A central difference of a piecewise linear function in f64, away from its kinks; rounding of the values is divided by
/// the step.
const DIFFERENCE: Tolerance = Tolerance {
    abs: 1e-7,
    rel: 1e-6,
};

const SIZES: [[usize; 2]; 4] = [[11, 11], [12, 13], [17, 10], [9, 16]];

/// ⟨J·x, g⟩ = ⟨x, Jᵀ·g⟩, where J·x is the network's value minus its value at 0.
#[test]
fn convolutions_are_adjoint() {
    let shapes = [
        [1, 1, 0],
        [1, 2, 0],
        [2, 2, 0],
        [3, 1, 1],
        [3, 2, 1],
        [3, 2, 0],
        [5, 2, 2],
        [7, 2, 3],
        [3, 3, 1],
        [5, 3, 4],
    ];
    for (shape, channels) in shapes
        .into_iter()
        .flat_map(|shape| [(shape, [6, 3]), (shape, [2, 3])])
    {
        let net = by_rule(
            &only_conv(conv("conv1", channels, shape, Bias::Added)),
            DType::F64,
        );
        for [h, w] in SIZES {
            check_adjoint(&net, [h, w], &format!("{shape:?} {channels:?} on {h}×{w}"));
        }
    }
}

/// The same behind another convolution, with many input channels, which takes the path of the turned kernel.
#[test]
fn wide_convolutions_are_adjoint() {
    for [kernel, stride, padding] in [
        [3, 1, 1],
        [3, 1, 0],
        [3, 1, 2],
        [1, 2, 0],
        [5, 1, 1],
        [3, 2, 1],
    ] {
        let mut b = GraphBuilder::new();
        let x = b.input();
        let x = b.conv(x, conv("conv1", [32, 3], [3, 1, 1], Bias::None));
        let x = b.conv(
            x,
            conv("conv2", [5, 32], [kernel, stride, padding], Bias::Added),
        );
        let x = b.global_avg_pool(x);
        let x = b.flatten(x);
        let net = by_rule(&b.finish(x, "fc", 5, 7), DType::F64);
        for [h, w] in SIZES {
            check_adjoint(
                &net,
                [h, w],
                &format!("{kernel} {stride} {padding} on {h}×{w}"),
            );
        }
    }
}

fn check_adjoint(net: &CandleNetwork, [h, w]: [usize; 2], what: &str) {
    let x = noise("x", &[2, 3, h, w], DType::F64);
    let g = noise("g", &[2, 7], DType::F64);
    let zero = net.infer(&x.zeros_like().unwrap()).unwrap().logits;
    let (outputs, trace) = net.trace(&x).unwrap();
    let forward = dot(&(outputs.logits - zero).unwrap(), &g);
    let backward = dot(
        &x,
        &trace
            .backward_to_input(&OutputGrads::of_logits(&g))
            .unwrap(),
    );
    assert_close(what, &[backward], &[forward], SAME_SUM);
    check_adjoint_of_features(net, &x, what);
}

/// The same of the features, alone and with the logits: `<outputs(x) - outputs(0), g> = <x, back(g)>`.
fn check_adjoint_of_features(net: &CandleNetwork, x: &Tensor, what: &str) {
    let zero = net.infer(&x.zeros_like().unwrap()).unwrap();
    let n = x.dim(0).unwrap();
    let (of_features, of_logits) = (
        noise("g of features", &[n, net.width()], DType::F64),
        noise("g", &[n, net.classes()], DType::F64),
    );
    for logits in [None, Some(of_logits)] {
        let (outputs, trace) = net.trace(x).unwrap();
        let mut forward = dot(&(outputs.features - &zero.features).unwrap(), &of_features);
        if let Some(g) = &logits {
            forward += dot(&(outputs.logits - &zero.logits).unwrap(), g);
        }
        let grads = OutputGrads {
            features: Some(of_features.clone()),
            logits,
        };
        let backward = dot(x, &trace.backward_to_input(&grads).unwrap());
        assert_close(what, &[backward], &[forward], SAME_SUM);
    }
}

#[test]
fn every_operation_matches_differences() {
    for (graph, size) in [
        (every_operation(), [23, 21]),
        (every_operation(), [32, 24]),
        (small_cifar(), [32, 32]),
    ] {
        let net = by_rule(&graph, DType::F64);
        let shape = [1, 3, size[0], size[1]];
        let x = noise("x", &shape, DType::F64);
        let g = noise("g", &[1, graph.classes()], DType::F64);
        let features = noise("features", &[1, graph.width()], DType::F64);
        let value = |x: &Tensor| {
            let outputs = net.infer(x).unwrap();
            dot(&outputs.logits, &g) + dot(&outputs.features, &features)
        };
        let (_, trace) = net.trace(&x).unwrap();
        let grads = OutputGrads {
            features: Some(features.clone()),
            logits: Some(g.clone()),
        };
        let grad = trace.backward_to_input(&grads).unwrap();
        for direction in 0..6 {
            let d = noise(&format!("direction {direction}"), &shape, DType::F64);
            let step = 1e-7;
            let ahead = value(&(&x + (&d * step).unwrap()).unwrap());
            let behind = value(&(&x - (&d * step).unwrap()).unwrap());
            assert_close(
                "difference",
                &[dot(&grad, &d)],
                &[(ahead - behind) / (2.0 * step)],
                DIFFERENCE,
            );
        }
    }
}

fn small_cifar() -> Graph {
    find("resnet20_cifar10").unwrap().build()
}

/// A network that only pools: logits are the four maxima.
fn only_pool(pool: MaxPool, outputs: usize) -> (Graph, rut_models::Weights) {
    let mut b = GraphBuilder::new();
    let x = b.input();
    let x = b.max_pool(x, pool);
    let x = b.flatten(x);
    let graph = b.finish(x, "fc", outputs, outputs);
    let array = |p: rut_models::Parameter| {
        let diagonal = |i: usize| f32::from(p.shape.len() == 2 && i.is_multiple_of(outputs + 1));
        let data = (0..p.shape.iter().product()).map(diagonal).collect();
        (
            p.name,
            rut_models::Array {
                shape: p.shape,
                data,
            },
        )
    };
    let weights = rut_models::Weights::from_arrays(
        &graph,
        graph.parameters().into_iter().map(array).collect(),
    );
    (graph, weights.unwrap())
}

#[test]
fn max_pool_takes_the_first_maximum_and_ignores_padding() {
    let (graph, weights) = only_pool(
        MaxPool {
            kernel: 3,
            stride: 2,
            padding: 1,
        },
        12,
    );
    let net = CandleNetwork::new(&graph, &weights, DType::F32, &Device::Cpu).unwrap();
    let mut pixels = vec![-2f32; 3 * 16];
    (pixels[5], pixels[6], pixels[9]) = (-1.0, -1.0, -1.0);
    let x = Tensor::from_vec(pixels, (1, 3, 4, 4), &Device::Cpu).unwrap();
    let (outputs, record) = net.trace_recording(&x).unwrap();
    assert_eq!(
        values(&outputs.features)[..6],
        [-1.0, -1.0, -1.0, -1.0, -2.0, -2.0]
    );
    let argmax = values(record.max_pool.values().next().unwrap());
    assert_eq!(
        argmax[..6],
        [5.0, 5.0, 5.0, 5.0, 0.0, 1.0],
        "the first in row-major order, also among equal ones"
    );
    let grad = net
        .backward_with_record(
            &record,
            &OutputGrads::of_logits(&Tensor::ones((1, 12), DType::F32, &Device::Cpu).unwrap()),
        )
        .unwrap();
    assert_eq!(values(&grad)[5], 4.0, "four windows share a maximum");
}

#[test]
fn max_pool_passes_nan_on() {
    let (graph, weights) = only_pool(
        MaxPool {
            kernel: 2,
            stride: 2,
            padding: 0,
        },
        3,
    );
    let net = CandleNetwork::new(&graph, &weights, DType::F64, &Device::Cpu).unwrap();
    let x = Tensor::from_vec(
        [1.0, f64::NAN, 3.0, 2.0].repeat(3),
        (1, 3, 2, 2),
        &Device::Cpu,
    )
    .unwrap();
    let (outputs, record) = net.trace_recording(&x).unwrap();
    assert!(values(&outputs.features)[0].is_nan());
    assert_eq!(values(record.max_pool.values().next().unwrap())[0], 1.0);
}

#[test]
fn a_relu_at_zero_lets_no_gradient_through() {
    let net = by_rule(&nets::of_fixtures(), DType::F64);
    let x = Tensor::zeros((1, 3, 4, 4), DType::F64, &Device::Cpu).unwrap();
    let (_, mut record) = net.trace_recording(&x).unwrap();
    for mask in record.relu.values_mut() {
        *mask = mask.zeros_like().unwrap();
    }
    let grad = net
        .backward_with_record(
            &record,
            &OutputGrads::of_logits(&noise("g", &[1, 4], DType::F64)),
        )
        .unwrap();
    assert_eq!(dot(&grad, &grad), 0.0);
}

#[test]
fn a_record_replayed_is_the_trace() {
    let net = by_rule(&every_operation(), DType::F32);
    let x = noise("x", &[3, 3, 20, 20], DType::F32);
    let g = noise("g", &[3, 5], DType::F32);
    let (traced, trace) = net.trace(&x).unwrap();
    let (recorded, record) = net.trace_recording(&x).unwrap();
    assert_eq!(values(&traced.logits), values(&recorded.logits));
    assert_eq!(
        values(&traced.logits),
        values(&net.infer(&x).unwrap().logits)
    );
    let replayed = net
        .backward_with_record(&record, &OutputGrads::of_logits(&g))
        .unwrap();
    assert_eq!(
        values(
            &trace
                .backward_to_input(&OutputGrads::of_logits(&g))
                .unwrap()
        ),
        values(&replayed)
    );
}

/// With the decisions of f64 replayed, f32 differs from f64 by rounding only.
#[test]
fn a_record_of_f64_replayed_in_f32_agrees_closely() {
    let graph = small_cifar();
    let (single, double) = (by_rule(&graph, DType::F32), by_rule(&graph, DType::F64));
    let x = noise("x", &[4, 3, 32, 32], DType::F64);
    let g = noise("g", &[4, 10], DType::F64);
    let (_, record) = double.trace_recording(&x).unwrap();
    let exact = double
        .backward_with_record(&record, &OutputGrads::of_logits(&g))
        .unwrap();
    let rounded = single
        .backward_with_record(
            &record,
            &OutputGrads::of_logits(&g.to_dtype(DType::F32).unwrap()),
        )
        .unwrap();
    let error = assert_close(
        "replayed",
        &values(&rounded),
        &values(&exact),
        Tolerance::rel(1e-5),
    );
    println!("f32 under the record of f64: {error:.1e} of the largest entry");
}

#[test]
fn wrong_arguments_are_named() {
    let net = by_rule(&nets::of_fixtures(), DType::F32);
    let message = |images: &Tensor| net.infer(images).unwrap_err().to_string();
    assert_eq!(
        message(&noise("x", &[2, 1, 8, 8], DType::F32)),
        "run a frozen network: the batch of images is [2, 1, 8, 8] F32 on Cpu, expected [n, 3, h, w] F32 on Cpu, n at least 1"
    );
    assert!(message(&noise("x", &[2, 3, 8, 8], DType::F64)).contains("F64 on Cpu, expected"));
    assert!(message(&noise("x", &[0, 3, 8, 8], DType::F32)).contains("n at least 1"));
    let (_, trace) = net.trace(&noise("x", &[2, 3, 8, 8], DType::F32)).unwrap();
    let error = trace
        .backward_to_input(&OutputGrads::of_logits(&noise("g", &[2, 3], DType::F32)))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the gradient of the logits is [2, 3] F32 on Cpu, expected [2, 4]")
    );
}

#[test]
fn an_image_below_the_kernel_is_refused() {
    let net = by_rule(
        &only_conv(conv("conv1", [2, 3], [7, 2, 0], Bias::None)),
        DType::F32,
    );
    let error = net
        .infer(&noise("x", &[1, 3, 6, 9], DType::F32))
        .unwrap_err();
    assert!(matches!(error, Error::Graph { node: 1, .. }));
    assert_eq!(
        error.to_string(),
        "evaluate node 1 (convolution): 6 pixels are fewer than its window of 7 (padding 0); use a larger image"
    );
}

#[test]
fn other_element_types_are_refused() {
    let graph = nets::of_fixtures();
    let weights = rut_testkit::weights_rule::weights(&graph, None);
    let error = CandleNetwork::new(&graph, &weights, DType::F16, &Device::Cpu)
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "run a frozen network: the element type is F16, expected F32 or F64"
    );
}
