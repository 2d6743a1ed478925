//! Windows of the engine in bfloat16 against whole images: forward to the bit, and so are the patches' gradients; that of
//! the canvas is summed over the batch before it is rounded.

#![expect(
    clippy::print_stdout,
    reason = "what was reached is part of the test's result"
)]

mod common;

use candle_core::{Device, Tensor};
use common::bf16::{engine, isa};
use common::nets::{every_operation, values};
use rut_kernels::bf16::Bf16Isa;
use rut_models::{FrozenNetwork, Graph, OutputGrads, Windowed, find};
use rut_testkit::close::relative_l2;
use rut_testkit::weights_rule;

/// Relative L2 of the canvas's gradient: of the roundings of each image's, which the sum does not have, and of its own.
const CANVAS: f64 = 1e-2;

/// A network, the side of its images, and the top, left and side of the window.
const WINDOWS: &[(&str, usize, [usize; 3])] = &[
    ("resnet20_cifar100", 32, [8, 8, 8]),
    ("resnet20_cifar100", 32, [0, 0, 3]),
    ("resnet20_cifar10", 32, [31, 30, 1]),
    ("resnet20_cifar10", 32, [0, 0, 32]),
    ("resnet18", 128, [48, 48, 32]),
    ("resnet50", 96, [40, 37, 12]),
    ("resnet50", 96, [0, 90, 6]),
    ("vgg11_bn", 64, [5, 40, 9]),
];

#[test]
fn a_window_gives_what_pasting_gives() {
    for &(name, side, place) in WINDOWS {
        // Plain Rust takes minutes for the larger ones.
        if isa() == Bf16Isa::Portable && side > 64 {
            continue;
        }
        check(name, &find(name).unwrap().build(), side, place);
    }
    for place in [[3, 3, 8], [0, 20, 17], [30, 30, 7]] {
        check("every operation", &every_operation(), 37, place);
    }
}

fn check(name: &str, graph: &Graph, side: usize, [top, left, window]: [usize; 3]) {
    let weights = weights_rule::weights(graph, None);
    let engine = engine(graph, &weights);
    let n = 19;
    let windowed = Windowed {
        canvas: noise("canvas", &[3, side, side]),
        patches: noise("patches", &[n, 3, window, window]),
        top,
        left,
    };
    let grads = OutputGrads::of_logits(&noise("grad", &[n, graph.classes()]));
    let (expected, trace) = engine.trace(&windowed.paste().unwrap()).unwrap();
    let whole = trace.backward_to_input(&grads).unwrap();
    let (found, trace) = engine.trace_window(&windowed).unwrap();
    let gradients = trace.backward_to_window(&grads).unwrap();
    let alone = engine
        .trace_window(&windowed)
        .unwrap()
        .1
        .backward_to_canvas(&grads)
        .unwrap();
    let inferred = engine.infer_window(&windowed).unwrap();
    for outputs in [&found, &inferred] {
        assert_eq!(
            values(&outputs.logits),
            values(&expected.logits),
            "{name} {side}"
        );
        assert_eq!(
            values(&outputs.features),
            values(&expected.features),
            "{name} {side}"
        );
    }
    let patches = whole
        .narrow(2, top, window)
        .unwrap()
        .narrow(3, left, window)
        .unwrap();
    assert_eq!(
        values(&gradients.patches),
        values(&patches),
        "{name} {side}"
    );
    assert_eq!(values(&gradients.canvas), values(&alone), "{name} {side}");
    let mut sums = values(&whole.sum(0).unwrap());
    for (at, sum) in sums.iter_mut().enumerate() {
        let (y, x) = (at / side % side, at % side);
        if (top..top + window).contains(&y) && (left..left + window).contains(&x) {
            *sum = 0.0;
        }
    }
    let canvas = values(&gradients.canvas);
    if sums.iter().all(|&sum| sum == 0.0) {
        assert_eq!(canvas, sums, "{name} {side}");
        return;
    }
    let apart = relative_l2(&canvas, &sums);
    println!("{name} {side}, {top} {left} {window}: canvas {apart:.1e}");
    assert!(apart <= CANVAS, "{name} {side}");
}

fn noise(name: &str, shape: &[usize]) -> Tensor {
    let pixels = weights_rule::image(name, shape.iter().product());
    let centred: Vec<f32> = pixels.into_iter().map(|p| 4.0 * (p - 0.5)).collect();
    Tensor::from_vec(centred, shape, &Device::Cpu).unwrap()
}
