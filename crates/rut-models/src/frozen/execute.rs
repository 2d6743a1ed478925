//! The CPU engine: sixteen images at a time through fused steps on `rut-kernels`. The network is frozen, so that blocks
//! of images are independent, and memory does not grow with the batch but for one bit for each ReLU.

mod arena;
mod block;
mod canvas;
mod record;

use std::fmt;
use std::sync::{Arc, Mutex};

use candle_core::{DType, Device, Tensor};
use rut_kernels::{Area, Isa, Workspace};

use super::batch::{BatchEngine, BatchTrace, BlockEngine, RowGrads, Rows, Spare, Sums};
use super::candle::Record;
use super::network::{EngineInfo, FrozenNetwork, OutputGrads, Outputs, Trace};
use super::plan::{Geometry, Kernels, Plan, SinglePrecision};
use super::window::{WindowTrace, Windowed, pasted};
use crate::error::Result;
use crate::graph::Graph;
use crate::weights::Weights;
use arena::Arena;
use block::{Block, Decisions};
use canvas::{Canvas, Painter};

/// The CPU engine, f32: batch norm folded into weights, one bit kept for each ReLU, kernels for the widest instruction
/// set of the processor (or that of `RUT_ISA`), on the threads of the current rayon pool. Results do not depend on the
/// number of threads, nor on which other images are in the batch.
pub struct CpuNetwork {
    batch: Arc<BatchEngine<CpuBlocks>>,
}

/// Computes blocks in single precision.
struct CpuBlocks {
    graph: Graph,
    plan: Plan,
    workspace: Workspace,
    arenas: Spare<Arena>,
    /// For all canvases: they take few buffers, so that they need not wait for one another.
    canvases: Mutex<Arena>,
}

impl CpuNetwork {
    /// Folds and stores the weights for the kernels.
    ///
    /// # Errors
    ///
    /// [`Error::Graph`](crate::Error::Graph) names a node that this engine cannot run;
    /// [`Error::Kernel`](crate::Error::Kernel) where `RUT_ISA` asks for what the processor lacks;
    /// [`Error::Argument`](crate::Error::Argument) for weights of another graph.
    pub fn new(graph: &Graph, weights: &Weights, kernels: Kernels) -> Result<Self> {
        let isa = Isa::chosen()?;
        let arithmetic = SinglePrecision { kernels, isa };
        let batch = BatchEngine::new(CpuBlocks {
            graph: graph.clone(),
            plan: Plan::new(graph, weights, arithmetic)?,
            workspace: Workspace::new(),
            arenas: Spare::default(),
            canvases: Mutex::default(),
        });
        Ok(Self { batch })
    }

    /// The instruction set of the kernels.
    pub fn isa(&self) -> Isa {
        self.batch.blocks.plan.arithmetic.isa
    }

    /// [`FrozenNetwork::trace`] with the trace's own type, whose decisions can be read.
    ///
    /// # Errors
    ///
    /// As [`FrozenNetwork::trace`].
    pub fn trace_blocks(&self, images: &Tensor) -> Result<(Outputs, CpuTrace)> {
        let (outputs, batch) = self.batch.trace(images)?;
        Ok((outputs, CpuTrace { batch }))
    }
}

