//! Walks a graph and fuses. A convolution waits until it is known what follows it: a batch norm, a sum, a ReLU.

use rut_kernels::{AveragePool, ConvShape, MaxPool, OptionA};

use super::fold;
use super::{Arithmetic, Built, Kind, Plan, Refused, Step, Value, ValueId};
use crate::error::Result;
use crate::graph::{self, ActivationRange, BatchNorm, Graph, Node, NodeId, Op};
use crate::weights::Weights;

pub(super) fn plan<A: Arithmetic>(
    graph: &Graph,
    weights: &Weights,
    arithmetic: A,
) -> Result<Plan<A>> {
    let mut builder = Builder {
        graph,
        weights,
        arithmetic,
        readers: readers(graph),
        made: Vec::new(),
        steps: Vec::new(),
        values: Vec::new(),
    };
    for (index, node) in graph.nodes().iter().enumerate() {
        let made = builder.node(index, node);
        let made = made.map_err(|refused| refused.at(index, node.op.name()))?;
        builder.made.push(made);
    }
    builder.finish()
}

/// What a node was compiled to.
#[derive(Clone)]
enum Made {
    Value(ValueId),
    /// It waits for what follows.
    Waiting(Waiting),
    /// Another node took it up.
    Taken,
}

/// A step that has not been added yet.
#[derive(Clone)]
struct Waiting {
    op: WaitingOp,
    /// The convolution or the linear layer.
    node: usize,
    from: ValueId,
    add: Option<ValueId>,
}

#[derive(Clone)]
enum WaitingOp {
    Conv {
        conv: graph::Conv,
        norm: Option<BatchNorm>,
    },
    Linear(graph::Linear),
}

struct Builder<'a, A: Arithmetic> {
    graph: &'a Graph,
    weights: &'a Weights,
    arithmetic: A,
    /// For each node how many nodes read it, and the caller.
    readers: Vec<usize>,
    made: Vec<Made>,
    steps: Vec<Step<A>>,
    values: Vec<Value>,
}

