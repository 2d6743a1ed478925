//! Results must not depend on the number of threads, to the bit. The number is fixed when a process starts, so the test
//! runs itself again in processes with one and with two.

#![expect(clippy::print_stdout, reason = "a child process reports to its parent")]

mod common;

use std::process::Command;

use candle_core::{DType, Tensor};
use common::bf16::engine;
use common::nets::{by_rule, noise, values};
use rut_models::{CpuNetwork, FrozenNetwork, Kernels, OutputGrads, Windowed, find};
use rut_testkit::weights_rule;

const THREADS: &str = "RAYON_NUM_THREADS";
const CHILD: &str = "RUT_TEST_CHILD";

fn bits(tensor: &Tensor) -> u64 {
    let step = |hash: u64, value: f64| {
        (hash ^ value.to_bits())
            .wrapping_mul(0x100_0000_01B3)
            .rotate_left(17)
    };
    values(tensor).into_iter().fold(0xCBF2_9CE4_8422_2325, step)
}

fn print_bits() {
    for (model, n, side) in [("resnet20_cifar100", 5, 32), ("resnet18", 2, 112)] {
        let model = find(model).unwrap();
        for dtype in [DType::F32, DType::F64] {
            let net = by_rule(&model.build(), dtype);
            let (outputs, trace) = net.trace(&noise("x", &[n, 3, side, side], dtype)).unwrap();
            let grad = trace
                .backward_to_input(&OutputGrads::of_logits(&noise(
                    "g",
                    &[n, model.classes],
                    dtype,
                )))
                .unwrap();
            println!(
                "bits {} {dtype:?} {:x} {:x} {:x}",
                model.name,
                bits(&outputs.features),
                bits(&outputs.logits),
                bits(&grad)
            );
        }
    }
}

fn print_engine_bits() {
    for (model, n, side) in [("resnet20_cifar100", 35, 32), ("resnet18", 17, 64)] {
        let graph = find(model).unwrap().build();
        for (density, window) in [(None, 9), (Some(0.2), 14)] {
            let weights = weights_rule::weights(&graph, density);
            let net = CpuNetwork::new(&graph, &weights, Kernels::Auto).unwrap();
            let g = noise("g", &[n, graph.classes()], DType::F32);
            let images = noise("x", &[n, 3, side, side], DType::F32);
            let (outputs, trace) = net.trace(&images).unwrap();
            let windowed = Windowed {
                canvas: noise("c", &[3, side, side], DType::F32),
                patches: noise("p", &[n, 3, window, window], DType::F32),
                top: 4,
                left: 11,
            };
            let (in_window, window_trace) = net.trace_window(&windowed).unwrap();
            let grads = window_trace
                .backward_to_window(&OutputGrads::of_logits(&g))
                .unwrap();
            println!(
                "bits engine {model} {:x} {:x} {:x} {:x} {:x}",
                bits(&outputs.logits),
                bits(
                    &trace
                        .backward_to_input(&OutputGrads::of_logits(&g))
                        .unwrap()
                ),
                bits(&in_window.logits),
                bits(&grads.canvas),
                bits(&grads.patches)
            );
        }
    }
}

fn print_bf16_bits() {
    for (model, n, side) in [("resnet20_cifar100", 35, 32), ("resnet18", 17, 64)] {
        let graph = find(model).unwrap().build();
        let net = engine(&graph, &weights_rule::weights(&graph, None));
        let g = OutputGrads::of_logits(&noise("g", &[n, graph.classes()], DType::F32));
        let images = noise("x", &[n, 3, side, side], DType::F32);
        let (outputs, trace) = net.trace(&images).unwrap();
        let windowed = Windowed {
            canvas: noise("c", &[3, side, side], DType::F32),
            patches: noise("p", &[n, 3, 9, 9], DType::F32),
            top: 4,
            left: 11,
        };
        let (in_window, window_trace) = net.trace_window(&windowed).unwrap();
        let grads = window_trace.backward_to_window(&g).unwrap();
        println!(
            "bits bf16 {model} {:x} {:x} {:x} {:x} {:x}",
            bits(&outputs.logits),
            bits(&trace.backward_to_input(&g).unwrap()),
            bits(&in_window.logits),
            bits(&grads.canvas),
            bits(&grads.patches)
        );
    }
}

fn in_a_process_with(threads: &str) -> Vec<String> {
    let test = "results_do_not_depend_on_the_number_of_threads";
    let child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(THREADS, threads)
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8(child.stdout).unwrap();
    assert!(child.status.success(), "{text}");
    text.lines()
        .filter_map(|line| line.split_once("bits "))
        .map(|(_, bits)| bits.to_string())
        .collect()
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    if std::env::var_os(CHILD).is_some() {
        print_bits();
        print_engine_bits();
        return print_bf16_bits();
    }
    let one = in_a_process_with("1");
    assert_eq!(one.len(), 10);
    for threads in ["2", "3"] {
        assert_eq!(
            one,
            in_a_process_with(threads),
            "1 against {threads} threads"
        );
    }
}
