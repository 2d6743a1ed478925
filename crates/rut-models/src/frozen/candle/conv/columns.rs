//! Convolution as a matrix product: the pixels under every position of the kernel become a column. The gradient of the
//! input is the same backwards: a product with the transposed weights, and every column added to its pixels.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, WithDType, bail};
use rayon::prelude::*;

use super::taps::Taps;

/// Small images share a matrix product, up to about this many columns.
const WIDTH: usize = 4096;

pub(super) struct Columns {
    /// `[out, in·kernel·kernel]`.
    weight: Tensor,
}

impl Columns {
    /// Of `weight` `[out, in, kernel, kernel]`.
    pub(super) fn new(weight: &Tensor) -> Result<Self> {
        let weight = weight.flatten_from(1)?;
        Ok(Self { weight })
    }

    pub(super) fn forward(&self, x: &Tensor, taps: Taps) -> Result<Tensor> {
        let (_, _, h, w) = x.dims4()?;
        let place = Place::new(taps, [h, w]);
        in_groups(x, place.positions(), |x| {
            let columns = x.apply_op1_no_bwd(&Unfold(place))?;
            let y = self.weight.matmul(&columns)?;
            let [oh, ow] = place.output;
            y.reshape((y.dim(0)?, x.dim(0)?, oh, ow))?
                .transpose(0, 1)?
                .contiguous()
        })
    }

    pub(super) fn backward(&self, grad: &Tensor, taps: Taps, input: [usize; 2]) -> Result<Tensor> {
        let place = Place::new(taps, input);
        let weight = self.weight.t()?;
        in_groups(grad, place.positions(), |grad| {
            let grad = grad.transpose(0, 1)?.contiguous()?.flatten_from(1)?;
            weight.matmul(&grad)?.apply_op1_no_bwd(&Fold(place))
        })
    }
}

/// Applies `product` to groups of images and joins what it gives.
fn in_groups(
    x: &Tensor,
    positions: usize,
    product: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let (x, n) = (x.contiguous()?, x.dim(0)?);
    let group = (WIDTH / positions).clamp(1, n);
    let part = |start: usize| product(&x.narrow(0, start, group.min(n - start))?);
    let parts = (0..n)
        .step_by(group)
        .map(part)
        .collect::<Result<Vec<_>>>()?;
    Tensor::cat(&parts, 0)
}

/// A kernel over images of one size.
#[derive(Debug, Clone, Copy)]
struct Place {
    taps: Taps,
    input: [usize; 2],
    output: [usize; 2],
}

impl Place {
    fn new(taps: Taps, input: [usize; 2]) -> Self {
        let output = taps.output(input);
        Self {
            taps,
            input,
            output,
        }
    }

    fn pixels(self) -> usize {
        self.input.iter().product()
    }

    fn positions(self) -> usize {
        self.output.iter().product()
    }

    fn taps(self) -> usize {
        self.taps.kernel * self.taps.kernel
    }

    /// Calls `line` for every row of positions at which tap number `tap` lies inside the image: with the row's positions,
    /// the first of the pixels that it sees there, and how far they are apart.
    fn lines(self, tap: usize, mut line: impl FnMut(std::ops::Range<usize>, usize, usize)) {
        let Taps { kernel, stride, .. } = self.taps;
        let ([height, width], [oh, ow]) = (self.input, self.output);
        let (rows, first_row) = self.taps.inside(tap / kernel, height, oh);
        let (cells, first_cell) = self.taps.inside(tap % kernel, width, ow);
        if cells.is_empty() {
            return;
        }
        for (i, row) in rows.enumerate() {
            let positions = row * ow + cells.start..row * ow + cells.end;
            line(
                positions,
                (first_row + i * stride) * width + first_cell,
                stride,
            );
        }
    }
}

/// `[n, in, h, w]` to `[in·k·k, n·oh·ow]`: row (c, y, x) holds what tap (y, x) of channel c sees at each position.
struct Unfold(Place);

impl Unfold {
    fn apply<T: WithDType>(&self, images: &[T], [n, channels]: [usize; 2]) -> (Vec<T>, Shape) {
        let (place, taps, width) = (self.0, self.0.taps(), n * self.0.positions());
        let mut columns = vec![T::zero(); channels * taps * width];
        columns
            .par_chunks_mut(width)
            .enumerate()
            .for_each(|(row, seen)| {
                for (image, seen) in seen.chunks_mut(place.positions()).enumerate() {
                    let plane = &images[(image * channels + row / taps) * place.pixels()..]
                        [..place.pixels()];
                    place.lines(row % taps, |positions, pixel, stride| {
                        let (seen, line) = (&mut seen[positions], &plane[pixel..]);
                        match stride {
                            1 => seen.copy_from_slice(&line[..seen.len()]),
                            _ => seen
                                .iter_mut()
                                .zip(line.iter().step_by(stride))
                                .for_each(|(seen, &pixel)| *seen = pixel),
                        }
                    });
                }
            });
        (columns, Shape::from((channels * taps, width)))
    }
}

/// The transpose of [`Unfold`]: `[in·k·k, n·oh·ow]` to `[n, in, h, w]`, every pixel the sum of what saw it, tap by tap.
struct Fold(Place);

impl Fold {
    fn apply<T: WithDType>(&self, columns: &[T], [rows, width]: [usize; 2]) -> (Vec<T>, Shape) {
        let (place, taps) = (self.0, self.0.taps());
        let (channels, n) = (rows / taps, width / place.positions());
        let mut images = vec![T::zero(); n * channels * place.pixels()];
        images
            .par_chunks_mut(place.pixels())
            .enumerate()
            .for_each(|(plane, pixels)| {
                let (image, channel) = (plane / channels, plane % channels);
                for tap in 0..taps {
                    let row = &columns[(channel * taps + tap) * width..]
                        [image * place.positions()..][..place.positions()];
                    place.lines(tap, |positions, pixel, stride| {
                        let (seen, line) = (&row[positions], &mut pixels[pixel..]);
                        match stride {
                            1 => line
                                .iter_mut()
                                .zip(seen)
                                .for_each(|(pixel, &seen)| *pixel += seen),
                            _ => line
                                .iter_mut()
                                .step_by(stride)
                                .zip(seen)
                                .for_each(|(pixel, &seen)| *pixel += seen),
                        }
                    });
                }
            });
        (
            images,
            Shape::from((n, channels, place.input[0], place.input[1])),
        )
    }
}

/// Runs `apply` on contiguous f32 or f64 storage with its first two dimensions.
macro_rules! on_cpu {
    ($name:literal) => {
        fn name(&self) -> &'static str {
            $name
        }

        fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
            let (&[a, b, ..], Some((start, end))) = (layout.dims(), layout.contiguous_offsets())
            else {
                bail!("{}: what it reads is not contiguous", $name)
            };
            match storage {
                CpuStorage::F32(values) => {
                    let (values, shape) = self.apply(&values[start..end], [a, b]);
                    Ok((CpuStorage::F32(values), shape))
                }
                CpuStorage::F64(values) => {
                    let (values, shape) = self.apply(&values[start..end], [a, b]);
                    Ok((CpuStorage::F64(values), shape))
                }
                _ => bail!("{}: what it reads is neither f32 nor f64", $name),
            }
        }
    };
}

impl CustomOp1 for Unfold {
    on_cpu!("unfold");
}

impl CustomOp1 for Fold {
    on_cpu!("fold");
}
