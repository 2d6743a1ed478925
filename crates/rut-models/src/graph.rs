//! A network as plain data: a list of operations in the order of evaluation, each naming the earlier nodes it reads
//! and the parameters it uses. It computes nothing; engines under `frozen` interpret it.

mod builder;
mod op;
mod quantized;
mod shape;

pub use builder::GraphBuilder;
pub use op::{ActivationRange, BatchNorm, Bias, Conv, Linear, MaxPool, Op};
pub use shape::Shape;

/// The position of a node in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

impl NodeId {
    /// The position: 0 for the input.
    pub fn index(self) -> usize {
        self.0
    }
}

/// One operation and the earlier nodes that it reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// The nodes that are read: none for the input, two for an addition, else one.
    pub inputs: Vec<NodeId>,
}

/// The part that a parameter plays in its layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParameterKind {
    /// `[out, in, kernel, kernel]`.
    ConvWeight,
    /// `[out]`.
    ConvBias,
    /// Scale of a batch norm, `[channels]`.
    NormWeight,
    /// Shift of a batch norm, `[channels]`.
    NormBias,
    /// Running mean of a batch norm, `[channels]`.
    NormMean,
    /// Running variance of a batch norm, `[channels]`.
    NormVariance,
    /// `[out, in]`.
    LinearWeight,
    /// `[out]`.
    LinearBias,
}

/// A parameter of a network under its torchvision state-dict name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// For instance `layer1.0.conv1.weight`.
    pub name: String,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Its part in its layer.
    pub kind: ParameterKind,
}

/// A network as a list of operations; made by a [`GraphBuilder`].
///
/// ```
/// let graph = rut_models::find("resnet50").unwrap().build();
/// let weights: usize = graph.parameters().iter().map(|p| p.shape.iter().product::<usize>()).sum();
/// assert_eq!(weights, 25_610_152); // 25,557,032 trained values and the running means and variances
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
    features: NodeId,
    classifier: Linear,
}

impl Graph {
    /// All nodes in the order of evaluation; the first is the input, the last gives the logits.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node whose value enters the last linear layer, `[n, width]`.
    pub fn features(&self) -> NodeId {
        self.features
    }

    /// The node that gives the logits, `[n, classes]`.
    pub fn logits(&self) -> NodeId {
        NodeId(self.nodes.len() - 1)
    }

    /// The last linear layer.
    pub fn classifier(&self) -> &Linear {
        &self.classifier
    }

    /// The first convolution, which tickets leave dense.
    pub fn stem(&self) -> Option<&Conv> {
        self.nodes.iter().find_map(|node| match &node.op {
            Op::Conv(conv) => Some(conv),
            _ => None,
        })
    }

    /// Length of a row of logits.
    pub fn classes(&self) -> usize {
        self.classifier.out_features
    }

    /// Length of a row of features.
    pub fn width(&self) -> usize {
        self.classifier.in_features
    }

    /// All parameters in the order of evaluation.
    pub fn parameters(&self) -> Vec<Parameter> {
        self.nodes
            .iter()
            .flat_map(|node| node.op.parameters())
            .collect()
    }
}
