//! The interface of every engine: infer, or trace and go back. It says nothing about how.

use candle_core::{DType, Device, Tensor};

use super::window::{self, WindowTrace, Windowed};
use crate::error::Result;

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

/// What a forward pass left behind for exactly one backward pass.
pub trait Trace: Send {
    /// The gradient of the logits, `[n, classes]`, to that of the images, `[n, 3, h, w]`. Uses the trace up.
    fn backward_to_input(self: Box<Self>, grad_logits: &Tensor) -> Result<Tensor>;
}