impl CpuBlocks {
    /// Runs a block in an arena of its own.
    fn with_block<R>(
        &self,
        geometry: &Geometry,
        canvas: Option<&Canvas>,
        run: impl FnOnce(&mut Block<'_>) -> Result<R>,
    ) -> Result<R> {
        self.arenas.with(|arena| {
            run(&mut Block {
                plan: &self.plan,
                geometry,
                workspace: &self.workspace,
                arena,
                canvas,
            })
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

    /// Whether the first step needs all pixels of an image, as a mean or a linear layer does.
    fn reads_whole_images(&self) -> bool {
        self.plan.reads_whole(0)
    }
}

impl BlockEngine for CpuBlocks {
    type Sizes = Geometry;
    type Kept = Decisions;
    type Canvas = Canvas;

    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn sizes(&self, size: [usize; 2], window: Option<Area>) -> Result<Geometry> {
        match window {
            None => Geometry::whole(&self.graph, &self.plan, size),
            Some(window) => Geometry::windowed(&self.graph, &self.plan, size, window),
        }
    }

    fn geometry(sizes: &Geometry) -> &Geometry {
        sizes
    }

    fn forward(
        &self,
        sizes: &Geometry,
        canvas: Option<&Canvas>,
        pixels: &[f32],
        count: usize,
        keep: bool,
    ) -> Result<(Rows, Option<Decisions>)> {
        self.with_block(sizes, canvas, |block| block.forward(pixels, count, keep))
    }

    fn backward(
        &self,
        sizes: &Geometry,
        kept: Decisions,
        rows: &RowGrads<'_>,
        pixels: Option<&mut [f32]>,
        sums: Option<&mut Sums>,
    ) -> Result<()> {
        self.with_block(sizes, None, |block| {
            block.backward(&kept, rows, pixels, sums)?;
            kept.give(block.arena);
            Ok(())
        })
    }

    fn canvas_forward(&self, sizes: &Geometry, pixels: &[f32]) -> Result<Canvas> {
        self.painter(sizes).forward(pixels)
    }

    fn zero_sums(&self, sizes: &Geometry) -> Result<Sums> {
        Ok(canvas::zero_sums(&self.plan, sizes))
    }

    fn canvas_backward(&self, sizes: &Geometry, canvas: &Canvas, sums: &Sums) -> Result<Vec<f32>> {
        self.painter(sizes).backward(canvas, sums)
    }

    fn take_back(&self, canvas: Canvas) {
        canvas.give(&self.canvases);
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
        let SinglePrecision { kernels, isa } = self.batch.blocks.plan.arithmetic;
        info(kernels, isa)
    }

    fn classes(&self) -> usize {
        self.batch.blocks.graph.classes()
    }

    fn width(&self) -> usize {
        self.batch.blocks.graph.width()
    }

    fn dtype(&self) -> DType {
        DType::F32
    }

    fn device(&self) -> &Device {
        &Device::Cpu
    }

    fn infer(&self, images: &Tensor) -> Result<Outputs> {
        self.batch.infer(images)
    }

    fn trace(&self, images: &Tensor) -> Result<(Outputs, Box<dyn Trace>)> {
        let (outputs, trace) = self.trace_blocks(images)?;
        Ok((outputs, Box::new(trace)))
    }

    fn infer_window(&self, windowed: &Windowed) -> Result<Outputs> {
        if self.batch.blocks.reads_whole_images() {
            return self.infer(&windowed.paste()?);
        }
        self.batch.infer_window(windowed)
    }

    fn trace_window(&self, windowed: &Windowed) -> Result<(Outputs, Box<dyn WindowTrace>)> {
        if self.batch.blocks.reads_whole_images() {
            let (outputs, trace) = self.trace(&windowed.paste()?)?;
            return Ok((outputs, pasted(trace, windowed)?));
        }
        let (outputs, trace) = self.batch.trace_window(windowed)?;
        Ok((outputs, Box::new(trace)))
    }
}

/// What a forward pass of a [`CpuNetwork`] left behind.
pub struct CpuTrace {
    batch: BatchTrace<CpuBlocks>,
}

impl CpuTrace {
    /// The decisions of the forward pass: which ReLUs let through, which pixel each max-pool took; for comparison with
    /// [`CandleNetwork`](crate::CandleNetwork), which can go back under them.
    ///
    /// # Errors
    ///
    /// [`Error::Candle`](crate::Error::Candle) where memory for them cannot be had.
    pub fn record(&self) -> Result<Record> {
        let batch = &self.batch;
        let plan = &batch.engine.blocks.plan;
        record::record(plan, &batch.sizes, batch.dims, &batch.kept)
    }
}

impl Trace for CpuTrace {
    fn backward_to_input(self: Box<Self>, grads: &OutputGrads) -> Result<Tensor> {
        self.batch.backward_to_input(grads)
    }
}

impl fmt::Debug for CpuTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CpuTrace")
            .field("images", &self.batch.dims)
            .field("blocks", &self.batch.kept.len())
            .finish_non_exhaustive()
    }
}
