//! Operations without weights that change the size of a value, and their gradients.

mod max;

use candle_core::{DType, Device, Tensor};

use crate::error::Result;
pub(super) use max::{max_pool, max_pool_backward};

/// `[n, c, h, w]` to `[n, c, 1, 1]`.
pub(super) fn global_avg_pool(x: &Tensor) -> Result<Tensor> {
    let mean = x.flatten_from(2)?.mean_keepdim(2)?;
    Ok(mean.unsqueeze(3)?)
}

pub(super) fn global_avg_pool_backward(grad: &Tensor, read: &[usize]) -> Result<Tensor> {
    let pixels = (read[2] * read[3]) as f64;
    Ok((grad / pixels)?.broadcast_as(read)?.contiguous()?)
}

/// `[n, c, h, w]` to `[n, c, side, side]`.
pub(super) fn adaptive_avg_pool(x: &Tensor, side: usize) -> Result<Tensor> {
    let [_, _, height, width] = dims(x)?;
    if (height, width) == (side, side) {
        return Ok(x.clone());
    }
    let rows = windows(height, side, x)?;
    let columns = windows(width, side, x)?;
    sandwich(&rows, x, &columns)
}

pub(super) fn adaptive_avg_pool_backward(
    grad: &Tensor,
    side: usize,
    read: &[usize],
) -> Result<Tensor> {
    if read[2..] == [side, side] {
        return Ok(grad.clone());
    }
    let rows = windows(read[2], side, grad)?.t()?;
    let columns = windows(read[3], side, grad)?.t()?;
    sandwich(&rows, grad, &columns)
}

/// The matrix [side, length] that takes means over windows ⌊i·length/side⌋ to ⌈(i+1)·length/side⌉, like `like`.
fn windows(length: usize, side: usize, like: &Tensor) -> Result<Tensor> {
    let mut matrix = vec![0f64; side * length];
    for i in 0..side {
        let (start, end) = (i * length / side, ((i + 1) * length).div_ceil(side));
        matrix[i * length + start..i * length + end].fill(1.0 / (end - start) as f64);
    }
    let matrix = Tensor::from_vec(matrix, (side, length), &Device::Cpu)?;
    Ok(matrix.to_dtype(like.dtype())?.to_device(like.device())?)
}

/// `rows` · x · `columns`ᵀ for every channel.
fn sandwich(rows: &Tensor, x: &Tensor, columns: &Tensor) -> Result<Tensor> {
    let [n, c, h, w] = dims(x)?;
    let (height, width) = (rows.dim(0)?, columns.dim(0)?);
    let x = x.reshape((n * c * h, w))?.matmul(&columns.t()?)?;
    let x = x
        .reshape((n * c, h, width))?
        .transpose(1, 2)?
        .contiguous()?;
    let x = x.reshape((n * c * width, h))?.matmul(&rows.t()?)?;
    let x = x.reshape((n, c, width, height))?.transpose(2, 3)?;
    Ok(x.contiguous()?)
}

/// Every second pixel, with zero channels before and after.
pub(super) fn option_a_shortcut(x: &Tensor, out_channels: usize) -> Result<Tensor> {
    let [_, channels, height, width] = dims(x)?;
    let every_second = |length: usize| Tensor::arange_step(0u32, length as u32, 2, x.device());
    let x = x.index_select(&every_second(height)?, 2)?;
    let x = x.index_select(&every_second(width)?, 3)?;
    let zeros = (out_channels - channels) / 2;
    Ok(x.pad_with_zeros(1, zeros, out_channels - channels - zeros)?)
}

pub(super) fn option_a_shortcut_backward(grad: &Tensor, read: &[usize]) -> Result<Tensor> {
    let zeros = (grad.dim(1)? - read[1]) / 2;
    let grad = grad.narrow(1, zeros, read[1])?.contiguous()?;
    Ok(spread(&grad, 2, [read[2], read[3]])?)
}

/// `x` with its pixels `step` apart and zeros between, on `height` × `width` pixels.
pub(super) fn spread(
    x: &Tensor,
    step: usize,
    [height, width]: [usize; 2],
) -> candle_core::Result<Tensor> {
    if step == 1 {
        return Ok(x.clone());
    }
    let (n, c, h, w) = x.dims4()?;
    let x = x
        .reshape((n * c, h, w, 1))?
        .pad_with_zeros(3, 0, step - 1)?;
    let x = x
        .reshape((n * c, h, 1, w * step))?
        .pad_with_zeros(2, 0, step - 1)?;
    let x = x.reshape((n, c, h * step, w * step))?;
    let x = x
        .narrow(2, 0, height.min(h * step))?
        .narrow(3, 0, width.min(w * step))?;
    frame(&x, [0, 0], [height, width])
}

/// `x` at row `top`, column `left` of `height` × `width` pixels, the others zero.
fn frame(
    x: &Tensor,
    [top, left]: [usize; 2],
    [height, width]: [usize; 2],
) -> candle_core::Result<Tensor> {
    let (_, _, h, w) = x.dims4()?;
    x.pad_with_zeros(3, left, width - left - w)?
        .pad_with_zeros(2, top, height - top - h)?
        .contiguous()
}

fn dims(x: &Tensor) -> Result<[usize; 4]> {
    let (n, c, h, w) = x.dims4()?;
    Ok([n, c, h, w])
}

/// The element types that the reference computes in.
pub(super) fn is_double(x: &Tensor) -> bool {
    x.dtype() == DType::F64
}
