//! Between candle's tensors and the engine's blocks.

use candle_core::{DType, Device, Storage, Tensor};
use rut_kernels::{LANES, Taken};

use super::block::{Decisions, RowGrads};
use crate::error::{Error, Result};
use crate::frozen::candle::Record;
use crate::frozen::network::{OutputGrads, Outputs};
use crate::frozen::plan::{Geometry, Kind, Plan, ValueId};
use crate::frozen::window::Frame;

/// The dimensions of a batch of images, `[n, 3, h, w]` f32 on the CPU.
pub(in crate::frozen) fn check(images: &Tensor) -> Result<[usize; 4]> {
    match <[usize; 4]>::try_from(images.dims()) {
        Ok(dims) if is_ours(images) && dims[1] == 3 && !dims.contains(&0) => Ok(dims),
        _ => Err(argument(
            "the batch of images",
            images,
            "[n, 3, h, w] F32 on Cpu, none of them 0".into(),
        )),
    }
}

/// Hands the rows of `grads` of `n` images over, block by block.
pub(in crate::frozen) fn with_rows<T>(
    grads: &OutputGrads,
    n: usize,
    take: impl FnOnce(&[RowGrads<'_>]) -> Result<T>,
) -> Result<T> {
    let flat = |grad: &Option<Tensor>| -> Result<Option<Vec<f32>>> {
        let grad = grad.as_ref().map(|grad| grad.flatten_all()?.to_vec1());
        Ok(grad.transpose()?)
    };
    let (features, logits) = (flat(&grads.features)?, flat(&grads.logits)?);
    let blocks: Vec<RowGrads<'_>> = (0..n.div_ceil(LANES))
        .map(|block| {
            let count = LANES.min(n - LANES * block);
            RowGrads {
                features: features.as_deref().map(|v| rows_of(v, n, block, count)),
                logits: logits.as_deref().map(|v| rows_of(v, n, block, count)),
                count,
            }
        })
        .collect();
    take(&blocks)
}

/// The rows of `count` of `n` images that begin with a block.
fn rows_of(values: &[f32], n: usize, block: usize, count: usize) -> &[f32] {
    let row = values.len() / n;
    &values[LANES * block * row..][..count * row]
}

fn is_ours(tensor: &Tensor) -> bool {
    tensor.dtype() == DType::F32 && tensor.device().same_device(&Device::Cpu)
}

fn argument(what: &'static str, tensor: &Tensor, expected: String) -> Error {
    Error::Argument {
        what,
        found: format!(
            "{:?} {:?} on {:?}",
            tensor.dims(),
            tensor.dtype(),
            tensor.device()
        ),
        expected,
    }
}

/// Rows of `n` images as tensors.
pub(in crate::frozen) fn outputs(
    features: Vec<f32>,
    logits: Vec<f32>,
    n: usize,
) -> Result<Outputs> {
    let tensor = |rows: Vec<f32>| {
        let width = rows.len() / n;
        Tensor::from_vec(rows, (n, width), &Device::Cpu)
    };
    Ok(Outputs {
        features: tensor(features)?,
        logits: tensor(logits)?,
    })
}

/// Lends a tensor's elements in row-major order.
pub(in crate::frozen) fn with_slice<T>(
    tensor: &Tensor,
    run: impl FnOnce(&[f32]) -> Result<T>,
) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else {
        return Err(argument("a tensor", &tensor, "on Cpu".into()));
    };
    let from = layout.start_offset();
    run(&storage.as_slice::<f32>()?[from..from + tensor.elem_count()])
}

/// Kernels that skip zeros would lose a NaN or an infinity: what comes of an image that holds one is NaN.
pub(in crate::frozen) fn spread_nan<const N: usize>(
    read: &[f32],
    n: usize,
    written: [&mut [f32]; N],
) {
    let row = read.len() / n;
    let bad: Vec<bool> = read
        .chunks_exact(row)
        .map(|row| row.iter().any(|value| !value.is_finite()))
        .collect();
    if !bad.contains(&true) {
        return;
    }
    for written in written {
        let width = written.len() / n;
        let rows = written.chunks_exact_mut(width).zip(&bad);
        rows.filter(|(_, bad)| **bad)
            .for_each(|(row, _)| row.fill(f32::NAN));
    }
}

/// Whether all pixels of a canvas `[3, h, w]` outside its window are finite.
pub(in crate::frozen) fn finite_outside(canvas: &[f32], frame: &Frame) -> bool {
    let inside = |from: usize, at: usize| (from..from + frame.side).contains(&at);
    canvas.iter().enumerate().all(|(at, value)| {
        let (y, x) = (at / frame.width % frame.height, at % frame.width);
        value.is_finite() || (inside(frame.top, y) && inside(frame.left, x))
    })
}

/// The decisions of all blocks in the reference's form.
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
