//! A graph as the CPU engine runs it: batch norms folded into the convolutions before them, ReLUs and residual sums
//! fused into the convolutions that they end.

mod build;
mod choice;
mod fold;
mod geometry;

use rut_kernels::{AveragePool, Conv, ConvShape, Isa, Linear, MaxPool, OptionA};

use crate::error::Result;
use crate::graph::{Graph, NodeId};
use crate::weights::Weights;
pub use choice::Kernels;
pub(super) use geometry::Geometry;

/// Position of a value in [`Plan::values`]; 0 is the input.
pub(super) type ValueId = usize;

/// What steps read and write.
#[derive(Debug)]
pub(super) struct Value {
    /// The graph's node whose value this is.
    pub(super) node: NodeId,
    pub(super) channels: usize,
    /// Whether the value is that of a ReLU.
    pub(super) relu: bool,
    /// How many gradients add up to that of this value.
    pub(super) readers: usize,
    /// The last step that reads it; `usize::MAX` where the caller does.
    pub(super) last_step: usize,
}

/// One operation of the engine.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) from: ValueId,
    pub(super) into: ValueId,
    /// A value that is added before the ReLU.
    pub(super) add: Option<ValueId>,
}

impl Step {
    /// The values that it reads.
    pub(super) fn reads(&self) -> impl Iterator<Item = ValueId> + use<> {
        [Some(self.from), self.add].into_iter().flatten()
    }
}

/// What a step computes.
#[derive(Debug)]
pub(super) enum Kind {
    Conv(Box<ConvLayer>),
    MaxPool(MaxPool),
    Average(AveragePool),
    OptionA(OptionA),
    Linear(Box<LinearLayer>),
}

/// A convolution with its batch norm.
#[derive(Debug)]
pub(super) struct ConvLayer {
    pub(super) shape: ConvShape,
    pub(super) forward: Conv,
    pub(super) backward: Conv,
}

/// A fully connected layer; the features of a map are in the map's own order, channels innermost.
#[derive(Debug)]
pub(super) struct LinearLayer {
    pub(super) forward: Linear,
    pub(super) backward: Linear,
}

/// A network for the CPU engine.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) values: Vec<Value>,
    pub(super) features: ValueId,
    pub(super) logits: ValueId,
    pub(super) isa: Isa,
    pub(super) kernels: Kernels,
}

impl Plan {
    /// # Errors
    ///
    /// [`Error::Graph`](crate::Error::Graph) names the first node that the engine cannot run.
    pub(super) fn new(
        graph: &Graph,
        weights: &Weights,
        kernels: Kernels,
        isa: Isa,
    ) -> Result<Self> {
        build::plan(graph, weights, kernels, isa)
    }
}
