//! The engine in bfloat16 against the reference engine: every network of the table.

#![expect(
    clippy::print_stdout,
    reason = "what was reached is part of the test's result"
)]

mod common;

use candle_core::{DType, Device, Tensor};
use common::nets::{every_operation, values};
use rut_models::{
    Bf16Network, CandleNetwork, FrozenNetwork, Graph, GraphBuilder, MODELS, OutputGrads, Trace,
    find,
};
use rut_testkit::close::relative_l2;
use rut_testkit::weights_rule;

fn images(n: usize, side: usize) -> Tensor {
    let pixels = weights_rule::image("engine", n * 3 * side * side);
    let centred: Vec<f32> = pixels.into_iter().map(|p| 4.0 * (p - 0.5)).collect();
    Tensor::from_vec(centred, (n, 3, side, side), &Device::Cpu).unwrap()
}

fn grads(n: usize, classes: usize) -> OutputGrads {
    let values = weights_rule::image("grad", n * classes);
    let centred: Vec<f32> = values.into_iter().map(|v| v - 0.5).collect();
    OutputGrads::of_logits(&Tensor::from_vec(centred, (n, classes), &Device::Cpu).unwrap())
}

#[test]
fn x() {
    for name in [
        "resnet20_cifar100",
        "resnet18",
        "resnet50",
        "vgg11",
        "vgg11_bn",
    ] {
        let model = find(name).unwrap();
        let graph = model.build();
        let (n, side) = if name.contains("cifar") {
            (18, 32)
        } else {
            (3, 64)
        };
        against(name, &graph, n, side);
    }
    against("every operation", &every_operation(), 5, 37);
}

fn against(name: &str, graph: &Graph, n: usize, side: usize) {
    let weights = weights_rule::weights(graph, None);
    let reference = CandleNetwork::new(graph, &weights, DType::F32, &Device::Cpu).unwrap();
    let engine = Bf16Network::new(graph, &weights).unwrap();
    let (images, grads) = (images(n, side), grads(n, graph.classes()));
    let expected = reference.infer(&images).unwrap();
    let (found, trace) = engine.trace_blocks(&images).unwrap();
    let record = trace.record().unwrap();
    let replayed = reference.backward_with_record(&record, &grads).unwrap();
    let back = Box::new(trace).backward_to_input(&grads).unwrap();
    let logits = relative_l2(&values(&found.logits), &values(&expected.logits));
    let gradient = relative_l2(&values(&back), &values(&replayed));
    println!("{name}: logits {logits:.1e}, gradient {gradient:.1e} replayed");
}
