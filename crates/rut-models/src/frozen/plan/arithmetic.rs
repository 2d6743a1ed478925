//! What computes the layers of a plan.

use std::fmt::Debug;

use rut_kernels::ConvShape;

use super::fold::Folded;
use crate::error::Error;

/// Makes the layers of a [`Plan`](super::Plan) from folded weights, in its own number format and memory layout. Steps
/// without weights are the same for every arithmetic.
pub(in crate::frozen) trait Arithmetic: Debug + Send + Sync {
    /// A convolution with its batch norm.
    type Conv: Debug + Send + Sync;
    /// A fully connected layer.
    type Linear: Debug + Send + Sync;

    /// Whether it rounds activations to few bits ([`Value::quantize`](super::Value)).
    const QUANTIZES: bool = false;

    /// A convolution. `reads_input` says whether it reads the network's input.
    ///
    /// # Errors
    ///
    /// [`Refused`] where this arithmetic has no kernel for it.
    fn conv(&self, shape: ConvShape, folded: &Folded, reads_input: bool) -> Built<Self::Conv>;

    /// A fully connected layer with a matrix `[written, read]`; the features of a map that it reads are in the map's own
    /// order, channels innermost.
    ///
    /// # Errors
    ///
    /// [`Refused`] where this arithmetic has no kernel for it.
    fn linear(&self, size: [usize; 2], folded: &Folded) -> Built<Self::Linear>;
}

/// A part of a plan, or why there is none.
pub(in crate::frozen) type Built<T> = Result<T, Refused>;

/// Why a node cannot be run.
#[derive(Debug)]
pub(in crate::frozen) enum Refused {
    /// A reason, for an error that names the node.
    Because(String),
    Error(Error),
}

impl Refused {
    /// The error for a node.
    pub(super) fn at(self, node: usize, op: &'static str) -> Error {
        match self {
            Self::Because(reason) => Error::Graph { node, op, reason },
            Self::Error(error) => error,
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<rut_kernels::Error> for Refused {
    fn from(error: rut_kernels::Error) -> Self {
        Self::Error(error.into())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Plan;
    use super::*;
    use crate::array::Array;
    use crate::graph::{Bias, Conv, Graph, GraphBuilder};
    use crate::weights::Weights;

    /// Runs no convolution of what is not the input.
    #[derive(Debug)]
    struct OnlyTheFirst;

    impl Arithmetic for OnlyTheFirst {
        type Conv = ();
        type Linear = ();

        fn conv(&self, shape: ConvShape, _: &Folded, reads_input: bool) -> Built<()> {
            let refused = || Refused::Because(format!("kernel {}", shape.kernel));
            reads_input.then_some(()).ok_or_else(refused)
        }

        fn linear(&self, _: [usize; 2], _: &Folded) -> Built<()> {
            Ok(())
        }
    }

    #[test]
    fn an_error_names_the_layer_not_what_follows_it() {
        let plan = |convs| {
            let graph = network(convs);
            let arrays = graph.parameters().into_iter().map(|parameter| {
                let elements = parameter.shape.iter().product();
                let array = Array::new(parameter.shape, vec![1.0; elements]).unwrap();
                (parameter.name, array)
            });
            let arrays: BTreeMap<String, Array> = arrays.collect();
            let weights = Weights::from_arrays(&graph, arrays).unwrap();
            Plan::new(&graph, &weights, OnlyTheFirst)
        };
        assert_eq!(plan(1).unwrap().steps.len(), 3);
        let error = plan(2).unwrap_err().to_string();
        assert!(error.contains("node 3 (convolution): kernel 3"), "{error}");
    }

    /// Convolutions with ReLUs, a mean and a linear layer.
    fn network(convs: usize) -> Graph {
        let mut graph = GraphBuilder::new();
        let mut x = graph.input();
        for index in 0..convs {
            let conv = Conv {
                param: format!("conv{index}"),
                in_channels: 3,
                out_channels: 3,
                kernel: 3,
                stride: 1,
                padding: 1,
                bias: Bias::None,
            };
            let written = graph.conv(x, conv);
            x = graph.relu(written);
        }
        let mean = graph.global_avg_pool(x);
        let features = graph.flatten(mean);
        graph.finish(features, "fc", 3, 2)
    }
}
