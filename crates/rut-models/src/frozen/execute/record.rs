//! The decisions of a pass in the reference's form.

use candle_core::{Device, Tensor};
use rut_kernels::{LANES, Taken};

use super::block::Decisions;
use crate::error::Result;
use crate::frozen::candle::Record;
use crate::frozen::plan::{Geometry, Kind, Plan, ValueId};

/// Those of all blocks.
pub(super) fn record(
    plan: &Plan,
    geometry: &Geometry,
    dims: [usize; 4],
    blocks: &[Decisions],
) -> Result<Record> {
    let mut record = Record::new(dims);
    for (id, value) in plan.relus() {
        let bits = blocks.iter().map(|block| block.relu[id].as_deref());
        let bits: Vec<&[u16]> = bits.map(Option::unwrap_or_default).collect();
        let let_through =
            |lane: usize, at: usize, block: usize| (bits[block][at] >> lane & 1) as u8;
        let tensor = unfold(plan, geometry, id, dims[0], let_through)?;
        if value.relu_node != value.node {
            record.relu.insert(value.relu_node, tensor.clone());
        }
        record.relu.insert(value.node, tensor);
    }
    for (index, step) in plan.steps.iter().enumerate() {
        let Kind::MaxPool(pool) = &step.kind else {
            continue;
        };
        let taken = blocks.iter().map(|block| block.taken[index].as_deref());
        let taken: Vec<&[Taken]> = taken.map(Option::unwrap_or_default).collect();
        let [_, width] = geometry.sizes[step.into];
        let [_, read_width] = geometry.sizes[step.from];
        let channels = plan.values[step.into].channels;
        let pixel = |lane: usize, at: usize, block: usize| {
            let place = usize::from(taken[block][at][lane]);
            let (row, column) = (at / channels / width, at / channels % width);
            let y = row * pool.stride + place / pool.kernel - pool.padding;
            let x = column * pool.stride + place % pool.kernel - pool.padding;
            (y * read_width + x) as u32
        };
        let tensor = unfold(plan, geometry, step.into, dims[0], pixel)?;
        record.max_pool.insert(plan.values[step.into].node, tensor);
    }
    Ok(record)
}

/// `element(lane, position, block)` of every element of a value, as a tensor of the graph's shape.
fn unfold<T: candle_core::WithDType>(
    plan: &Plan,
    geometry: &Geometry,
    id: ValueId,
    n: usize,
    element: impl Fn(usize, usize, usize) -> T,
) -> Result<Tensor> {
    let [height, width] = geometry.sizes[id];
    let channels = plan.values[id].channels;
    let mut elements = Vec::with_capacity(n * channels * height * width);
    for image in 0..n {
        for channel in 0..channels {
            for pixel in 0..height * width {
                let at = pixel * channels + channel;
                elements.push(element(image % LANES, at, image / LANES));
            }
        }
    }
    let shape = if geometry.sizes[id] == [1, 1] && is_flat(plan, id) {
        vec![n, channels]
    } else {
        vec![n, channels, height, width]
    };
    Ok(Tensor::from_vec(elements, shape, &Device::Cpu)?)
}

/// Whether a value is a row of features: what a linear layer writes.
fn is_flat(plan: &Plan, id: ValueId) -> bool {
    let mut steps = plan.steps.iter();
    steps.any(|step| step.into == id && matches!(step.kind, Kind::Linear(_)))
}
