//! Statistics of batch norms, estimated again, against PyTorch's.

mod common;

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use common::message;
use common::nets::{conv, noise};
use rut_models::{Array, Bias, Conv, Graph, GraphBuilder, Recalibration, Weights, find};
use rut_testkit::close::{Tolerance, assert_close};
use rut_testkit::{place, weights_rule};
use serde_json::Value;

/// The small network of `golden/methods/tickets.safetensors`.
fn small() -> Graph {
    let mut b = GraphBuilder::new();
    let x = b.input();
    let x = b.conv_same(x, "conv1".into(), [4, 3, 3], 1);
    let x = b.batch_norm(x, "bn1".into(), 4);
    let x = b.relu(x);
    let strided = Conv {
        stride: 2,
        ..conv("conv2", [6, 4], [3, 2, 1], Bias::None)
    };
    let x = b.conv(x, strided);
    let x = b.batch_norm(x, "bn2".into(), 6);
    let x = b.relu(x);
    let x = b.global_avg_pool(x);
    let x = b.flatten(x);
    b.finish(x, "fc", 6, 5)
}

fn golden() -> Value {
    let text = std::fs::read_to_string(place::golden("recalibration.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Recalibrates in f64 and in f32, and compares.
fn compare(network: &str, graph: &Graph, weights: &Weights, images: &Tensor) {
    let golden = &golden()[network];
    let size = golden["batch_size"].as_u64().unwrap() as usize;
    for (dtype, tolerance) in [(DType::F64, 1e-6), (DType::F32, 1e-5)] {
        let mut recalibration = Recalibration::new(graph, weights, dtype).unwrap();
        let images = images.to_dtype(dtype).unwrap();
        let n = images.dim(0).unwrap();
        for start in (0..n).step_by(size) {
            let batch = images.narrow(0, start, size.min(n - start)).unwrap();
            recalibration.add(&batch).unwrap();
        }
        let found = recalibration.finish().unwrap();
        let buffers = golden["buffers"].as_object().unwrap();
        assert_eq!(found.len(), buffers.len());
        for (name, want) in buffers {
            let number = |value: &Value| value.as_f64().unwrap();
            let array = &found[name];
            let got: Vec<f64> = array.data.iter().map(|&v| f64::from(v)).collect();
            let first: Vec<f64> = want["first"]
                .as_array()
                .unwrap()
                .iter()
                .map(number)
                .collect();
            let what = format!("{network} {name} {dtype:?}");
            assert_close(
                &what,
                &got[..first.len()],
                &first,
                Tolerance::rel(tolerance),
            );
            let sum: f64 = got.iter().sum();
            let scale: f64 = got.iter().map(|v| v.abs()).sum();
            let apart = (sum - number(&want["sum"])).abs() / scale;
            assert!(apart < tolerance, "{what}: sum {sum} is {apart:e} off");
        }
    }
}

#[test]
fn a_masked_resnet18_has_the_statistics_of_pytorch() {
    let graph = find("resnet18").unwrap().build();
    let weights = weights_rule::weights(&graph, Some(0.4096));
    let images = weights_rule::image("recalibration", 7 * 3 * 64 * 64);
    let images = Tensor::from_vec(images, (7, 3, 64, 64), &Device::Cpu).unwrap();
    compare("resnet18", &graph, &weights, &images);
}

#[test]
fn batches_count_alike_whatever_their_size() {
    let file = place::golden("methods/tickets.safetensors");
    let tensors = candle_core::safetensors::load(file, &Device::Cpu).unwrap();
    let graph = small();
    let arrays = graph.parameters().into_iter().map(|p| {
        let tensor = &tensors[&format!("net.{}", p.name)];
        let data: Vec<f32> = common::nets::values(tensor)
            .iter()
            .map(|&v| v as f32)
            .collect();
        (
            p.name,
            Array {
                shape: p.shape,
                data,
            },
        )
    });
    let weights = Weights::from_arrays(&graph, arrays.collect()).unwrap();
    compare("small", &graph, &weights, &tensors["x"]);
}

#[test]
fn what_cannot_be_estimated_is_said() {
    let (with, without) = (
        find("resnet18").unwrap().build(),
        find("vgg11").unwrap().build(),
    );
    let ones = |graph: &Graph| {
        let arrays = graph.parameters().into_iter().map(|p| {
            let data = vec![0.5; p.shape.iter().product()];
            (
                p.name,
                Array {
                    shape: p.shape,
                    data,
                },
            )
        });
        Weights::from_arrays(graph, arrays.collect::<BTreeMap<_, _>>()).unwrap()
    };
    assert_eq!(
        message(Recalibration::new(&without, &ones(&without), DType::F32)),
        "recalibrate the network: it has no batch norm, whose statistics would be estimated; leave the recalibration out"
    );
    let begun = || Recalibration::new(&with, &ones(&with), DType::F32).unwrap();
    assert!(message(begun().finish()).contains("no images"));
    // At 32 pixels the last stage has a single one.
    let one = noise("x", &[1, 3, 32, 32], DType::F32);
    let refused = message(begun().add(&one));
    assert!(
        refused.contains("`layer4.0.bn1` has a single value"),
        "{refused}"
    );
    let mut overflowing = begun();
    overflowing
        .add(&(noise("x", &[2, 3, 64, 64], DType::F32) * 3e38).unwrap())
        .unwrap();
    let refused = message(overflowing.finish());
    assert!(refused.contains("expected finite numbers"), "{refused}");
}
