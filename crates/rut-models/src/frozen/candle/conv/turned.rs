//! Convolution by candle's own. The gradient of the input is a convolution too: of the output's gradient, with its
//! pixels `stride` apart, with the kernel turned by 180°.

use std::sync::OnceLock;

use candle_core::{Result, Tensor};

use super::taps::Taps;
use crate::frozen::candle::pool::spread;

pub(super) struct Turned {
    /// `[out, in, kernel, kernel]`.
    weight: Tensor,
    /// `[in, out, kernel, kernel]`, turned; made for the first backward pass.
    turned: OnceLock<Tensor>,
}

impl Turned {
    pub(super) fn new(weight: Tensor) -> Self {
        Self {
            weight,
            turned: OnceLock::new(),
        }
    }

    pub(super) fn forward(&self, x: &Tensor, taps: Taps) -> Result<Tensor> {
        x.conv2d(&self.weight, taps.padding, taps.stride, 1, 1)
    }

    /// Padded by kernel − 1 − padding; input pixels that no position reached are zeros after the last gradient.
    pub(super) fn backward(&self, grad: &Tensor, taps: Taps, input: [usize; 2]) -> Result<Tensor> {
        let turned = self.turned()?;
        if taps.kernel == 1 {
            return spread(&grad.conv2d(&turned, 0, 1, 1, 1)?, taps.stride, input);
        }
        let reached = input.map(|length| length + 2 * taps.padding + 1 - taps.kernel);
        let grad = spread(grad, taps.stride, reached)?;
        grad.conv2d(&turned, taps.kernel - 1 - taps.padding, 1, 1, 1)
    }

    fn turned(&self) -> Result<Tensor> {
        if let Some(turned) = self.turned.get() {
            return Ok(turned.clone());
        }
        let turned = self.weight.flip(&[2, 3])?.transpose(0, 1)?.contiguous()?;
        Ok(self.turned.get_or_init(|| turned).clone())
    }
}
