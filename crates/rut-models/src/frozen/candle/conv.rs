//! Convolution and the gradient of its input. candle's own backward pass always computes the gradient of the weight
//! too, so the gradient here is written with forward operations.

mod columns;
mod taps;
mod turned;

use candle_core::{Result, Tensor};

use crate::graph::{Bias, Conv};
use columns::Columns;
use taps::Taps;
use turned::Turned;

/// A convolution with its weights.
pub(super) struct ConvLayer {
    taps: Taps,
    backend: Backend,
    /// `[1, out, 1, 1]`.
    bias: Option<Tensor>,
}

/// Two ways to the same sums.
enum Backend {
    /// Matrix products of columns of pixels: on the CPU several times faster than candle's convolution.
    Columns(Columns),
    /// candle's convolution, on devices that bring their own.
    Turned(Turned),
}

impl ConvLayer {
    pub(super) fn new(
        spec: &Conv,
        load: impl Fn(&str, &str) -> crate::Result<Tensor>,
    ) -> crate::Result<Self> {
        let weight = load(&spec.param, "weight")?;
        let bias = match spec.bias {
            Bias::Added => {
                Some(load(&spec.param, "bias")?.reshape((1, spec.out_channels, 1, 1))?)
            }
            Bias::None => None,
        };
        let backend = if weight.device().is_cpu() {
            Backend::Columns(Columns::new(&weight)?)
        } else {
            Backend::Turned(Turned::new(weight))
        };
        Ok(Self {
            taps: Taps::of(spec),
            backend,
            bias,
        })
    }

    /// `[n, in, h, w]` to `[n, out, oh, ow]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = match &self.backend {
            Backend::Columns(columns) => columns.forward(x, self.taps)?,
            Backend::Turned(turned) => turned.forward(x, self.taps)?,
        };
        match &self.bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    }

    /// The gradient of the input, of shape `read` `[n, in, h, w]`, from that of the output.
    pub(super) fn backward(&self, grad: &Tensor, read: &[usize]) -> Result<Tensor> {
        let input = [read[2], read[3]];
        match &self.backend {
            Backend::Columns(columns) => columns.backward(grad, self.taps, input),
            Backend::Turned(turned) => turned.backward(grad, self.taps, input),
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::{Columns, Taps, Turned};

    fn ramp(shape: &[usize]) -> Tensor {
        let count = shape.iter().product::<usize>();
        let values: Vec<f64> = (0..count)
            .map(|i| ((i * 37 + 11) % 101) as f64 - 50.0)
            .collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    /// Small whole numbers add without rounding, so both ways give the same bits.
    #[test]
    fn both_methods_agree_exactly() {
        for [kernel, stride, padding] in [
            [1, 1, 0],
            [1, 2, 0],
            [3, 1, 1],
            [3, 2, 1],
            [5, 3, 4],
            [7, 2, 3],
            [2, 2, 0],
        ] {
            let taps = Taps {
                kernel,
                stride,
                padding,
            };
            let weight = ramp(&[6, 4, kernel, kernel]);
            let (columns, turned) = (Columns::new(&weight).unwrap(), Turned::new(weight));
            for [h, w] in [[9, 9], [8, 13], [14, 7]] {
                let x = ramp(&[3, 4, h, w]);
                let y = columns.forward(&x, taps).unwrap();
                assert_eq!(
                    bits(&y),
                    bits(&turned.forward(&x, taps).unwrap()),
                    "{taps:?}"
                );
                let g = ramp(y.dims());
                let backward = columns.backward(&g, taps, [h, w]).unwrap();
                assert_eq!(backward.dims(), x.dims());
                assert_eq!(
                    bits(&backward),
                    bits(&turned.backward(&g, taps, [h, w]).unwrap()),
                    "{taps:?}"
                );
            }
        }
    }

    fn bits(tensor: &Tensor) -> Vec<f64> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }
}
