//! VGG networks (Simonyan and Zisserman 2015, arXiv 1409.1556) under the parameter names of `torchvision.models.vgg`.
//! Dropout does nothing in a frozen network, but it takes a number in torchvision's sequence, so it is counted here.

use crate::graph::{Bias, Conv, Graph, GraphBuilder, Linear, MaxPool, NodeId};

/// Channels of each convolution; 0 stands for a max-pool.
type Layout = &'static [usize];

const VGG11: Layout = &[64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0];
const VGG13: Layout = &[
    64, 64, 0, 128, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0,
];
const VGG16: Layout = &[
    64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0,
];
const VGG19: Layout = &[
    64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512, 512, 0,
];

/// Whether each convolution is followed by a batch norm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Norm {
    None,
    Batch,
}

/// VGG-11 with `classes` logits.
pub fn vgg11(classes: usize) -> Graph {
    vgg(VGG11, Norm::None, classes)
}

/// VGG-11 with batch norm.
pub fn vgg11_bn(classes: usize) -> Graph {
    vgg(VGG11, Norm::Batch, classes)
}

/// VGG-13 with `classes` logits.
pub fn vgg13(classes: usize) -> Graph {
    vgg(VGG13, Norm::None, classes)
}

/// VGG-13 with batch norm.
pub fn vgg13_bn(classes: usize) -> Graph {
    vgg(VGG13, Norm::Batch, classes)
}

/// VGG-16 with `classes` logits.
pub fn vgg16(classes: usize) -> Graph {
    vgg(VGG16, Norm::None, classes)
}

/// VGG-16 with batch norm.
pub fn vgg16_bn(classes: usize) -> Graph {
    vgg(VGG16, Norm::Batch, classes)
}

/// VGG-19 with `classes` logits.
pub fn vgg19(classes: usize) -> Graph {
    vgg(VGG19, Norm::None, classes)
}

/// VGG-19 with batch norm.
pub fn vgg19_bn(classes: usize) -> Graph {
    vgg(VGG19, Norm::Batch, classes)
}

fn vgg(layout: Layout, norm: Norm, classes: usize) -> Graph {
    let mut graph = GraphBuilder::new();
    let x = graph.input();
    let x = features(&mut graph, x, layout, norm);
    let x = graph.adaptive_avg_pool(x, 7);
    let x = graph.flatten(x);
    let x = hidden(&mut graph, x, 0, 512 * 7 * 7);
    let x = hidden(&mut graph, x, 3, 4096);
    graph.finish(x, "classifier.6", 4096, classes)
}

/// The convolutions, `features.{number}`: each layer, with or without parameters, takes a number.
fn features(graph: &mut GraphBuilder, mut x: NodeId, layout: Layout, norm: Norm) -> NodeId {
    let (mut number, mut in_channels) = (0, 3);
    for &out_channels in layout {
        if out_channels == 0 {
            x = graph.max_pool(
                x,
                MaxPool {
                    kernel: 2,
                    stride: 2,
                    padding: 0,
                },
            );
            number += 1;
            continue;
        }
        let param = format!("features.{number}");
        x = graph.conv(
            x,
            Conv {
                param,
                in_channels,
                out_channels,
                kernel: 3,
                stride: 1,
                padding: 1,
                bias: Bias::Added,
            },
        );
        number += 1;
        if norm == Norm::Batch {
            x = graph.batch_norm(x, format!("features.{number}"), out_channels);
            number += 1;
        }
        x = graph.relu(x);
        number += 1;
        in_channels = out_channels;
    }
    x
}

/// `classifier.{number}` with its ReLU.
fn hidden(graph: &mut GraphBuilder, x: NodeId, number: usize, in_features: usize) -> NodeId {
    let param = format!("classifier.{number}");
    let x = graph.linear(
        x,
        Linear {
            param,
            in_features,
            out_features: 4096,
        },
    );
    graph.relu(x)
}
