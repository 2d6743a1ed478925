//! Batches that share everything outside a window: the canvas once, and the blocks of images only where it reaches.

use std::fmt;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::block::Decisions;
use super::canvas::{Canvas, Painter, Sums};
use super::{Inner, images, on_the_pool};
use crate::error::Result;
use crate::frozen::network::{OutputGrads, Outputs};
use crate::frozen::plan::Geometry;
use crate::frozen::window::{Frame, WindowGradients, WindowTrace, Windowed};

/// What a forward pass over a [`Windowed`] left behind.
pub(super) struct CpuWindowTrace {
    network: Arc<Inner>,
    geometry: Arc<Geometry>,
    canvas: Canvas,
    frame: Frame,
    n: usize,
    blocks: Vec<Decisions>,
}

impl Inner {
    pub(super) fn forward_window(
        self: &Arc<Self>,
        windowed: &Windowed,
        keep: bool,
    ) -> Result<(Outputs, Option<CpuWindowTrace>)> {
        on_the_pool(|| {
            let frame = windowed.frame()?;
            let [n, _, side, _] = images::check(&windowed.patches)?;
            images::check(&windowed.canvas.unsqueeze(0)?)?;
            let window = Some([frame.top, frame.left, side]);
            let geometry = self.geometry([frame.height, frame.width], window)?;
            let (canvas, is_finite) = images::with_slice(&windowed.canvas, |planar| {
                let canvas = self.painter(&geometry).forward(planar)?;
                Ok((canvas, images::finite_outside(planar, &frame)))
            })?;
            let mut passed = images::with_slice(&windowed.patches, |pixels| {
                self.pass_forward(&geometry, Some(&canvas), pixels, keep)
            })?;
            if !is_finite {
                passed.features.fill(f32::NAN);
                passed.logits.fill(f32::NAN);
            }
            let outputs = images::outputs(passed.features, passed.logits, n)?;
            if !keep {
                canvas.give(&self.canvases);
                return Ok((outputs, None));
            }
            let trace = CpuWindowTrace {
                network: self.clone(),
                geometry,
                canvas,
                frame,
                n,
                blocks: passed.blocks,
            };
            Ok((outputs, Some(trace)))
        })
    }

    fn painter<'a>(&'a self, geometry: &'a Geometry) -> Painter<'a> {
        Painter {
            plan: &self.plan,
            geometry,
            workspace: &self.workspace,
            arena: &self.canvases,
        }
    }
}

impl CpuWindowTrace {
    /// The gradient of the canvas, and that of the patches into `patches` where it is wanted.
    fn backward(mut self, grads: &OutputGrads, patches: Option<&mut [f32]>) -> Result<Tensor> {
        on_the_pool(|| {
            let blocks = std::mem::take(&mut self.blocks);
            let (network, frame) = (&self.network, self.frame);
            grads.check(self.n, &**network)?;
            let mut sums = Sums::zeros(&network.plan, &self.geometry);
            let mut is_finite = true;
            images::with_rows(grads, self.n, |rows| {
                is_finite = rows.iter().all(|rows| rows.is_finite());
                network.pass_backward(&self.geometry, blocks, rows, patches, Some(&mut sums))
            })?;
            let painter = network.painter(&self.geometry);
            let mut canvas = painter.backward(&self.canvas, &sums)?;
            self.canvas.give(&network.canvases);
            if !is_finite {
                canvas.fill(f32::NAN);
            }
            let shape = (3, frame.height, frame.width);
            Ok(Tensor::from_vec(canvas, shape, &Device::Cpu)?)
        })
    }
}

impl WindowTrace for CpuWindowTrace {
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

impl fmt::Debug for CpuWindowTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CpuWindowTrace")
            .field("frame", &self.frame)
            .field("images", &self.n)
            .finish_non_exhaustive()
    }
}
