//! Walks a graph forward, dropping every value after its last use, and backward under a record.

use candle_core::{DType, Device, Tensor};

use super::layer::Layer;
use super::record::Record;
use crate::error::{Error, Result};
use crate::frozen::network::{OutputGrads, OutputShape, Outputs};
use crate::graph::{Graph, Node, NodeId, Op, Shape};
use crate::weights::Weights;

/// Whether a forward pass is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Nothing,
    Record,
}

/// A graph with its weights on a device.
pub(super) struct Pass {
    graph: Graph,
    layers: Vec<Layer>,
    /// For each node the last node that reads it; the features are read by the caller.
    last_reader: Vec<usize>,
    dtype: DType,
    device: Device,
}

impl Pass {
    pub(super) fn new(
        graph: &Graph,
        weights: &Weights,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let layer = |node: &Node| Layer::new(&node.op, weights, dtype, device);
        Ok(Self {
            layers: graph.nodes().iter().map(layer).collect::<Result<_>>()?,
            last_reader: last_readers(graph),
            graph: graph.clone(),
            dtype,
            device: device.clone(),
        })
    }

    pub(super) fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(super) fn dtype(&self) -> DType {
        self.dtype
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// `images` [n, 3, h, w] to outputs; the record is empty unless it is kept.
    pub(super) fn forward(&self, images: &Tensor, keep: Keep) -> Result<(Outputs, Record)> {
        let mut record = Record::new(self.check_images(images)?);
        let outputs = self.walk(images, |index, node, read| {
            let step = self.layers[index].forward(read)?;
            if keep == Keep::Record {
                step.mark.into_record(node_id(index), &node.op, &mut record);
            }
            Ok(step.value)
        })?;
        Ok((outputs, record))
    }

    /// The value of a node that reads `read`, without a record.
    pub(super) fn value(&self, index: usize, read: &[&Tensor]) -> Result<Tensor> {
        Ok(self.layers[index].forward(read)?.value)
    }

    /// `images` [n, 3, h, w] to outputs, where `value` computes a node, by its index, from what it reads.
    pub(super) fn walk(
        &self,
        images: &Tensor,
        mut value: impl FnMut(usize, &Node, &[&Tensor]) -> Result<Tensor>,
    ) -> Result<Outputs> {
        let dims = self.check_images(images)?;
        let shapes = self.shapes(dims)?;
        let mut values: Vec<Option<Tensor>> = vec![None; self.layers.len()];
        values[0] = Some(images.detach());
        for (index, node) in self.graph.nodes().iter().enumerate().skip(1) {
            let read: Vec<&Tensor> = node
                .inputs
                .iter()
                .filter_map(|id| values[id.index()].as_ref())
                .collect();
            let found = value(index, node, &read)?;
            debug_assert_eq!(found.dims(), shapes[index].with_batch(dims[0]));
            values[index] = Some(found);
            node.inputs
                .iter()
                .filter(|id| self.last_reader[id.index()] == index)
                .for_each(|id| values[id.index()] = None);
        }
        let mut take = |id: NodeId| values[id.index()].take().ok_or_else(|| absent(id));
        let logits = take(self.graph.logits())?;
        let features = take(self.graph.features())?;
        Ok(Outputs { features, logits })
    }

    /// The gradients of the outputs to that of the images [n, 3, h, w].
    pub(super) fn backward(&self, record: &Record, outputs: &OutputGrads) -> Result<Tensor> {
        let n = record.images[0];
        outputs.check(n, self)?;
        let shapes: Vec<Vec<usize>> = self
            .shapes(record.images)?
            .into_iter()
            .map(|shape| shape.with_batch(n))
            .collect();
        let mut grads: Vec<Option<Tensor>> = vec![None; self.layers.len()];
        grads[self.graph.features().index()] = outputs.features.as_ref().map(Tensor::detach);
        grads[self.graph.logits().index()] = outputs.logits.as_ref().map(Tensor::detach);
        for (index, node) in self.graph.nodes().iter().enumerate().skip(1).rev() {
            let Some(grad) = grads[index].take() else {
                continue;
            };
            let mark = super::layer::Mark::of(&node.op, record, node_id(index), &shapes[index])?;
            let first = node
                .inputs
                .first()
                .map_or(&shapes[0], |id| &shapes[id.index()]);
            let grad = self.layers[index].backward(&grad, &mark, first)?;
            for id in &node.inputs {
                let slot = &mut grads[id.index()];
                *slot = Some(match slot.take() {
                    None => grad.clone(),
                    Some(sum) => sum.add(&grad)?,
                });
            }
        }
        grads[0].take().ok_or_else(|| absent(self.graph.features()))
    }

    fn shapes(&self, [_, channels, height, width]: [usize; 4]) -> Result<Vec<Shape>> {
        self.graph.shapes([channels, height, width])
    }

    fn check_images(&self, images: &Tensor) -> Result<[usize; 4]> {
        let fits = images.dtype() == self.dtype && images.device().same_device(&self.device);
        match <[usize; 4]>::try_from(images.dims()) {
            Ok(dims) if fits && dims[0] > 0 && dims[1] == 3 => Ok(dims),
            _ => Err(argument(
                "the batch of images",
                images,
                format!(
                    "[n, 3, h, w] {:?} on {:?}, n at least 1",
                    self.dtype, self.device
                ),
            )),
        }
    }
}

impl OutputShape for Pass {
    fn width(&self) -> usize {
        self.graph.width()
    }

    fn classes(&self) -> usize {
        self.graph.classes()
    }

    fn dtype(&self) -> DType {
        self.dtype
    }

    fn device(&self) -> &Device {
        &self.device
    }
}

fn node_id(index: usize) -> NodeId {
    NodeId(index)
}

fn last_readers(graph: &Graph) -> Vec<usize> {
    let mut last = vec![usize::MAX; graph.nodes().len()];
    for (index, node) in graph.nodes().iter().enumerate() {
        node.inputs.iter().for_each(|id| last[id.index()] = index);
    }
    last[graph.features().index()] = usize::MAX;
    last
}

fn argument(what: &'static str, found: &Tensor, expected: String) -> Error {
    Error::Argument {
        what,
        found: format!(
            "{:?} {:?} on {:?}",
            found.dims(),
            found.dtype(),
            found.device()
        ),
        expected,
    }
}

fn absent(id: NodeId) -> Error {
    Error::Graph {
        node: id.index(),
        op: Op::Input.name(),
        reason: "its value is not computed before it is read".into(),
    }
}
