//! The interface of every engine: infer, or trace and compute gradients. Engines implement it.

use candle_core::{DType, Device, Tensor};

use super::placement::{Placement, Precision};
use super::window::{self, WindowTrace, Windowed};
use crate::error::{Error, Result};

/// What a forward pass gives for a batch of `n` images.
#[derive(Debug, Clone)]
pub struct Outputs {
    /// What enters the last linear layer, `[n, width]`.
    pub features: Tensor,
    /// `[n, classes]`.
    pub logits: Tensor,
}

/// What computes a network. Bit-equality of two passes is promised where both are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineInfo {
    /// Name of the engine in records and cache keys. Its number grows when its arithmetic changes, so that no features of
    /// an older one are taken from a cache.
    pub name: &'static str,
    /// Instruction set that its arithmetic uses.
    pub isa: &'static str,
}

/// A network whose weights do not change. Object-safe: the engine is chosen at run time.
///
/// Images are `[n, 3, h, w]`, normalised, of the network's element type and on its device; anything else is
/// [`Error::Argument`](crate::Error::Argument).
pub trait FrozenNetwork: Send + Sync {
    /// What computes it.
    fn engine(&self) -> EngineInfo;

    /// Length of a row of logits.
    fn classes(&self) -> usize;

    /// Length of a row of features.
    fn width(&self) -> usize;

    /// Element type of images, features and logits.
    fn dtype(&self) -> DType;

    /// Device of images, features and logits.
    fn device(&self) -> &Device;

    /// What its convolutions are rounded to between them.
    fn precision(&self) -> Precision {
        Precision::F32
    }

    /// All three.
    fn placement(&self) -> Placement {
        Placement {
            dtype: self.dtype(),
            precision: self.precision(),
            device: self.device().clone(),
        }
    }

    /// Features and logits of `images` `[n, 3, h, w]`; keeps nothing.
    fn infer(&self, images: &Tensor) -> Result<Outputs>;

    /// The same, and what one backward pass needs.
    fn trace(&self, images: &Tensor) -> Result<(Outputs, Box<dyn Trace>)>;

    /// Features and logits of one canvas into which each patch is pasted in turn.
    fn infer_window(&self, windowed: &Windowed) -> Result<Outputs> {
        self.infer(&windowed.paste()?)
    }

    /// The same, and what one backward pass needs.
    fn trace_window(&self, windowed: &Windowed) -> Result<(Outputs, Box<dyn WindowTrace>)> {
        let (outputs, trace) = self.trace(&windowed.paste()?)?;
        Ok((outputs, window::pasted(trace, windowed)?))
    }
}

/// The gradients of a loss with respect to what a forward pass gave, of one of the two or of both.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use rut_models::OutputGrads;
/// let logits = Tensor::ones((2, 10), DType::F32, &Device::Cpu)?;
/// let grads = OutputGrads::of_logits(&logits);
/// assert!(grads.features.is_none());
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct OutputGrads {
    /// Of the features, `[n, width]`: what came back without the last linear layer.
    pub features: Option<Tensor>,
    /// Of the logits, `[n, classes]`.
    pub logits: Option<Tensor>,
}

impl OutputGrads {
    /// Of a loss on the logits alone.
    pub fn of_logits(logits: &Tensor) -> Self {
        Self {
            features: None,
            logits: Some(logits.detach()),
        }
    }

    /// Of a loss on the features alone.
    pub fn of_features(features: &Tensor) -> Self {
        Self {
            features: Some(features.detach()),
            logits: None,
        }
    }

    /// Checks that there is one, and that each is a row of its length for each of `n` images of this element type and device.
    pub(super) fn check(&self, n: usize, like: &dyn OutputShape) -> Result<()> {
        let each = [
            ("the gradient of the features", &self.features, like.width()),
            ("the gradient of the logits", &self.logits, like.classes()),
        ];
        for (what, grad, length) in each {
            let Some(grad) = grad else { continue };
            let fits = grad.dtype() == like.dtype() && grad.device().same_device(like.device());
            if !fits || grad.dims() != [n, length] {
                let (dims, dtype, device) = (grad.dims(), grad.dtype(), grad.device());
                return Err(Error::Argument {
                    what,
                    found: format!("{dims:?} {dtype:?} on {device:?}"),
                    expected: format!("[{n}, {length}] {:?} on {:?}", like.dtype(), like.device()),
                });
            }
        }
        match (&self.features, &self.logits) {
            (None, None) => Err(Error::Argument {
                what: "the gradient of a pass",
                found: "none".into(),
                expected: "that of the logits, of the features, or both".into(),
            }),
            _ => Ok(()),
        }
    }
}

/// What the rows of outputs are like.
pub(super) trait OutputShape {
    fn width(&self) -> usize;
    fn classes(&self) -> usize;
    fn dtype(&self) -> DType;
    fn device(&self) -> &Device;
}

/// What a forward pass left behind for exactly one backward pass.
pub trait Trace: Send {
    /// The gradients of logits `[n, classes]`, features `[n, width]`, or both, to that of the images, `[n, 3, h, w]`. Uses the
    /// trace up.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where they do not fit the forward pass, or there is none; [`Error::Kernel`] or
    /// [`Error::Candle`] where the engine fails.
    fn backward_to_input(self: Box<Self>, grads: &OutputGrads) -> Result<Tensor>;
}
