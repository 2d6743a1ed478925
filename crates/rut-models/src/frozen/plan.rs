//! A graph as the CPU engine runs it: batch norms folded into the convolutions before them, ReLUs and residual sums
//! fused into the convolutions that they end.

mod arithmetic;
mod build;
mod choice;
mod fold;
mod geometry;
mod single;

use rut_kernels::{AveragePool, ConvShape, FakeQuantize, MaxPool, OptionA};

use crate::error::Result;
use crate::graph::{Graph, NodeId};
use crate::weights::Weights;
pub(super) use arithmetic::{Arithmetic, Built, Refused};
pub use choice::Kernels;
pub use fold::{Folded, fold_conv};
pub(super) use geometry::Geometry;
pub(super) use single::{LinearLayer, SinglePrecision};

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
    /// What the ReLU's value is rounded to.
    pub(super) quantize: Option<FakeQuantize>,
    /// The graph's node of the ReLU, where `node` is its quantization.
    pub(super) relu_node: NodeId,
    /// How many gradients add up to that of this value.
    pub(super) readers: usize,
    /// The last step that reads it; `usize::MAX` where the caller does.
    pub(super) last_step: usize,
}

/// One operation of the engine.
#[derive(Debug)]
pub(super) struct Step<A: Arithmetic = SinglePrecision> {
    pub(super) kind: Kind<A>,
    pub(super) from: ValueId,
    pub(super) into: ValueId,
    /// A value that is added before the ReLU.
    pub(super) add: Option<ValueId>,
}

impl<A: Arithmetic> Step<A> {
    /// The values that it reads.
    pub(super) fn reads(&self) -> impl Iterator<Item = ValueId> + use<A> {
        [Some(self.from), self.add].into_iter().flatten()
    }
}

/// What a step computes.
#[derive(Debug)]
pub(super) enum Kind<A: Arithmetic = SinglePrecision> {
    Conv { shape: ConvShape, layer: A::Conv },
    MaxPool(MaxPool),
    Average(AveragePool),
    OptionA(OptionA),
    Linear(A::Linear),
}

/// A network for the CPU engine.
#[derive(Debug)]
pub(super) struct Plan<A: Arithmetic = SinglePrecision> {
    pub(super) steps: Vec<Step<A>>,
    pub(super) values: Vec<Value>,
    pub(super) features: ValueId,
    pub(super) logits: ValueId,
    pub(super) arithmetic: A,
}

impl<A: Arithmetic> Plan<A> {
    /// # Errors
    ///
    /// [`Error::Graph`](crate::Error::Graph) names the first node that the engine cannot run.
    pub(super) fn new(graph: &Graph, weights: &Weights, arithmetic: A) -> Result<Self> {
        build::plan(graph, weights, arithmetic)
    }

    /// The values that ReLUs give; those of which nothing comes no step writes.
    pub(super) fn relus(&self) -> impl Iterator<Item = (ValueId, &Value)> {
        let written = self.steps.iter().map(|step| step.into);
        let values = written.map(|id| (id, &self.values[id]));
        values.filter(|(_, value)| value.relu)
    }
}
