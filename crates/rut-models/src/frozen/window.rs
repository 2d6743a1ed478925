//! Batches that share everything outside a window: one canvas and a patch per image, as a padding prompt makes them.
//! This is the plain way, by pasting; an engine may do better by computing what the window cannot reach once.

use candle_core::Tensor;

use super::network::{OutputGrads, Trace};
use crate::error::{Error, Result};

/// A batch of `n` images that differ only inside a square window.
#[derive(Debug, Clone)]
pub struct Windowed {
    /// What surrounds the window, `[3, h, w]`, normalised; what it holds inside the window is ignored.
    pub canvas: Tensor,
    /// The contents of the window, `[n, 3, s, s]`, normalised.
    pub patches: Tensor,
    /// Row of the window's first pixel.
    pub top: usize,
    /// Column of the window's first pixel.
    pub left: usize,
}

/// The gradients of a loss over a batch with respect to the two parts of a [`Windowed`].
#[derive(Debug, Clone)]
pub struct WindowGradients {
    /// Of the canvas, summed over the batch, `[3, h, w]`; zero inside the window, or NaN throughout.
    pub canvas: Tensor,
    /// Of each patch, `[n, 3, s, s]`.
    pub patches: Tensor,
}

/// What a forward pass over a [`Windowed`] left behind for exactly one backward pass.
pub trait WindowTrace: Send {
    /// The gradients of the outputs to those of canvas and patches. Uses the trace up.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where they do not fit the forward pass; [`Error::Kernel`] or [`Error::Candle`]
    /// where the engine fails.
    fn backward_to_window(self: Box<Self>, grads: &OutputGrads) -> Result<WindowGradients>;

    /// That of the canvas alone, `[3, h, w]`: all that a prompt needs. Uses the trace up.
    ///
    /// # Errors
    ///
    /// As [`WindowTrace::backward_to_window`].
    fn backward_to_canvas(self: Box<Self>, grads: &OutputGrads) -> Result<Tensor> {
        Ok(self.backward_to_window(grads)?.canvas)
    }
}

impl Windowed {
    /// The images themselves, `[n, 3, h, w]`: the canvas repeated, each with its patch.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where the window does not lie in the canvas.
    ///
    /// ```
    /// use candle_core::{DType, Device, Tensor};
    /// use rut_models::Windowed;
    /// let canvas = Tensor::zeros((3, 4, 4), DType::F32, &Device::Cpu)?;
    /// let patches = Tensor::ones((2, 3, 2, 2), DType::F32, &Device::Cpu)?;
    /// let images = Windowed { canvas, patches, top: 1, left: 1 }.paste()?;
    /// assert_eq!(images.sum_all()?.to_scalar::<f32>()?, 24.0);
    /// # Ok::<(), rut_models::Error>(())
    /// ```
    pub fn paste(&self) -> Result<Tensor> {
        let frame = self.frame()?;
        let n = self.patches.dim(0)?;
        let canvas = self.canvas.unsqueeze(0)?;
        let canvas = canvas.broadcast_as((n, 3, frame.height, frame.width))?;
        Ok(frame.replace(&canvas, &self.patches)?)
    }

    pub(super) fn frame(&self) -> Result<Frame> {
        let (canvas, patches) = (self.canvas.dims(), self.patches.dims());
        let fits = |&[_, _, s, t]: &[usize; 4], &[_, h, w]: &[usize; 3]| {
            s == t && self.top + s <= h && self.left + s <= w
        };
        match (
            <&[usize; 3]>::try_from(canvas),
            <&[usize; 4]>::try_from(patches),
        ) {
            (Ok(c @ &[3, height, width]), Ok(p @ &[_, 3, side, _])) if fits(p, c) => Ok(Frame {
                height,
                width,
                side,
                top: self.top,
                left: self.left,
            }),
            _ => Err(Error::Argument {
                what: "the pair of canvas and patches",
                found: format!(
                    "{canvas:?} and {patches:?} at ({}, {})",
                    self.top, self.left
                ),
                expected: "[3, h, w] and [n, 3, s, s] with the window inside the canvas".into(),
            }),
        }
    }
}

/// Where the window lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) side: usize,
    pub(super) top: usize,
    pub(super) left: usize,
}

impl Frame {
    /// `images` `[n, 3, h, w]` with the window's content replaced by `patches` `[n, 3, s, s]`. Content is copied, never
    /// multiplied, so that a NaN inside the window cannot leak.
    fn replace(self, images: &Tensor, patches: &Tensor) -> candle_core::Result<Tensor> {
        let (bottom, right) = (self.top + self.side, self.left + self.side);
        let rows = images.narrow(2, self.top, self.side)?;
        let left = rows.narrow(3, 0, self.left)?;
        let rest = rows.narrow(3, right, self.width - right)?;
        let rows = join(&[left, patches.clone(), rest], 3)?;
        let above = images.narrow(2, 0, self.top)?;
        let below = images.narrow(2, bottom, self.height - bottom)?;
        join(&[above, rows, below], 2)
    }

    fn cut(self, images: &Tensor) -> candle_core::Result<Tensor> {
        images
            .narrow(2, self.top, self.side)?
            .narrow(3, self.left, self.side)?
            .contiguous()
    }
}

/// Joins those parts that are not empty.
fn join(parts: &[Tensor], axis: usize) -> candle_core::Result<Tensor> {
    let parts: Vec<&Tensor> = parts.iter().filter(|part| part.dims()[axis] > 0).collect();
    Tensor::cat(&parts, axis)?.contiguous()
}

/// A trace over pasted images, cut apart again on the way back.
struct Pasted {
    trace: Box<dyn Trace>,
    frame: Frame,
}

/// Wraps the trace of `windowed.paste()`.
pub(super) fn pasted(trace: Box<dyn Trace>, windowed: &Windowed) -> Result<Box<dyn WindowTrace>> {
    let frame = windowed.frame()?;
    Ok(Box::new(Pasted { trace, frame }))
}

impl WindowTrace for Pasted {
    fn backward_to_window(self: Box<Self>, grads: &OutputGrads) -> Result<WindowGradients> {
        let grad = self.trace.backward_to_input(grads)?;
        let patches = self.frame.cut(&grad)?;
        let sum = grad.sum_keepdim(0)?;
        let hole = patches.narrow(0, 0, 1)?.zeros_like()?;
        let canvas = self.frame.replace(&sum, &hole)?.squeeze(0)?;
        Ok(WindowGradients { canvas, patches })
    }
}
