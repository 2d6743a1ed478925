//! A frozen network as one differentiable candle operation, so that whatever is trained around it is ordinary candle
//! code. candle's backward sees only argument and result, so the operation holds the trace of its forward pass.

use std::sync::{Arc, Mutex};

use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, CustomOp2, Layout, MetalStorage, Shape, Storage, Tensor,
};

use super::network::{FrozenNetwork, Trace};
use super::window::{WindowTrace, Windowed};
use crate::error::{Error, Result};

/// The logits `[n, classes]` of `images` `[n, 3, h, w]`, differentiable with respect to the images.
///
/// Where `images` depends on no variable, nothing is kept and this is [`FrozenNetwork::infer`]. Otherwise one backward
/// pass can follow.
///
/// # Errors
///
/// Those of the network; a second backward pass fails with [`Error::TraceUsed`].
pub fn logits(network: &Arc<dyn FrozenNetwork>, images: &Tensor) -> Result<Tensor> {
    if !images.track_op() {
        return Ok(network.infer(images)?.logits);
    }
    let (outputs, trace) = network.trace(&images.detach())?;
    let held = Held::new(outputs.logits, trace)?;
    Ok(images.apply_op1(Whole(held))?)
}

/// The logits `[n, classes]` of one `canvas` `[3, h, w]` into which `patches` `[n, 3, s, s]` are pasted at row `top`,
/// column `left`; differentiable with respect to both. What the canvas holds inside the window is ignored and its
/// gradient there is zero.
///
/// # Errors
///
/// Those of the network; a second backward pass fails with [`Error::TraceUsed`].
pub fn logits_window(
    network: &Arc<dyn FrozenNetwork>,
    canvas: &Tensor,
    patches: &Tensor,
    top: usize,
    left: usize,
) -> Result<Tensor> {
    let windowed = Windowed {
        canvas: canvas.detach(),
        patches: patches.detach(),
        top,
        left,
    };
    if !canvas.track_op() && !patches.track_op() {
        return Ok(network.infer_window(&windowed)?.logits);
    }
    let (outputs, trace) = network.trace_window(&windowed)?;
    let held = Held::new(outputs.logits, trace)?;
    Ok(canvas.apply_op2(patches, Window(held))?)
}

/// Logits that were computed before candle asks for them, and the trace until the backward pass takes it.
struct Held<T: ?Sized> {
    logits: Tensor,
    trace: Mutex<Option<Box<T>>>,
}

impl<T: ?Sized> Held<T> {
    fn new(logits: Tensor, trace: Box<T>) -> Result<Self> {
        Ok(Self {
            logits: logits.contiguous()?,
            trace: Mutex::new(Some(trace)),
        })
    }

    fn take(&self) -> Result<Box<T>> {
        let mut trace = self
            .trace
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        trace.take().ok_or(Error::TraceUsed)
    }

    fn cpu(&self) -> candle_core::Result<(CpuStorage, Shape)> {
        let (storage, layout) = self.logits.storage_and_layout();
        match &*storage {
            Storage::Cpu(storage) => Ok((storage.try_clone(layout)?, layout.shape().clone())),
            _ => Err(elsewhere()),
        }
    }

    fn cuda(&self) -> candle_core::Result<(CudaStorage, Shape)> {
        let (storage, layout) = self.logits.storage_and_layout();
        match &*storage {
            Storage::Cuda(storage) => Ok((storage.try_clone(layout)?, layout.shape().clone())),
            _ => Err(elsewhere()),
        }
    }

    fn metal(&self) -> candle_core::Result<(MetalStorage, Shape)> {
        let (storage, layout) = self.logits.storage_and_layout();
        match &*storage {
            Storage::Metal(storage) => Ok((storage.try_clone(layout)?, layout.shape().clone())),
            _ => Err(elsewhere()),
        }
    }
}

fn elsewhere() -> candle_core::Error {
    candle_core::Error::Msg(
        "run a frozen network: its logits are on another device than its images".into(),
    )
}

struct Whole(Held<dyn Trace>);

impl CustomOp1 for Whole {
    fn name(&self) -> &'static str {
        "frozen-network"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        self.0.cpu()
    }

    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout) -> candle_core::Result<(CudaStorage, Shape)> {
        self.0.cuda()
    }

    fn metal_fwd(
        &self,
        _: &MetalStorage,
        _: &Layout,
    ) -> candle_core::Result<(MetalStorage, Shape)> {
        self.0.metal()
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> candle_core::Result<Option<Tensor>> {
        Ok(Some(self.0.take()?.backward_to_input(grad)?))
    }
}

struct Window(Held<dyn WindowTrace>);

type PairOfGradients = (Option<Tensor>, Option<Tensor>);

impl CustomOp2 for Window {
    fn name(&self) -> &'static str {
        "frozen-network-window"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        self.0.cpu()
    }

    fn cuda_fwd(
        &self,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        self.0.cuda()
    }

    fn metal_fwd(
        &self,
        _: &MetalStorage,
        _: &Layout,
        _: &MetalStorage,
        _: &Layout,
    ) -> candle_core::Result<(MetalStorage, Shape)> {
        self.0.metal()
    }

    fn bwd(
        &self,
        canvas: &Tensor,
        patches: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> candle_core::Result<PairOfGradients> {
        let trace = self.0.take()?;
        if !patches.track_op() {
            return Ok((Some(trace.backward_to_canvas(grad)?), None));
        }
        let gradients = trace.backward_to_window(grad)?;
        let canvas = canvas.track_op().then_some(gradients.canvas);
        Ok((canvas, Some(gradients.patches)))
    }
}
