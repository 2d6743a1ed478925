//! Batches that share everything outside a window: the canvas once, and the blocks of images only where it reaches.

use std::fmt;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::block::Decisions;
use super::canvas::{Canvas, Painter};
use super::{Inner, Passed, images};
use crate::error::Result;
use crate::frozen::network::Outputs;
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
    ) -> Result<(Outputs, CpuWindowTrace)> {
        let frame = windowed.frame()?;
        let [n, _, side, _] = images::check(&windowed.patches)?;
        images::check(&windowed.canvas.unsqueeze(0)?)?;
        let window = Some([frame.top, frame.left, side]);
        let geometry = self.geometry([frame.height, frame.width], window)?;
        let painter = self.painter(&geometry);
        let mut canvas = None;
        let mut is_finite = true;
        images::with_slice(&windowed.canvas, |planar| {
            is_finite = images::finite_outside(planar, &frame);
            canvas = Some(painter.forward(planar)?);
            Ok(())
        })?;
        let canvas = canvas.unwrap_or_else(|| Canvas::blank(&self.plan));
        let mut passed = Passed::default();
        images::with_slice(&windowed.patches, |pixels| {
            passed = self.pass_forward(&geometry, Some(&canvas), pixels, keep)?;
            Ok(())
        })?;
        if !is_finite {
            passed.features.fill(f32::NAN);
            passed.logits.fill(f32::NAN);
        }
        let trace = CpuWindowTrace {
            network: self.clone(),
            geometry,
            canvas,
            frame,
            n,
            blocks: passed.blocks,
        };
        let outputs = images::outputs(passed.features, passed.logits, n)?;
        Ok((outputs, trace))
    }

    fn painter<'a>(&'a self, geometry: &'a Geometry) -> Painter<'a> {
        Painter {
            plan: &self.plan,
            geometry,
            workspace: &self.workspace,
        }
    }
}

impl WindowTrace for CpuWindowTrace {
    fn backward_to_window(mut self: Box<Self>, grad_logits: &Tensor) -> Result<WindowGradients> {
        let blocks = std::mem::take(&mut self.blocks);
        let (network, frame) = (&self.network, self.frame);
        images::check_grad(grad_logits, [self.n, network.graph.classes()])?;
        let painter = network.painter(&self.geometry);
        let patch = 3 * frame.side * frame.side;
        let mut patches = vec![0.0; self.n * patch];
        let mut sums = painter.no_sums();
        images::with_slice(grad_logits, |rows| {
            let sums = Some(&mut sums);
            network.pass_backward(&self.geometry, blocks, rows, &mut patches, sums)
        })?;
        let mut canvas = painter.backward(&self.canvas, sums)?;
        if patches.iter().any(|value| value.is_nan()) {
            canvas.fill(f32::NAN);
        }
        let (side, device) = (frame.side, Device::Cpu);
        let canvas = Tensor::from_vec(canvas, (3, frame.height, frame.width), &device)?;
        Ok(WindowGradients {
            canvas,
            patches: Tensor::from_vec(patches, (self.n, 3, side, side), &device)?,
        })
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
