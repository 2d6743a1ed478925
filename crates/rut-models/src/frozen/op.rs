//! A frozen network as one differentiable candle operation, so that whatever is trained around it is ordinary candle
//! code. candle's backward sees only argument and result, so the operation holds the trace of its forward pass.

use std::sync::{Arc, Mutex};

use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, CustomOp2, Layout, MetalStorage, Shape, Storage, Tensor,
};

use super::network::{FrozenNetwork, OutputGrads, Outputs, Trace};
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
    whole(network, images, Columns::Logits)
}

/// Features and logits side by side, `[n, width + classes]`, for what is trained on both; otherwise as [`logits`]. One backward
/// pass goes back from both.
///
/// # Errors
///
/// As [`logits`].
pub fn outputs(network: &Arc<dyn FrozenNetwork>, images: &Tensor) -> Result<Tensor> {
    whole(network, images, Columns::Both)
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
    window(network, canvas, patches, top, left, Columns::Logits)
}

/// Features and logits side by side, `[n, width + classes]`; otherwise as [`logits_window`].
///
/// # Errors
///
/// As [`logits_window`].
pub fn outputs_window(
    network: &Arc<dyn FrozenNetwork>,
    canvas: &Tensor,
    patches: &Tensor,
    top: usize,
    left: usize,
) -> Result<Tensor> {
    window(network, canvas, patches, top, left, Columns::Both)
}

fn whole(network: &Arc<dyn FrozenNetwork>, images: &Tensor, columns: Columns) -> Result<Tensor> {
    if !images.track_op() {
        return columns.of(network.infer(images)?);
    }
    let (outputs, trace) = network.trace(&images.detach())?;
    let held = Precomputed::new(outputs, columns, trace)?;
    Ok(images.apply_op1(WholeOp(held))?)
}

fn window(
    network: &Arc<dyn FrozenNetwork>,
    canvas: &Tensor,
    patches: &Tensor,
    top: usize,
    left: usize,
    columns: Columns,
) -> Result<Tensor> {
    let windowed = Windowed {
        canvas: canvas.detach(),
        patches: patches.detach(),
        top,
        left,
    };
    if !canvas.track_op() && !patches.track_op() {
        return columns.of(network.infer_window(&windowed)?);
    }
    let (outputs, trace) = network.trace_window(&windowed)?;
    let held = Precomputed::new(outputs, columns, trace)?;
    Ok(canvas.apply_op2(patches, WindowOp(held))?)
}

/// What an operation gives: candle's have one result.
#[derive(Clone, Copy)]
enum Columns {
    Logits,
    /// The features, then the logits.
    Both,
}

impl Columns {
    fn of(self, outputs: Outputs) -> Result<Tensor> {
        Ok(match self {
            Self::Logits => outputs.logits,
            Self::Both => Tensor::cat(&[outputs.features, outputs.logits], 1)?,
        })
    }

    /// The gradients in one of the result, whose features are `width` wide.
    fn grads(self, grad: &Tensor, width: usize) -> candle_core::Result<OutputGrads> {
        match self {
            Self::Logits => Ok(OutputGrads::of_logits(grad)),
            Self::Both => Ok(OutputGrads {
                features: Some(grad.narrow(1, 0, width)?.contiguous()?),
                logits: Some(grad.narrow(1, width, grad.dim(1)? - width)?.contiguous()?),
            }),
        }
    }
}

/// A result that was computed before candle asks for it, and the trace until the backward pass takes it.
struct Precomputed<T: ?Sized> {
    result: Tensor,
    columns: Columns,
    width: usize,
    trace: Mutex<Option<Box<T>>>,
}

impl<T: ?Sized> Precomputed<T> {
    fn new(outputs: Outputs, columns: Columns, trace: Box<T>) -> Result<Self> {
        let width = outputs.features.dim(1)?;
        Ok(Self {
            result: columns.of(outputs)?.contiguous()?,
            columns,
            width,
            trace: Mutex::new(Some(trace)),
        })
    }

    fn grads(&self, grad: &Tensor) -> candle_core::Result<OutputGrads> {
        self.columns.grads(grad, self.width)
    }

    fn take(&self) -> Result<Box<T>> {
        let mut trace = self
            .trace
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        trace.take().ok_or(Error::TraceUsed)
    }

    fn cpu(&self) -> candle_core::Result<(CpuStorage, Shape)> {
        let (storage, layout) = self.result.storage_and_layout();
        match &*storage {
            Storage::Cpu(storage) => Ok((storage.try_clone(layout)?, layout.shape().clone())),
            _ => Err(elsewhere()),
        }
    }

    fn cuda(&self) -> candle_core::Result<(CudaStorage, Shape)> {
        let (storage, layout) = self.result.storage_and_layout();
        match &*storage {
            Storage::Cuda(storage) => Ok((storage.try_clone(layout)?, layout.shape().clone())),
            _ => Err(elsewhere()),
        }
    }

    fn metal(&self) -> candle_core::Result<(MetalStorage, Shape)> {
        let (storage, layout) = self.result.storage_and_layout();
        match &*storage {
            Storage::Metal(storage) => Ok((storage.try_clone(layout)?, layout.shape().clone())),
            _ => Err(elsewhere()),
        }
    }
}

fn elsewhere() -> candle_core::Error {
    candle_core::Error::Msg(
        "run a frozen network: its outputs are on another device than its images".into(),
    )
}

struct WholeOp(Precomputed<dyn Trace>);

impl CustomOp1 for WholeOp {
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
        let grads = self.0.grads(grad)?;
        Ok(Some(self.0.take()?.backward_to_input(&grads)?))
    }
}

struct WindowOp(Precomputed<dyn WindowTrace>);

type PairOfGradients = (Option<Tensor>, Option<Tensor>);

impl CustomOp2 for WindowOp {
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
        let (trace, grads) = (self.0.take()?, self.0.grads(grad)?);
        if !patches.track_op() {
            return Ok((Some(trace.backward_to_canvas(&grads)?), None));
        }
        let gradients = trace.backward_to_window(&grads)?;
        let canvas = canvas.track_op().then_some(gradients.canvas);
        Ok((canvas, Some(gradients.patches)))
    }
}
