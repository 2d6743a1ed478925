//! The CPU engine: sixteen images at a time through fused steps on `rut-kernels`. The network is frozen, so that blocks
//! of images are independent, and memory does not grow with the batch but for one bit for each ReLU.

mod arena;
mod block;
mod canvas;
pub(super) mod images;
mod waves;
mod windowed;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{DType, Device, Tensor};
use rut_kernels::{Area, Isa, LANES, Workspace};

use super::candle::Record;
use super::network::{EngineInfo, FrozenNetwork, OutputGrads, OutputShape, Outputs, Trace};
use super::plan::{Geometry, Kernels, Plan, SinglePrecision};
use super::window::{WindowTrace, Windowed, pasted};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::weights::Weights;
use arena::Arena;
pub(super) use block::RowGrads;
use block::{Block, Decisions};
use canvas::{Canvas, Sums};
pub(super) use waves::{in_waves, on_the_pool};

/// The CPU engine, f32: batch norm folded into weights, one bit kept for each ReLU, kernels for the widest instruction
/// set of the processor (or that of `RUT_ISA`), on the threads of the current rayon pool. Results do not depend on the
/// number of threads, nor on which other images are in the batch.
pub struct CpuNetwork {
    inner: Arc<Inner>,
}

struct Inner {
    graph: Graph,
    plan: Plan,
    workspace: Workspace,
    /// One for each block that is computed at the same time.
    arenas: Mutex<Vec<Arena>>,
    /// For all canvases: they take few buffers, so that they need not wait for one another.
    canvases: Mutex<Arena>,
    geometries: Mutex<BTreeMap<Frames, Arc<Geometry>>>,
}

/// The size of a batch's images, and where there is a window its top, left and side.
type Frames = ([usize; 2], Option<[usize; 3]>);

