//! The engine in bfloat16: convolutions of a few images at a time on `rut-kernels`, each image's maps apart, so that what
//! lies between two layers stays in a core's cache, or narrow ones of a whole block together. It shares the plan of the engine in single precision: batch norm is
//! folded, ReLUs and sums are fused. Weights, activations and gradients are rounded once for each fused step; sums, the
//! average pool and the linear layers after it are in single precision.

mod arithmetic;
mod block;
mod canvas;
mod layouts;
mod record;
mod schedule;
mod shelf;
mod sizes;
mod tail;

use std::fmt;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use rut_kernels::bf16::Bf16Isa;
use rut_kernels::{Area, Workspace};

use super::batch::{BatchEngine, BatchTrace, BlockEngine, RowGrads, Rows, Spare, Sums};
use super::network::{EngineInfo, FrozenNetwork, OutputGrads, Outputs, Trace};
use super::placement::Precision;
use super::plan::{Geometry, Plan};
use super::window::{WindowTrace, Windowed};
use crate::error::Result;
use crate::graph::Graph;
use crate::weights::Weights;
use arithmetic::Bf16;
use block::{Block, Decisions};
use canvas::{Canvas, Painter};
use layouts::lost;
use shelf::Shelf;
use sizes::{BlockSizes, map_steps};
use tail::{Bits, Tail};

/// The engine in bfloat16, on the kernels that are faster on this processor than single precision, or those of `RUT_ISA`.
/// Images, features and logits are f32. Results do not depend on the number of threads, nor on which other images are in the
/// batch.
pub struct Bf16Network {
    batch: Arc<BatchEngine<Bf16Blocks>>,
}

/// Computes blocks in bfloat16.
struct Bf16Blocks {
    graph: Graph,
    plan: Plan<Bf16>,
    workspace: Workspace,
    shelves: Spare<Shelf>,
}

impl Bf16Network {
    /// Folds, rounds and stores the weights for the kernels.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`](crate::Error::Kernel) where nothing on this processor is faster in bfloat16 than in single precision
    /// and `RUT_ISA` does not ask for it; [`Error::Graph`](crate::Error::Graph) names a node that this engine cannot run.
    pub fn new(graph: &Graph, weights: &Weights) -> Result<Self> {
        Self::on(graph, weights, Bf16Isa::chosen()?)
    }

    /// The same on the kernels of an instruction set, whether or not they are faster than single precision.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`](crate::Error::Kernel) where this processor does not have it;
    /// [`Error::Graph`](crate::Error::Graph) names a node that this engine cannot run.
    pub fn on(graph: &Graph, weights: &Weights, isa: Bf16Isa) -> Result<Self> {
        let plan = Plan::new(graph, weights, Bf16::new(isa.checked()?)?)?;
        map_steps(&plan)?;
        let batch = BatchEngine::new(Bf16Blocks {
            graph: graph.clone(),
            plan,
            workspace: Workspace::new(),
            shelves: Spare::default(),
        });
        Ok(Self { batch })
    }

    /// [`FrozenNetwork::trace`] with the trace's own type, whose decisions can be read.
    ///
    /// # Errors
    ///
    /// As [`FrozenNetwork::trace`].
    pub fn trace_blocks(&self, images: &Tensor) -> Result<(Outputs, Bf16Trace)> {
        let (outputs, batch) = self.batch.trace(images)?;
        Ok((outputs, Bf16Trace { batch }))
    }

    /// The instruction set of the kernels.
    pub fn isa(&self) -> Bf16Isa {
        self.batch.blocks.plan.arithmetic.isa
    }
}

/// What a forward pass leaves of one block.
struct Kept {
    decisions: Decisions,
    tail: Bits,
}

impl Bf16Blocks {
    fn tail(&self, sizes: &BlockSizes) -> Tail<'_> {
        Tail {
            plan: &self.plan,
            first: sizes.full.routes.len(),
            workspace: &self.workspace,
        }
    }

    fn painter<'a>(&'a self, sizes: &'a BlockSizes) -> Result<Painter<'a>> {
        Ok(Painter {
            plan: &self.plan,
            sizes: &sizes.full,
            canvas: sizes.full.canvas.as_deref().ok_or_else(lost)?,
        })
    }
}

