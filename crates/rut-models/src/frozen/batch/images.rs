//! Between candle's tensors and an engine's blocks.

use candle_core::{DType, Device, Storage, Tensor};

use super::BLOCK_IMAGES;
use super::rows::{RowGrads, Rows};
use crate::error::{Error, Result};
use crate::frozen::network::{OutputGrads, Outputs};
use crate::frozen::window::Frame;

/// The dimensions of a batch of images, `[n, 3, h, w]` f32 on the CPU.
pub(super) fn check(images: &Tensor) -> Result<[usize; 4]> {
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
pub(super) fn with_rows<T>(
    grads: &OutputGrads,
    n: usize,
    take: impl FnOnce(&[RowGrads<'_>]) -> Result<T>,
) -> Result<T> {
    let flat = |grad: &Option<Tensor>| -> Result<Option<Vec<f32>>> {
        let grad = grad.as_ref().map(|grad| grad.flatten_all()?.to_vec1());
        Ok(grad.transpose()?)
    };
    let (features, logits) = (flat(&grads.features)?, flat(&grads.logits)?);
    let blocks: Vec<RowGrads<'_>> = (0..n.div_ceil(BLOCK_IMAGES))
        .map(|block| {
            let count = BLOCK_IMAGES.min(n - BLOCK_IMAGES * block);
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
    &values[BLOCK_IMAGES * block * row..][..count * row]
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
pub(super) fn outputs(rows: Rows, n: usize) -> Result<Outputs> {
    let tensor = |rows: Vec<f32>| {
        let width = rows.len() / n;
        Tensor::from_vec(rows, (n, width), &Device::Cpu)
    };
    Ok(Outputs {
        features: tensor(rows.features)?,
        logits: tensor(rows.logits)?,
    })
}

/// Lends a tensor's elements in row-major order.
pub(super) fn with_slice<T>(tensor: &Tensor, run: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else {
        return Err(argument("a tensor", &tensor, "on Cpu".into()));
    };
    let from = layout.start_offset();
    run(&storage.as_slice::<f32>()?[from..from + tensor.elem_count()])
}

/// Kernels that skip zeros would lose a NaN or an infinity: what comes of an image that holds one is NaN.
pub(super) fn spread_nan<const N: usize>(read: &[f32], n: usize, written: [&mut [f32]; N]) {
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
pub(super) fn finite_outside(canvas: &[f32], frame: &Frame) -> bool {
    let inside = |from: usize, at: usize| (from..from + frame.side).contains(&at);
    canvas.iter().enumerate().all(|(at, value)| {
        let (y, x) = (at / frame.width % frame.height, at % frame.width);
        value.is_finite() || (inside(frame.top, y) && inside(frame.left, x))
    })
}