impl CpuNetwork {
    /// Folds and stores the weights for the kernels.
    ///
    /// # Errors
    ///
    /// [`Error::Graph`] names a node that this engine cannot run; [`Error::Kernel`] where `RUT_ISA` asks for what the
    /// processor lacks; [`Error::Argument`] for weights of another graph.
    pub fn new(graph: &Graph, weights: &Weights, kernels: Kernels) -> Result<Self> {
        let isa = Isa::chosen()?;
        let arithmetic = SinglePrecision { kernels, isa };
        let inner = Inner {
            graph: graph.clone(),
            plan: Plan::new(graph, weights, arithmetic)?,
            workspace: Workspace::new(),
            arenas: Mutex::default(),
            canvases: Mutex::default(),
            geometries: Mutex::default(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The instruction set of the kernels.
    pub fn isa(&self) -> Isa {
        self.inner.plan.arithmetic.isa
    }

    /// [`FrozenNetwork::trace`] with the trace's own type, whose decisions can be read.
    ///
    /// # Errors
    ///
    /// As [`FrozenNetwork::trace`].
    pub fn trace_blocks(&self, images: &Tensor) -> Result<(Outputs, CpuTrace)> {
        let (outputs, trace) = self.inner.forward(images, true)?;
        Ok((outputs, trace.ok_or_else(no_trace)?))
    }
}

impl Inner {
    fn forward(
        self: &Arc<Self>,
        images: &Tensor,
        keep: bool,
    ) -> Result<(Outputs, Option<CpuTrace>)> {
        on_the_pool(|| {
            let dims = images::check(images)?;
            let [n, _, height, width] = dims;
            let geometry = self.geometry([height, width], None)?;
            let passed = images::with_slice(images, |pixels| {
                self.pass_forward(&geometry, None, pixels, keep)
            })?;
            let outputs = images::outputs(passed.features, passed.logits, n)?;
            let trace = keep.then(|| CpuTrace {
                network: self.clone(),
                geometry,
                dims,
                blocks: passed.blocks,
            });
            Ok((outputs, trace))
        })
    }

    /// All blocks of a batch forward; `pixels` `[n, 3, area]` are those of each image that are its own.
    fn pass_forward(
        &self,
        geometry: &Geometry,
        canvas: Option<&Canvas>,
        pixels: &[f32],
        keep: bool,
    ) -> Result<Passed> {
        let image = 3 * geometry.areas[0].len();
        let mut passed = Passed::default();
        let run = |images: &[f32]| {
            let mut arena = self.take_arena();
            let count = images.len() / image;
            let mut block = self.block(geometry, &mut arena, canvas);
            let (mut rows, decisions) = block.forward(images, count, keep)?;
            images::spread_nan(images, count, [&mut rows.features, &mut rows.logits]);
            self.give_arena(arena);
            Ok((rows, decisions))
        };
        in_waves(
            pixels.chunks(LANES * image),
            run,
            |(mut rows, decisions)| {
                passed.features.append(&mut rows.features);
                passed.logits.append(&mut rows.logits);
                passed.blocks.extend(decisions);
            },
        )?;
        Ok(passed)
    }

    /// All blocks of a batch backward: the gradients of their outputs to `grad` `[n, 3, area]`, where it is wanted. What each
    /// block adds to `sums` is added in the order of the blocks.
    fn pass_backward(
        &self,
        geometry: &Geometry,
        blocks: Vec<Decisions>,
        rows: &[RowGrads<'_>],
        grad: Option<&mut [f32]>,
        mut sums: Option<&mut Sums>,
    ) -> Result<()> {
        let image = 3 * geometry.areas[0].len();
        let no_sums = sums.as_deref().cloned();
        let run =
            |((rows, mut grad), decisions): ((&RowGrads<'_>, Option<&mut [f32]>), Decisions)| {
                let mut arena = self.take_arena();
                let mut own = no_sums.clone();
                let mut block = self.block(geometry, &mut arena, None);
                block.backward(&decisions, rows, grad.as_deref_mut(), own.as_mut())?;
                if let Some(grad) = grad {
                    for read in rows.each() {
                        images::spread_nan(read, rows.count, [&mut *grad]);
                    }
                }
                decisions.give(&mut arena);
                self.give_arena(arena);
                Ok(own)
            };
        let grads: Vec<Option<&mut [f32]>> = match grad {
            Some(grad) => grad.chunks_mut(LANES * image).map(Some).collect(),
            None => rows.iter().map(|_| None).collect(),
        };
        let items = rows.iter().zip(grads).zip(blocks);
        in_waves(items, run, |own| {
            if let (Some(sums), Some(own)) = (sums.as_deref_mut(), own) {
                sums.merge(&own);
            }
        })
    }

    fn block<'a>(
        &'a self,
        geometry: &'a Geometry,
        arena: &'a mut Arena,
        canvas: Option<&'a Canvas>,
    ) -> Block<'a> {
        Block {
            plan: &self.plan,
            geometry,
            workspace: &self.workspace,
            arena,
            canvas,
        }
    }

    fn take_arena(&self) -> Arena {
        lock(&self.arenas).pop().unwrap_or_default()
    }

    fn give_arena(&self, arena: Arena) {
        lock(&self.arenas).push(arena);
    }

    /// Whether the first step needs all pixels of an image, as a mean or a linear layer does.
    fn reads_whole_images(&self) -> bool {
        self.plan.reads_whole(0)
    }

    fn geometry(&self, size: [usize; 2], window: Option<[usize; 3]>) -> Result<Arc<Geometry>> {
        let mut known = lock(&self.geometries);
        if let Some(geometry) = known.get(&(size, window)) {
            return Ok(geometry.clone());
        }
        let geometry = match window {
            None => Geometry::whole(&self.graph, &self.plan, size)?,
            Some([top, left, side]) => {
                let window = Area {
                    top,
                    left,
                    height: side,
                    width: side,
                };
                Geometry::windowed(&self.graph, &self.plan, size, window)?
            }
        };
        let geometry = Arc::new(geometry);
        known.insert((size, window), geometry.clone());
        Ok(geometry)
    }
}

impl OutputShape for Inner {
    fn width(&self) -> usize {
        self.graph.width()
    }

    fn classes(&self) -> usize {
        self.graph.classes()
    }

    fn dtype(&self) -> DType {
        DType::F32
    }

    fn device(&self) -> &Device {
        &Device::Cpu
    }
}

/// Only a forward pass that was asked for a trace and kept none gets here.
fn no_trace() -> Error {
    Error::Argument {
        what: "the trace",
        found: "absent".into(),
        expected: "one for each forward pass that keeps one".into(),
    }
}

fn info(kernels: Kernels, isa: Isa) -> EngineInfo {
    // Different kernels add up in different orders: each choice is an engine of its own.
    let name = match kernels {
        Kernels::Auto => "cpu-auto-1",
        Kernels::Dense => "cpu-dense-1",
        Kernels::Sparse => "cpu-sparse-1",
    };
    EngineInfo {
        name,
        isa: isa.name(),
    }
}

/// What a forward pass over all blocks gives.
#[derive(Default)]
struct Passed {
    features: Vec<f32>,
    logits: Vec<f32>,
    blocks: Vec<Decisions>,
}

/// Nothing that these locks guard can be left half done, so that a thread that died in one does not matter.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for CpuNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CpuNetwork")
            .field("width", &self.width())
            .field("classes", &self.classes())
            .field("isa", &self.isa())
            .finish_non_exhaustive()
    }
}

impl FrozenNetwork for CpuNetwork {
    fn engine(&self) -> EngineInfo {
        let SinglePrecision { kernels, isa } = self.inner.plan.arithmetic;
        info(kernels, isa)
    }