impl BlockEngine for Bf16Blocks {
    type Sizes = BlockSizes;
    type Kept = Kept;
    type Canvas = Canvas;

    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn sizes(&self, size: [usize; 2], window: Option<Area>) -> Result<BlockSizes> {
        let whole = Geometry::whole(&self.graph, &self.plan, size)?;
        match window {
            None => BlockSizes::whole(&self.plan, whole),
            Some(window) => {
                let part = Geometry::windowed(&self.graph, &self.plan, size, window)?;
                BlockSizes::windowed(&self.plan, part, whole)
            }
        }
    }

    fn geometry(sizes: &BlockSizes) -> &Geometry {
        &sizes.full.geometry
    }

    fn forward(
        &self,
        sizes: &BlockSizes,
        canvas: Option<&Canvas>,
        pixels: &[f32],
        count: usize,
        keep: bool,
    ) -> Result<(Rows, Option<Kept>)> {
        let (means, decisions) = self.shelves.with(|shelf| {
            let mut block = Block::new(&self.plan, sizes.of(count), shelf, count).on(canvas);
            block.forward(pixels, keep)
        })?;
        let (rows, tail) = self.tail(sizes).forward(&means, count)?;
        Ok((rows, decisions.map(|decisions| Kept { decisions, tail })))
    }

    fn backward(
        &self,
        sizes: &BlockSizes,
        kept: Kept,
        rows: &RowGrads<'_>,
        pixels: Option<&mut [f32]>,
        sums: Option<&mut Sums>,
    ) -> Result<()> {
        let means = self.tail(sizes).backward(rows, &kept.tail)?;
        self.shelves.with(|shelf| {
            let mut block = Block::new(&self.plan, sizes.of(rows.count), shelf, rows.count);
            block.backward((&means, &kept.decisions), pixels, sums)
        })
    }

    fn canvas_forward(&self, sizes: &BlockSizes, pixels: &[f32]) -> Result<Canvas> {
        let painter = self.painter(sizes)?;
        self.shelves.with(|shelf| painter.forward(pixels, shelf))
    }

    fn zero_sums(&self, sizes: &BlockSizes) -> Result<Sums> {
        canvas::zero_sums(&self.plan, &sizes.full)
    }

    fn canvas_backward(
        &self,
        sizes: &BlockSizes,
        canvas: &Canvas,
        sums: &Sums,
    ) -> Result<Vec<f32>> {
        self.painter(sizes)?.backward(canvas, sums)
    }
}

impl FrozenNetwork for Bf16Network {
    fn engine(&self) -> EngineInfo {
        EngineInfo {
            name: "cpu-bf16-1",
            isa: self.isa().name(),
        }
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

    fn precision(&self) -> Precision {
        Precision::Bf16
    }

    fn infer(&self, images: &Tensor) -> Result<Outputs> {
        self.batch.infer(images)
    }

    fn trace(&self, images: &Tensor) -> Result<(Outputs, Box<dyn Trace>)> {
        let (outputs, trace) = self.trace_blocks(images)?;
        Ok((outputs, Box::new(trace)))
    }

    fn infer_window(&self, windowed: &Windowed) -> Result<Outputs> {
        self.batch.infer_window(windowed)
    }

    fn trace_window(&self, windowed: &Windowed) -> Result<(Outputs, Box<dyn WindowTrace>)> {
        let (outputs, trace) = self.batch.trace_window(windowed)?;
        Ok((outputs, Box::new(trace)))
    }
}

impl fmt::Debug for Bf16Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bf16Network")
            .field("width", &self.width())
            .field("classes", &self.classes())
            .field("isa", &self.isa())
            .finish_non_exhaustive()
    }
}

/// What a forward pass of a [`Bf16Network`] left behind.
pub struct Bf16Trace {
    batch: BatchTrace<Bf16Blocks>,
}

impl fmt::Debug for Bf16Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bf16Trace")
            .field("images", &self.batch.dims)
            .field("blocks", &self.batch.kept.len())
            .finish_non_exhaustive()
    }
}

impl Trace for Bf16Trace {
    fn backward_to_input(self: Box<Self>, grads: &OutputGrads) -> Result<Tensor> {
        self.batch.backward_to_input(grads)
    }
}
