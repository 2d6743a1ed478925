//! Batches that share everything outside a window: the canvas once, and of each image only where the window reaches.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::{BatchEngine, BlockEngine, images, on_the_pool};
use crate::error::Result;
use crate::frozen::network::{OutputGrads, Outputs};
use crate::frozen::window::{Frame, WindowGradients, WindowTrace, Windowed};

/// What a forward pass over a [`Windowed`] left behind.
pub(in crate::frozen) struct BatchWindowTrace<B: BlockEngine> {
    engine: Arc<BatchEngine<B>>,
    sizes: Arc<B::Sizes>,
    canvas: B::Canvas,
    frame: Frame,
    n: usize,
    kept: Vec<B::Kept>,
}

impl<B: BlockEngine> BatchEngine<B> {
    pub(in crate::frozen) fn infer_window(
        self: &Arc<Self>,
        windowed: &Windowed,
    ) -> Result<Outputs> {
        let (outputs, trace) = self.forward_window(windowed, false)?;
        self.blocks.take_back(trace.canvas);
        Ok(outputs)
    }

    pub(in crate::frozen) fn trace_window(
        self: &Arc<Self>,
        windowed: &Windowed,
    ) -> Result<(Outputs, BatchWindowTrace<B>)> {
        self.forward_window(windowed, true)
    }

    fn forward_window(
        self: &Arc<Self>,
        windowed: &Windowed,
        keep: bool,
    ) -> Result<(Outputs, BatchWindowTrace<B>)> {
        on_the_pool(|| {
            let frame = windowed.frame()?;
            let [n, _, side, _] = images::check(&windowed.patches)?;
            images::check(&windowed.canvas.unsqueeze(0)?)?;
            let window = Some([frame.top, frame.left, side]);
            let sizes = self.sizes([frame.height, frame.width], window)?;
            let (canvas, is_finite) = images::with_slice(&windowed.canvas, |pixels| {
                let canvas = self.blocks.canvas_forward(&sizes, pixels)?;
                Ok((canvas, images::finite_outside(pixels, &frame)))
            })?;
            let (mut rows, kept) = images::with_slice(&windowed.patches, |pixels| {
                self.pass_forward(&sizes, Some(&canvas), pixels, keep)
            })?;
            if !is_finite {
                rows.fill(f32::NAN);
            }
            let trace = BatchWindowTrace {
                engine: self.clone(),
                sizes,
                canvas,
                frame,
                n,
                kept,
            };
            Ok((images::outputs(rows, n)?, trace))
        })
    }
}

impl<B: BlockEngine> BatchWindowTrace<B> {
    /// The gradient of the canvas, and that of the patches into `patches` where it is wanted.
    fn backward(self, grads: &OutputGrads, patches: Option<&mut [f32]>) -> Result<Tensor> {
        on_the_pool(|| {
            let (engine, sizes, frame) = (&self.engine, &self.sizes, self.frame);
            grads.check(self.n, &**engine)?;
            let mut sums = engine.blocks.zero_sums(sizes)?;
            let mut is_finite = true;
            images::with_rows(grads, self.n, |rows| {
                is_finite = rows.iter().all(|rows| rows.is_finite());
                engine.pass_backward(sizes, self.kept, rows, patches, Some(&mut sums))
            })?;
            let mut canvas = engine.blocks.canvas_backward(sizes, &self.canvas, &sums)?;
            engine.blocks.take_back(self.canvas);
            if !is_finite {
                canvas.fill(f32::NAN);
            }
            let shape = (3, frame.height, frame.width);
            Ok(Tensor::from_vec(canvas, shape, &Device::Cpu)?)
        })
    }
}

impl<B: BlockEngine> WindowTrace for BatchWindowTrace<B> {
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