    fn classes(&self) -> usize {
        self.inner.graph.classes()
    }

    fn width(&self) -> usize {
        self.inner.graph.width()
    }

    fn dtype(&self) -> DType {
        DType::F32
    }

    fn device(&self) -> &Device {
        &Device::Cpu
    }

    fn infer(&self, images: &Tensor) -> Result<Outputs> {
        Ok(self.inner.forward(images, false)?.0)
    }

    fn trace(&self, images: &Tensor) -> Result<(Outputs, Box<dyn Trace>)> {
        let (outputs, trace) = self.trace_blocks(images)?;
        Ok((outputs, Box::new(trace)))
    }

    fn infer_window(&self, windowed: &Windowed) -> Result<Outputs> {
        if self.inner.reads_whole_images() {
            return self.infer(&windowed.paste()?);
        }
        Ok(self.inner.forward_window(windowed, false)?.0)
    }

    fn trace_window(&self, windowed: &Windowed) -> Result<(Outputs, Box<dyn WindowTrace>)> {
        if self.inner.reads_whole_images() {
            let (outputs, trace) = self.trace(&windowed.paste()?)?;
            return Ok((outputs, pasted(trace, windowed)?));
        }
        let (outputs, trace) = self.inner.forward_window(windowed, true)?;
        Ok((outputs, Box::new(trace.ok_or_else(no_trace)?)))
    }
}

/// What a forward pass of a [`CpuNetwork`] left behind.
pub struct CpuTrace {
    network: Arc<Inner>,
    geometry: Arc<Geometry>,
    dims: [usize; 4],
    blocks: Vec<Decisions>,
}

impl CpuTrace {
    /// The decisions of the forward pass: which ReLUs let through, which pixel each max-pool took; for comparison with
    /// [`CandleNetwork`](crate::CandleNetwork), which can go back under them.
    ///
    /// # Errors
    ///
    /// [`Error::Candle`] where memory for them cannot be had.
    pub fn record(&self) -> Result<Record> {
        images::record(&self.network.plan, &self.geometry, self.dims, &self.blocks)
    }
}

impl Trace for CpuTrace {
    fn backward_to_input(mut self: Box<Self>, grads: &OutputGrads) -> Result<Tensor> {
        on_the_pool(|| {
            let blocks = std::mem::take(&mut self.blocks);
            let [n, _, height, width] = self.dims;
            grads.check(n, &*self.network)?;
            let mut grad = vec![0.0; n * 3 * height * width];
            images::with_rows(grads, n, |rows| {
                let network = &self.network;
                network.pass_backward(&self.geometry, blocks, rows, Some(&mut grad), None)
            })?;
            Ok(Tensor::from_vec(grad, &self.dims, &Device::Cpu)?)
        })
    }
}

impl fmt::Debug for CpuTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CpuTrace")
            .field("images", &self.dims)
            .field("blocks", &self.blocks.len())
            .finish_non_exhaustive()
    }
}
