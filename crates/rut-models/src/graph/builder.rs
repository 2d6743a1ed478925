//! Puts a graph together node by node, in the order of evaluation.

use super::{BatchNorm, Bias, Conv, Graph, Linear, MaxPool, Node, NodeId, Op};

/// Builds a [`Graph`]. A node can only read nodes that were added before it, so a graph has no cycles; whether the
/// channels fit is checked when shapes are asked for ([`Graph::shapes`]).
///
/// ```
/// use rut_models::{Bias, Conv, GraphBuilder};
/// let mut b = GraphBuilder::new();
/// let x = b.input();
/// let x = b.conv(x, Conv { param: "conv1".into(), in_channels: 3, out_channels: 8, kernel: 3, stride: 2, padding: 1, bias: Bias::None });
/// let x = b.relu(x);
/// let x = b.global_avg_pool(x);
/// let x = b.flatten(x);
/// let graph = b.finish(x, "fc", 8, 10);
/// assert_eq!(graph.parameters()[0].shape, [8, 3, 3, 3]);
/// ```
#[derive(Debug, Clone)]
pub struct GraphBuilder {
    nodes: Vec<Node>,
}

impl Default for GraphBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl GraphBuilder {
    /// A graph of its input alone.
    pub fn new() -> Self {
        let input = Node {
            op: Op::Input,
            inputs: Vec::new(),
        };
        Self { nodes: vec![input] }
    }

    /// The input.
    pub fn input(&self) -> NodeId {
        NodeId(0)
    }

    /// Adds a convolution.
    pub fn conv(&mut self, x: NodeId, conv: Conv) -> NodeId {
        self.push(Op::Conv(conv), vec![x])
    }

    /// Adds a convolution without bias, `[out, in, kernel, kernel]`, padded to keep the size at stride 1.
    pub fn conv_same(
        &mut self,
        x: NodeId,
        param: String,
        [out_channels, in_channels, kernel]: [usize; 3],
        stride: usize,
    ) -> NodeId {
        let padding = kernel / 2;
        let bias = Bias::None;
        self.conv(
            x,
            Conv {
                param,
                in_channels,
                out_channels,
                kernel,
                stride,
                padding,
                bias,
            },
        )
    }

    /// Adds a batch norm with PyTorch's default eps, 1e-5.
    pub fn batch_norm(&mut self, x: NodeId, param: String, channels: usize) -> NodeId {
        let norm = BatchNorm {
            param,
            channels,
            eps: 1e-5,
        };
        self.push(Op::BatchNorm(norm), vec![x])
    }

    /// Adds a ReLU.
    pub fn relu(&mut self, x: NodeId) -> NodeId {
        self.push(Op::Relu, vec![x])
    }

    /// Adds a max-pool.
    pub fn max_pool(&mut self, x: NodeId, pool: MaxPool) -> NodeId {
        self.push(Op::MaxPool(pool), vec![x])
    }

    /// Adds a sum.
    pub fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.push(Op::Add, vec![a, b])
    }

    /// Adds a shortcut without parameters ([`Op::OptionAShortcut`]).
    pub fn option_a_shortcut(&mut self, x: NodeId, out_channels: usize) -> NodeId {
        self.push(Op::OptionAShortcut { out_channels }, vec![x])
    }

    /// Adds means over a `side` × `side` grid.
    pub fn adaptive_avg_pool(&mut self, x: NodeId, side: usize) -> NodeId {
        self.push(Op::AdaptiveAvgPool { side }, vec![x])
    }

    /// Adds the mean over all pixels.
    pub fn global_avg_pool(&mut self, x: NodeId) -> NodeId {
        self.push(Op::GlobalAvgPool, vec![x])
    }

    /// Adds a flattening.
    pub fn flatten(&mut self, x: NodeId) -> NodeId {
        self.push(Op::Flatten, vec![x])
    }

    /// Adds a fully connected layer.
    pub fn linear(&mut self, x: NodeId, linear: Linear) -> NodeId {
        self.push(Op::Linear(linear), vec![x])
    }

    /// Adds the last linear layer, which turns `features` into logits, and ends the graph.
    pub fn finish(mut self, features: NodeId, param: &str, width: usize, classes: usize) -> Graph {
        let classifier = Linear {
            param: param.into(),
            in_features: width,
            out_features: classes,
        };
        self.linear(features, classifier.clone());
        Graph {
            nodes: self.nodes,
            features,
            classifier,
        }
    }

    fn push(&mut self, op: Op, inputs: Vec<NodeId>) -> NodeId {
        self.nodes.push(Node { op, inputs });
        NodeId(self.nodes.len() - 1)
    }
}
