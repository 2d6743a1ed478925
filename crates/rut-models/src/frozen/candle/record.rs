//! What a backward pass needs of the forward pass: the network is piecewise linear, and this says which piece it was on.

use std::collections::BTreeMap;

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::graph::NodeId;

/// The decisions of one forward pass over `n` images. Backward is linear once they are fixed.
#[derive(Debug, Clone)]
pub struct Record {
    /// Shape of the images, `[n, 3, h, w]`.
    pub images: [usize; 4],
    /// For each ReLU, u8 of the shape of its value: 1 where its input was above 0. For each quantization of activations the
    /// same: 1 where nothing was cut off. An engine that does both in one step has the product of both at both nodes.
    pub relu: BTreeMap<NodeId, Tensor>,
    /// For each max-pool, u32 `[n, c, h, w]` of the shape of its value: the row-major index of the pixel that it took,
    /// within the input's channel.
    pub max_pool: BTreeMap<NodeId, Tensor>,
}

impl Record {
    /// An empty record of a batch.
    pub fn new(images: [usize; 4]) -> Self {
        Self {
            images,
            relu: BTreeMap::new(),
            max_pool: BTreeMap::new(),
        }
    }

    pub(super) fn relu(&self, node: NodeId, shape: &[usize]) -> Result<&Tensor> {
        checked("the record of a ReLU", self.relu.get(&node), node, shape)
    }

    pub(super) fn max_pool(&self, node: NodeId, shape: &[usize]) -> Result<&Tensor> {
        checked(
            "the record of a max-pool",
            self.max_pool.get(&node),
            node,
            shape,
        )
    }
}

fn checked<'a>(
    what: &'static str,
    entry: Option<&'a Tensor>,
    node: NodeId,
    shape: &[usize],
) -> Result<&'a Tensor> {
    match entry {
        Some(entry) if entry.dims() == shape => Ok(entry),
        other => Err(Error::Argument {
            what,
            found: other.map_or("absent".into(), |entry| format!("{:?}", entry.dims())),
            expected: format!("{shape:?} at node {}", node.index()),
        }),
    }
}
