//! Batches that share everything outside a window: the canvas once, and of each image only where the window reaches.

use std::fmt;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::canvas::{Canvas, Painter, Sums};
use super::sizes::{Sizes, lost};
use super::{Inner, Kept};
use crate::error::Result;
use crate::frozen::execute::{images, on_the_pool};
use crate::frozen::network::{OutputGrads, Outputs};
use crate::frozen::window::{Frame, WindowGradients, WindowTrace, Windowed};

/// What a forward pass over a [`Windowed`] left behind.
pub(super) struct Bf16WindowTrace {
    network: Arc<Inner>,
    sizes: Arc<Sizes>,
    canvas: Canvas,
    frame: Frame,
    n: usize,
    blocks: Vec<Kept>,
}

impl Inner {
    pub(super) fn forward_window(
        self: &Arc<Self>,
        windowed: &Windowed,
        keep: bool,
    ) -> Result<(Outputs, Option<Bf16WindowTrace>)> {
        on_the_pool(|| {
            let frame = windowed.frame()?;
            let [n, _, side, _] = images::check(&windowed.patches)?;
            images::check(&windowed.canvas.unsqueeze(0)?)?;
            let window = Some([frame.top, frame.left, side]);
            let sizes = self.sizes([frame.height, frame.width], window)?;
            let (canvas, is_finite) = images::with_slice(&windowed.canvas, |pixels| {
                let mut shelf = self.take_shelf();
                let canvas = self.painter(&sizes)?.forward(pixels, &mut shelf)?;
                self.give_shelf(shelf);
                Ok((canvas, images::finite_outside(pixels, &frame)))
            })?;
            let (mut rows, blocks) = images::with_slice(&windowed.patches, |pixels| {
                self.pass_forward(&sizes, Some(&canvas), pixels, keep)
            })?;
            if !is_finite {
                rows.features.fill(f32::NAN);
                rows.logits.fill(f32::NAN);
            }
            let outputs = images::outputs(rows.features, rows.logits, n)?;
            let trace = keep.then(|| Bf16WindowTrace {
                network: self.clone(),
                sizes,
                canvas,
                frame,
                n,
                blocks,
            });
            Ok((outputs, trace))
        })
    }

    fn painter<'a>(&'a self, sizes: &'a Sizes) -> Result<Painter<'a>> {
        Ok(Painter {
            plan: &self.plan,
            sizes,
            canvas: sizes.canvas.as_deref().ok_or_else(lost)?,
        })
    }
}

impl Bf16WindowTrace {
    /// The gradient of the canvas, and that of the patches into `patches` where it is wanted.
    fn backward(mut self, grads: &OutputGrads, patches: Option<&mut [f32]>) -> Result<Tensor> {
        on_the_pool(|| {
            let blocks = std::mem::take(&mut self.blocks);
            let (network, frame) = (&self.network, self.frame);
            grads.check(self.n, &**network)?;
            let mut sums = Sums::zeros(&network.plan, &self.sizes)?;
            let mut is_finite = true;
            images::with_rows(grads, self.n, |rows| {
                is_finite = rows.iter().all(|rows| rows.is_finite());
                network.pass_backward(&self.sizes, blocks, rows, patches, Some(&mut sums))
            })?;
            let mut canvas = network
                .painter(&self.sizes)?
                .backward(&self.canvas, &sums)?;
            if !is_finite {
                canvas.fill(f32::NAN);
            }
            let shape = (3, frame.height, frame.width);
            Ok(Tensor::from_vec(canvas, shape, &Device::Cpu)?)
        })
    }
}

impl WindowTrace for Bf16WindowTrace {
    fn backward_to_window(self: Box<Self>, grads: &OutputGrads) -> Result<WindowGradients> {
        let (n, side) = (self.n, self.frame.side);
        let mut patches = vec![0.0; n * 3 * side * side];
        let canvas = self.backward(grads, Some(&mut patches))?;
        Ok(WindowGradients {
            canvas,
            patches: Tensor::from_vec(patches, (n, 3, side, side), &Device::Cpu)?,
        })
    }

    fn backward_to_canvas(self: Box<Self>, grads: &OutputGrads) -> Result<Tensor> {
        self.backward(grads, None)
    }
}

impl fmt::Debug for Bf16WindowTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bf16WindowTrace")
            .field("frame", &self.frame)
            .field("images", &self.n)
            .finish_non_exhaustive()
    }
}
