//! Bilinear sampling of images at coordinates that can be trained.

use candle_core::{D, Tensor};

/// Samples `images` [n, 3, S, S] at rows `y` and columns `x`, each [S·S], in pixels; what lies outside is 0. Differentiable in
/// the coordinates, where a sample that falls on a pixel has the slope towards the next.
pub(super) fn sample(images: &Tensor, y: &Tensor, x: &Tensor) -> candle_core::Result<Tensor> {
    let (n, channels, side, _) = images.dims4()?;
    let flat = images.flatten_from(2)?;
    let (low_y, up_y) = weights(y, side)?;
    let (low_x, up_x) = weights(x, side)?;
    let mut sum: Option<Tensor> = None;
    for rows in [&low_y, &up_y] {
        for columns in [&low_x, &up_x] {
            let index = rows.index.iter().zip(&columns.index);
            let index: Vec<u32> = index
                .map(|(&row, &column)| row * side as u32 + column)
                .collect();
            let index = Tensor::from_vec(index, side * side, images.device())?;
            let weight = (&rows.weight * &columns.weight)?;
            let part = flat
                .index_select(&index, D::Minus1)?
                .broadcast_mul(&weight)?;
            sum = Some(match sum {
                Some(sum) => (sum + part)?,
                None => part,
            });
        }
    }
    match sum {
        Some(sum) => sum.reshape((n, channels, side, side)),
        None => candle_core::bail!("sample images: there are no corners"),
    }
}

/// Which pixels along one axis a sample takes, and with what weights; of pixels outside, the weight is 0.
struct Corner {
    index: Vec<u32>,
    weight: Tensor,
}

/// The pixels before and behind each coordinate.
fn weights(at: &Tensor, side: usize) -> candle_core::Result<(Corner, Corner)> {
    let floor = at.detach().floor()?;
    let behind = (at - &floor)?;
    let before = (1.0 - &behind)?;
    let pixels = floor.to_dtype(candle_core::DType::F64)?.to_vec1::<f64>()?;
    let corner = |shift: f64, weight: Tensor| {
        let inside = |pixel: f64| pixel >= 0.0 && pixel < side as f64;
        let shifted = || pixels.iter().map(move |pixel| pixel + shift);
        let index = shifted().map(|pixel| if inside(pixel) { pixel as u32 } else { 0 });
        let valid = shifted().map(|pixel| f64::from(u8::from(inside(pixel))));
        let valid = Tensor::from_iter(valid, at.device())?.to_dtype(at.dtype())?;
        Ok::<_, candle_core::Error>(Corner {
            index: index.collect(),
            weight: (weight * valid)?,
        })
    };
    Ok((corner(0.0, before)?, corner(1.0, behind)?))
}
