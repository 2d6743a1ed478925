//! Small networks and tensors for tests.

use candle_core::{DType, Device, Tensor};
use rut_models::{Bias, CandleNetwork, Conv, Graph, GraphBuilder, MaxPool, NodeId};

use crate::weights_rule;

/// A network by the rule.
pub fn by_rule(graph: &Graph, dtype: DType) -> CandleNetwork {
    CandleNetwork::new(
        graph,
        &weights_rule::weights(graph, None),
        dtype,
        &Device::Cpu,
    )
    .expect("the rule's weights fit")
}

/// The network of the files in `crates/rut-models/tests/fixtures`.
pub fn of_fixtures() -> Graph {
    let mut b = GraphBuilder::new();
    let x = b.input();
    let x = b.conv_same(x, "conv1".into(), [2, 3, 3], 1);
    let x = b.batch_norm(x, "bn1".into(), 2);
    let x = b.relu(x);
    let x = b.global_avg_pool(x);
    let x = b.flatten(x);
    b.finish(x, "fc", 2, 4)
}

/// A convolution by the values of one test case.
pub fn conv(
    param: &str,
    [out_channels, in_channels]: [usize; 2],
    [kernel, stride, padding]: [usize; 3],
    bias: Bias,
) -> Conv {
    Conv {
        param: param.into(),
        in_channels,
        out_channels,
        kernel,
        stride,
        padding,
        bias,
    }
}

/// Every operation once, with a branch: what a gradient test should cover.
pub fn every_operation() -> Graph {
    let mut b = GraphBuilder::new();
    let x = b.input();
    let x = b.conv(x, conv("conv1", [4, 3], [5, 2, 2], Bias::Added));
    let x = b.batch_norm(x, "bn1".into(), 4);
    let x = b.relu(x);
    let x = b.max_pool(
        x,
        MaxPool {
            kernel: 3,
            stride: 2,
            padding: 1,
        },
    );
    let y = block(&mut b, x);
    let past = b.option_a_shortcut(x, 8);
    let x = b.add(y, past);
    let x = b.relu(x);
    let x = b.conv(x, conv("conv4", [12, 8], [1, 2, 0], Bias::None));
    let x = b.adaptive_avg_pool(x, 2);
    let x = b.flatten(x);
    b.finish(x, "fc", 48, 5)
}

fn block(b: &mut GraphBuilder, x: NodeId) -> NodeId {
    let x = b.conv(x, conv("conv2", [16, 4], [3, 2, 1], Bias::None));
    let x = b.relu(x);
    b.conv(x, conv("conv3", [8, 16], [3, 1, 1], Bias::Added))
}

/// One convolution and nothing that bends: its output is the logits.
pub fn only_conv(conv: Conv) -> Graph {
    let out = conv.out_channels;
    let mut b = GraphBuilder::new();
    let x = b.input();
    let x = b.conv(x, conv);
    let x = b.adaptive_avg_pool(x, 3);
    let x = b.flatten(x);
    b.finish(x, "fc", 9 * out, 7)
}

/// Numbers in [-1, 1) for `name`.
pub fn noise(name: &str, shape: &[usize], dtype: DType) -> Tensor {
    let values: Vec<f64> = weights_rule::uniform(name, shape.iter().product())
        .map(|u| 2.0 * u - 1.0)
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu)
        .unwrap()
        .to_dtype(dtype)
        .unwrap()
}

/// All elements as f64.
pub fn values(tensor: &Tensor) -> Vec<f64> {
    tensor
        .to_dtype(DType::F64)
        .unwrap()
        .flatten_all()
        .unwrap()
        .to_vec1()
        .unwrap()
}

/// Σ a·b.
pub fn dot(a: &Tensor, b: &Tensor) -> f64 {
    values(a).iter().zip(values(b)).map(|(a, b)| a * b).sum()
}
