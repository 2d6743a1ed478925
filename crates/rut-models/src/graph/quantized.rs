//! A graph whose activations have few bits.

use super::{ActivationRange, Graph, Node, NodeId, Op};
use crate::error::{Error, Result};

impl Graph {
    /// The nodes that are ReLUs, in the order of evaluation.
    pub fn relus(&self) -> impl Iterator<Item = NodeId> {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(|(_, node)| node.op == Op::Relu)
            .map(|(index, _)| NodeId(index))
    }

    /// The same graph with each ReLU followed by [`Op::FakeQuantize`], which every reader of the ReLU reads instead.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where there are not as many ranges as ReLUs, or the graph has such operations already.
    ///
    /// ```
    /// use rut_models::{ActivationRange, Op, find};
    /// let graph = find("resnet20_cifar10").unwrap().build();
    /// let ranges = vec![ActivationRange::new(8, 0.02)?; graph.relus().count()];
    /// let quantized = graph.with_quantized_activations(&ranges)?;
    /// assert_eq!(quantized.nodes().len(), graph.nodes().len() + 19);
    /// assert_eq!(quantized.parameters(), graph.parameters());
    /// # Ok::<(), rut_models::Error>(())
    /// ```
    pub fn with_quantized_activations(&self, ranges: &[ActivationRange]) -> Result<Self> {
        let relus = self.relus().count();
        let is_quantized = |node: &Node| matches!(node.op, Op::FakeQuantize(_));
        if relus != ranges.len() || self.nodes.iter().any(is_quantized) {
            return Err(Error::Argument {
                what: "the set of activation ranges",
                found: format!("{} ranges", ranges.len()),
                expected: format!(
                    "{relus}, one for each ReLU of a graph without quantized activations"
                ),
            });
        }
        let mut ranges = ranges.iter();
        let mut nodes = Vec::with_capacity(self.nodes.len() + relus);
        // Where the value of each old node is.
        let mut now = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let inputs = node.inputs.iter().map(|id| now[id.index()]).collect();
            let op = node.op.clone();
            nodes.push(Node { op, inputs });
            if node.op == Op::Relu
                && let Some(range) = ranges.next()
            {
                let inputs = vec![NodeId(nodes.len() - 1)];
                let op = Op::FakeQuantize(*range);
                nodes.push(Node { op, inputs });
            }
            now.push(NodeId(nodes.len() - 1));
        }
        Ok(Self {
            nodes,
            features: now[self.features.index()],
            classifier: self.classifier.clone(),
        })
    }
}