impl<A: Arithmetic> Builder<'_, A> {
    fn node(&mut self, index: usize, node: &Node) -> Built<Made> {
        let id = NodeId(index);
        let first = node.inputs.first().map(|id| id.index());
        let Some(first) = first else {
            return Ok(Made::Value(self.value(id, 3, false)));
        };
        match &node.op {
            Op::Conv(conv) => {
                let op = WaitingOp::Conv {
                    conv: conv.clone(),
                    norm: None,
                };
                self.waiting(op, index, first)
            }
            Op::Linear(linear) => self.waiting(WaitingOp::Linear(linear.clone()), index, first),
            Op::BatchNorm(norm) => self.batch_norm(norm, first),
            Op::Relu => match self.take(first) {
                Some(waiting) => Ok(Made::Value(self.step(waiting, id, true)?)),
                None => Err(unfused("a ReLU", "a convolution, a sum or a linear layer")),
            },
            Op::FakeQuantize(range) => self.quantize(*range, first, id),
            Op::Add => self.add(node),
            Op::MaxPool(pool) => {
                let kind = Kind::MaxPool(MaxPool {
                    kernel: pool.kernel,
                    stride: pool.stride,
                    padding: pool.padding,
                });
                self.plain(kind, first, id)
            }
            Op::AdaptiveAvgPool { side } => {
                self.plain(Kind::Average(AveragePool { side: *side }), first, id)
            }
            Op::GlobalAvgPool => self.plain(Kind::Average(AveragePool { side: 1 }), first, id),
            Op::OptionAShortcut { out_channels } => {
                let from = self.read(first)?;
                let option = OptionA {
                    in_channels: self.values[from].channels,
                    out_channels: *out_channels,
                };
                let into = self.value(id, *out_channels, false);
                self.push(Kind::OptionA(option), from, into, None);
                Ok(Made::Value(into))
            }
            // The same elements; linear layers and results are reordered instead.
            Op::Flatten => Ok(Made::Value(self.read(first)?)),
            Op::Input => Err(Refused::Because("an input reads a node".into())),
        }
    }

    fn waiting(&mut self, op: WaitingOp, node: usize, first: usize) -> Built<Made> {
        let from = self.read(first)?;
        Ok(Made::Waiting(Waiting {
            op,
            node,
            from,
            add: None,
        }))
    }

    fn batch_norm(&mut self, norm: &BatchNorm, first: usize) -> Built<Made> {
        let refused = || unfused("a batch norm", "a convolution that nothing else reads");
        let waiting = self.take(first).ok_or_else(refused)?;
        match waiting {
            Waiting {
                op: WaitingOp::Conv { conv, norm: None },
                node,
                from,
                add: None,
            } => Ok(Made::Waiting(Waiting {
                op: WaitingOp::Conv {
                    conv,
                    norm: Some(norm.clone()),
                },
                node,
                from,
                add: None,
            })),
            _ => Err(refused()),
        }
    }

    /// The value of a ReLU becomes that of its quantization: nothing else reads it.
    fn quantize(&mut self, range: ActivationRange, first: usize, id: NodeId) -> Built<Made> {
        if !A::QUANTIZES {
            return Err(Refused::Because(
                "activations of few bits are computed in f32 alone; use the precision f32".into(),
            ));
        }
        match self.made.get(first) {
            Some(&Made::Value(value)) if self.values[value].relu && self.readers[first] == 1 => {
                self.values[value].node = id;
                self.values[value].quantize = Some(range.kernel());
                Ok(Made::Value(value))
            }
            _ => Err(unfused(
                "a quantization of activations",
                "a ReLU that nothing else reads",
            )),
        }
    }

    fn add(&mut self, node: &Node) -> Built<Made> {
        let (Some(a), Some(b)) = (node.inputs.first(), node.inputs.get(1)) else {
            return Err(Refused::Because("a sum reads two nodes".into()));
        };
        // The later one adds to the earlier one's value.
        let (early, late) = (a.index().min(b.index()), a.index().max(b.index()));
        for (adding, other) in [(late, early), (early, late)] {
            let alone = self.readers[adding] == 1 && adding != other;
            let conv = |waiting: &Waiting| {
                matches!(waiting.op, WaitingOp::Conv { .. }) && waiting.add.is_none()
            };
            match &self.made[adding] {
                Made::Waiting(waiting) if alone && conv(waiting) => {
                    let mut waiting = waiting.clone();
                    waiting.add = Some(self.read(other)?);
                    self.made[adding] = Made::Taken;
                    return Ok(Made::Waiting(waiting));
                }
                _ => {}
            }
        }
        Err(unfused(
            "a sum",
            "at least one convolution that nothing else reads",
        ))
    }

    fn plain(&mut self, kind: Kind<A>, first: usize, id: NodeId) -> Built<Made> {
        let from = self.read(first)?;
        let into = self.value(id, self.values[from].channels, false);
        self.push(kind, from, into, None);
        Ok(Made::Value(into))
    }

    /// The waiting step of a node that only one node reads.
    fn take(&mut self, node: usize) -> Option<Waiting> {
        if self.readers[node] != 1 {
            return None;
        }
        match self.made.get(node)? {
            Made::Waiting(waiting) => {
                let waiting = waiting.clone();
                self.made[node] = Made::Taken;
                Some(waiting)
            }
            _ => None,
        }
    }

    /// A node's value; what waits is added as it is.
    fn read(&mut self, node: usize) -> Built<ValueId> {
        match self.made.get(node) {
            Some(Made::Value(value)) => Ok(*value),
            Some(Made::Waiting(waiting)) => {
                let waiting = waiting.clone();
                let value = self.step(waiting, NodeId(node), false)?;
                self.made[node] = Made::Value(value);
                Ok(value)
            }
            _ => Err(Refused::Because(
                "it reads a node that was fused away".into(),
            )),
        }
    }

    fn step(&mut self, waiting: Waiting, node: NodeId, relu: bool) -> Built<ValueId> {
        let (kind, channels) = match &waiting.op {
            WaitingOp::Conv { conv, norm } => {
                let kind = self.conv(conv, norm.as_ref(), &waiting)?;
                (kind, conv.out_channels)
            }
            WaitingOp::Linear(linear) => {
                let kind = self.linear(linear, &waiting)?;
                (kind, linear.out_features)
            }
        };
        let into = self.value(node, channels, relu);
        self.push(kind, waiting.from, into, waiting.add);
        Ok(into)
    }

    fn conv(
        &self,
        conv: &graph::Conv,
        norm: Option<&BatchNorm>,
        waiting: &Waiting,
    ) -> Built<Kind<A>> {
        let folded = fold::fold_conv(self.weights, conv, norm)?;
        let shape = ConvShape {
            in_channels: conv.in_channels,
            out_channels: conv.out_channels,
            kernel: conv.kernel,
            stride: conv.stride,
            padding: conv.padding,
        };
        let layer = self.arithmetic.conv(shape, &folded, waiting.from == 0);
        let layer = self.named(waiting, layer)?;
        Ok(Kind::Conv { shape, layer })
    }

    fn linear(&self, linear: &graph::Linear, waiting: &Waiting) -> Built<Kind<A>> {
        let channels = self.values[waiting.from].channels;
        if !linear.in_features.is_multiple_of(channels.max(1)) {
            return Err(Refused::Because(format!(
                "`{}` reads {} features of a map of {channels} channels",
                linear.param, linear.in_features
            )));
        }
        let folded = fold::linear(self.weights, linear, channels)?;
        let size = [linear.out_features, linear.in_features];
        let layer = self.arithmetic.linear(size, &folded);
        Ok(Kind::Linear(self.named(waiting, layer)?))
    }

    /// A layer is made when what follows it is known: a reason that speaks against it names its own node, not that one.
    fn named<T>(&self, waiting: &Waiting, layer: Built<T>) -> Built<T> {
        let op = self.graph.nodes()[waiting.node].op.name();
        layer.map_err(|refused| Refused::Error(refused.at(waiting.node, op)))
    }

    fn value(&mut self, node: NodeId, channels: usize, relu: bool) -> ValueId {
        self.values.push(Value {
            node,
            channels,
            relu,
            quantize: None,
            relu_node: node,
            readers: 0,
            last_step: 0,
        });
        self.values.len() - 1
    }

    fn push(&mut self, kind: Kind<A>, from: ValueId, into: ValueId, add: Option<ValueId>) {
        self.steps.push(Step {
            kind,
            from,
            into,
            add,
        });
    }

    /// Drops steps of whose result nothing comes, and counts who reads what.
    fn count_readers(&mut self, results: [ValueId; 2]) {
        let mut is_needed = vec![false; self.values.len()];
        for value in results {
            is_needed[value] = true;
        }
        for step in self.steps.iter().rev() {
            if is_needed[step.into] {
                for read in step.reads() {
                    is_needed[read] = true;
                }
            }
        }
        self.steps.retain(|step| is_needed[step.into]);
        for (index, step) in self.steps.iter().enumerate() {
            for read in step.reads() {
                self.values[read].readers += 1;
                self.values[read].last_step = index;
            }
        }
        for value in results {
            self.values[value].last_step = usize::MAX;
        }
    }

    fn finish(mut self) -> Result<Plan<A>> {
        let nodes = [self.graph.logits(), self.graph.features()];
        let [logits, features] = nodes.map(|node| {
            self.read(node.index())
                .map_err(|refused| refused.at(node.index(), "result"))
        });
        let (logits, features) = (logits?, features?);
        self.count_readers([features, logits]);
        Ok(Plan {
            steps: self.steps,
            values: self.values,
            features,
            logits,
            arithmetic: self.arithmetic,
        })
    }
}

fn unfused(what: &str, after: &str) -> Refused {
    Refused::Because(format!(
        "the CPU engine runs {what} only right after {after}; use the reference engine in f32 or f64"
    ))
}

fn readers(graph: &Graph) -> Vec<usize> {
    let mut readers = vec![0; graph.nodes().len()];
    let read = graph.nodes().iter().flat_map(|node| &node.inputs);
    read.for_each(|id| readers[id.index()] += 1);
    readers[graph.logits().index()] += 1;
    readers
}
