//! Networks whose activations have few bits: both engines agree, whole images and windows, forward and backward.
//!
//! Weights are -1, 0 and 1, pixels multiples of a step, biases a third of a step above one, and scales the step times a
//! power of three. So no sum is near 0 and no quotient near a half, and engines that sum in another order decide alike.

mod common;

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use common::nets::{every_operation, values};
use rut_kernels::bf16::Bf16Isa;
use rut_models::{
    ActivationRange, Array, Bf16Network, CandleNetwork, CpuNetwork, FrozenNetwork, Graph, Kernels,
    OutputGrads, ParameterKind, Weights, Windowed, find,
};
use rut_testkit::close::{Tolerance, assert_close};
use rut_testkit::weights_rule::uniform;

const STEP: f32 = 1.0 / 64.0;
const CLOSE: Tolerance = Tolerance::rel(2e-6);

/// Every bit width that differs in kind: cut off everywhere, often, hardly.
const BITS: [u32; 3] = [1, 3, 8];

#[test]
fn the_fast_engine_gives_what_the_reference_gives() {
    for (name, graph, side) in graphs() {
        for bits in BITS {
            for kernels in [Kernels::Dense, Kernels::Sparse] {
                agree(name, &graph, side, bits, kernels);
            }
        }
    }
}

fn graphs() -> [(&'static str, Graph, usize); 2] {
    [
        ("every operation", every_operation(), 37),
        ("resnet20", find("resnet20_cifar10").unwrap().build(), 20),
    ]
}

fn agree(name: &str, graph: &Graph, side: usize, bits: u32, kernels: Kernels) {
    let what = format!("{name}, {bits} bits, {kernels:?}");
    let (quantized, weights) = network(graph, bits);
    let reference = CandleNetwork::new(&quantized, &weights, DType::F32, &Device::Cpu).unwrap();
    let fast = CpuNetwork::new(&quantized, &weights, kernels).unwrap();
    let images = steps("images", &[19, 3, side, side]);
    let grads = OutputGrads::of_logits(&steps("grads", &[19, graph.classes()]));
    let (expected, trace) = reference.trace(&images).unwrap();
    let expected_gradient = trace.backward_to_input(&grads).unwrap();
    let (found, trace) = fast.trace(&images).unwrap();
    let gradient = trace.backward_to_input(&grads).unwrap();
    let inferred = fast.infer(&images).unwrap();
    for (found, expected) in [
        (&found.features, &expected.features),
        (&found.logits, &expected.logits),
        (&gradient, &expected_gradient),
        (&inferred.logits, &expected.logits),
    ] {
        assert_close(&what, &values(found), &values(expected), CLOSE);
    }
    // It is another network than the one whose activations have all bits.
    let plain = CandleNetwork::new(graph, &weights, DType::F32, &Device::Cpu).unwrap();
    let plain = plain.infer(&images).unwrap();
    assert_ne!(values(&plain.logits), values(&expected.logits), "{what}");
}

#[test]
fn a_window_gives_what_pasting_gives() {
    for (name, graph, side) in graphs() {
        for bits in BITS {
            for (top, left, window) in [(3, 3, 8), (0, 11, 9), (12, 1, 5)] {
                let (quantized, weights) = network(&graph, bits);
                let fast = CpuNetwork::new(&quantized, &weights, Kernels::Auto).unwrap();
                let windowed = Windowed {
                    canvas: steps("canvas", &[3, side, side]),
                    patches: steps("patches", &[19, 3, window, window]),
                    top,
                    left,
                };
                let grads = OutputGrads::of_logits(&steps("grads", &[19, graph.classes()]));
                let (expected, trace) = fast.trace(&windowed.paste().unwrap()).unwrap();
                let whole = trace.backward_to_input(&grads).unwrap();
                let (found, trace) = fast.trace_window(&windowed).unwrap();
                let gradients = trace.backward_to_window(&grads).unwrap();
                let what = format!("{name}, {bits} bits, window {top} {left} {window}");
                assert_close(
                    &what,
                    &values(&found.logits),
                    &values(&expected.logits),
                    CLOSE,
                );
                let cut = |images: &Tensor| {
                    let rows = images.narrow(2, top, window).unwrap();
                    rows.narrow(3, left, window).unwrap()
                };
                assert_close(
                    &what,
                    &values(&gradients.patches),
                    &values(&cut(&whole)),
                    CLOSE,
                );
                let mut sums = values(&whole.sum(0).unwrap());
                for (at, sum) in sums.iter_mut().enumerate() {
                    let (y, x) = (at / side % side, at % side);
                    if (top..top + window).contains(&y) && (left..left + window).contains(&x) {
                        *sum = 0.0;
                    }
                }
                assert_close(&what, &values(&gradients.canvas), &sums, CLOSE);
            }
        }
    }
}

#[test]
fn bfloat16_refuses_them_by_name() {
    let (quantized, weights) = network(&every_operation(), 4);
    let made = Bf16Network::on(&quantized, &weights, Bf16Isa::Portable);
    let error = made.map(|_| ()).unwrap_err().to_string();
    assert!(
        error.contains("activations of few bits are computed in f32 alone; use the precision f32"),
        "{error}"
    );
}

#[test]
fn ranges_that_do_not_fit_are_refused() {
    let graph = every_operation();
    let range = ActivationRange::new(8, 0.5).unwrap();
    let few = graph.with_quantized_activations(&[range; 2]);
    let text = few.unwrap_err().to_string();
    assert!(text.contains("2 ranges, expected 3"), "{text}");
    let quantized = graph.with_quantized_activations(&[range; 3]).unwrap();
    assert!(quantized.with_quantized_activations(&[range; 3]).is_err());
    for (bits, scale) in [(8, 0.0), (8, f32::NAN), (0, 0.5), (17, 0.5)] {
        let text = ActivationRange::new(bits, scale).unwrap_err().to_string();
        assert!(
            text.contains(&format!("{bits} bits and a scale of {scale}")),
            "{text}"
        );
    }
}

/// The graph with quantized activations, and weights for both.
fn network(graph: &Graph, bits: u32) -> (Graph, Weights) {
    let arrays = graph.parameters().into_iter().map(|parameter| {
        let count = parameter.shape.iter().product();
        let numbers = uniform(&parameter.name, count);
        let data = match parameter.kind {
            ParameterKind::ConvWeight | ParameterKind::LinearWeight => {
                // Few, so that sums stay small.
                let fan_in: usize = parameter.shape[1..].iter().product();
                let share = (6.0 / fan_in as f64).min(0.5);
                let number = |u: f64| (f64::from(u > 1.0 - share) - f64::from(u < share)) as f32;
                numbers.map(number).collect()
            }
            ParameterKind::NormWeight => vec![1.0; count],
            // With eps it is 1.
            ParameterKind::NormVariance => vec![1.0 - 1e-5; count],
            ParameterKind::NormMean => vec![0.0; count],
            _ => numbers.map(|u| step(u) + STEP / 3.0).collect(),
        };
        let shape = parameter.shape;
        (parameter.name, Array { shape, data })
    });
    let arrays: BTreeMap<String, Array> = arrays.collect();
    let weights = Weights::from_arrays(graph, arrays).unwrap();
    let scales = [3.0, 9.0, 27.0].into_iter().cycle();
    let ranges: Vec<ActivationRange> = scales
        .take(graph.relus().count())
        .map(|factor| ActivationRange::new(bits, STEP * factor).unwrap())
        .collect();
    (graph.with_quantized_activations(&ranges).unwrap(), weights)
}

/// A multiple of the step, in [-1, 1].
fn step(u: f64) -> f32 {
    ((2.0 * u - 1.0) / f64::from(STEP)).round() as f32 * STEP
}

fn steps(name: &str, shape: &[usize]) -> Tensor {
    let data: Vec<f32> = uniform(name, shape.iter().product()).map(step).collect();
    Tensor::from_vec(data, shape, &Device::Cpu).unwrap()
}
