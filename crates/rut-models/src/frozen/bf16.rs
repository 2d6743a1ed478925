//! The engine in bfloat16: convolutions of a few images at a time on `rut-kernels`, each image's maps apart, so that what
//! lies between two layers stays in a core's cache. It shares the plan of the engine in single precision: batch norm is
//! folded, ReLUs and sums are fused. Weights, activations and gradients are rounded once for each fused step; sums, the
//! average pool and the linear layers after it are in single precision.

mod arithmetic;
mod block;
mod canvas;
mod record;
mod schedule;
mod shelf;
mod sizes;
mod tail;
mod windowed;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use candle_core::{DType, Device, Tensor};
use rut_kernels::bf16::Bf16Isa;
use rut_kernels::{Area, Workspace};

use super::execute::{RowGrads, images, in_waves, lock, on_the_pool};
use super::network::{EngineInfo, FrozenNetwork, OutputGrads, OutputShape, Outputs, Trace};
use super::placement::Precision;
use super::plan::{Geometry, Plan};
use super::window::{WindowTrace, Windowed};
use crate::error::Result;
use crate::graph::Graph;
use crate::weights::Weights;
use arithmetic::Bf16;
use block::{Block, Decisions};
use canvas::{Canvas, Sums};
use schedule::BLOCK_IMAGES;
use shelf::Shelf;
use sizes::{Sizes, map_steps};
use tail::{Bits, Rows, Tail};

/// The engine in bfloat16, on the kernels that are faster on this processor than single precision, or those of `RUT_ISA`.
/// Images, features and logits are f32. Results do not depend on the number of threads, nor on which other images are in the
/// batch.
pub struct Bf16Network {
    inner: Arc<Inner>,
}

struct Inner {
    graph: Graph,
    plan: Plan<Bf16>,
    workspace: Workspace,
    /// One for each block that is computed at the same time.
    shelves: Mutex<Vec<Shelf>>,
    sizes: Mutex<BTreeMap<Frames, Arc<Sizes>>>,
}

/// The size of a batch's images, and where there is a window its top, left and side.
type Frames = ([usize; 2], Option<[usize; 3]>);

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
        Ok(Self {
            inner: Arc::new(Inner {
                graph: graph.clone(),
                plan,
                workspace: Workspace::new(),
                shelves: Mutex::default(),
                sizes: Mutex::default(),
            }),
        })
    }

    /// [`FrozenNetwork::trace`] with the trace's own type, whose decisions can be read.
    ///
    /// # Errors
    ///
    /// As [`FrozenNetwork::trace`].
    pub fn trace_blocks(&self, images: &Tensor) -> Result<(Outputs, Bf16Trace)> {
        let (outputs, trace) = self.inner.forward(images, true)?;
        Ok((outputs, trace.ok_or_else(sizes::lost)?))
    }

    /// The instruction set of the kernels.
    pub fn isa(&self) -> Bf16Isa {
        self.inner.plan.arithmetic.isa
    }
}

/// What a forward pass leaves of one block.
struct Kept {
    decisions: Decisions,
    tail: Bits,
}

impl Inner {
    fn forward(
        self: &Arc<Self>,
        images: &Tensor,
        keep: bool,
    ) -> Result<(Outputs, Option<Bf16Trace>)> {
        on_the_pool(|| {
            let dims = images::check(images)?;
            let [n, _, height, width] = dims;
            let sizes = self.sizes([height, width], None)?;
            let (rows, blocks) = images::with_slice(images, |pixels| {
                self.pass_forward(&sizes, None, pixels, keep)
            })?;
            let outputs = images::outputs(rows.features, rows.logits, n)?;
            let trace = keep.then(|| Bf16Trace {
                network: self.clone(),
                sizes,
                dims,
                blocks,
            });
            Ok((outputs, trace))
        })
    }

    /// All blocks of a batch forward; `pixels` `[n, 3, area]` are those of each image that are its own.
    fn pass_forward(
        &self,
        sizes: &Sizes,
        canvas: Option<&Canvas>,
        pixels: &[f32],
        keep: bool,
    ) -> Result<(Rows, Vec<Kept>)> {
        let image = 3 * sizes.geometry.areas[0].len();
        let (mut all, mut blocks) = (Rows::default(), Vec::new());
        let run = |pixels: &[f32]| {
            let count = pixels.len() / image;
            let mut shelf = self.take_shelf();
            let mut block = Block::new(&self.plan, sizes, &mut shelf, count).on(canvas);
            let (means, decisions) = block.forward(pixels, keep)?;
            self.give_shelf(shelf);
            let (mut rows, tail) = self.tail(sizes).forward(&means, count)?;
            images::spread_nan(pixels, count, [&mut rows.features, &mut rows.logits]);
            Ok((rows, decisions.map(|decisions| Kept { decisions, tail })))
        };
        in_waves(
            pixels.chunks(BLOCK_IMAGES * image),
            run,
            |(mut rows, kept)| {
                all.features.append(&mut rows.features);
                all.logits.append(&mut rows.logits);
                blocks.extend(kept);
            },
        )?;
        Ok((all, blocks))
    }

    /// All blocks of a batch backward: the gradients of their outputs to `grad` `[n, 3, area]`, where it is wanted. What each
    /// block adds to `sums` is added in the order of the blocks.
    fn pass_backward(
        &self,
        sizes: &Sizes,
        blocks: Vec<Kept>,
        rows: &[RowGrads<'_>],
        grad: Option<&mut [f32]>,
        mut sums: Option<&mut Sums>,
    ) -> Result<()> {
        let image = 3 * sizes.geometry.areas[0].len();
        let no_sums = sums.as_deref().cloned();
        let run = |((rows, mut pixels), kept): ((&RowGrads<'_>, Option<&mut [f32]>), Kept)| {
            let means = self.tail(sizes).backward(rows, &kept.tail)?;
            let mut own = no_sums.clone();
            let mut shelf = self.take_shelf();
            let mut block = Block::new(&self.plan, sizes, &mut shelf, rows.count);
            block.backward(
                (&means, &kept.decisions),
                pixels.as_deref_mut(),
                own.as_mut(),
            )?;
            self.give_shelf(shelf);
            if let Some(pixels) = pixels {
                for read in rows.each() {
                    images::spread_nan(read, rows.count, [&mut *pixels]);
                }
            }
            Ok(own)
        };
        let grads: Vec<Option<&mut [f32]>> = match grad {
            Some(grad) => grad.chunks_mut(BLOCK_IMAGES * image).map(Some).collect(),
            None => rows.iter().map(|_| None).collect(),
        };
        in_waves(rows.iter().zip(grads).zip(blocks), run, |own| {
            if let (Some(sums), Some(own)) = (sums.as_deref_mut(), own) {
                sums.merge(&own);
            }
        })
    }

    fn tail(&self, sizes: &Sizes) -> Tail<'_> {
        Tail {
            plan: &self.plan,
            first: sizes.routes.len(),
            workspace: &self.workspace,
        }
    }

    fn sizes(&self, size: [usize; 2], window: Option<[usize; 3]>) -> Result<Arc<Sizes>> {
        let mut known = lock(&self.sizes);
        if let Some(sizes) = known.get(&(size, window)) {
            return Ok(sizes.clone());
        }
        let whole = Geometry::whole(&self.graph, &self.plan, size)?;
        let sizes = match window {
            None => Sizes::whole(&self.plan, whole)?,
            Some([top, left, side]) => {
                let window = Area {
                    top,
                    left,
                    height: side,
                    width: side,
                };
                let part = Geometry::windowed(&self.graph, &self.plan, size, window)?;
                Sizes::windowed(&self.plan, part, whole)?
            }
        };
        let sizes = Arc::new(sizes);
        known.insert((size, window), sizes.clone());
        Ok(sizes)
    }

    fn take_shelf(&self) -> Shelf {
        lock(&self.shelves).pop().unwrap_or_default()
    }

    fn give_shelf(&self, shelf: Shelf) {
        lock(&self.shelves).push(shelf);
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

impl FrozenNetwork for Bf16Network {
    fn engine(&self) -> EngineInfo {
        EngineInfo {
            name: "cpu-bf16-1",
            isa: self.isa().name(),
        }
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

    fn precision(&self) -> Precision {
        Precision::Bf16
    }

    fn infer(&self, images: &Tensor) -> Result<Outputs> {
        Ok(self.inner.forward(images, false)?.0)
    }

    fn trace(&self, images: &Tensor) -> Result<(Outputs, Box<dyn Trace>)> {
        let (outputs, trace) = self.trace_blocks(images)?;
        Ok((outputs, Box::new(trace)))
    }

    fn infer_window(&self, windowed: &Windowed) -> Result<Outputs> {
        Ok(self.inner.forward_window(windowed, false)?.0)
    }

    fn trace_window(&self, windowed: &Windowed) -> Result<(Outputs, Box<dyn WindowTrace>)> {
        let (outputs, trace) = self.inner.forward_window(windowed, true)?;
        Ok((outputs, Box::new(trace.ok_or_else(sizes::lost)?)))
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
    network: Arc<Inner>,
    sizes: Arc<Sizes>,
    dims: [usize; 4],
    blocks: Vec<Kept>,
}

impl fmt::Debug for Bf16Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bf16Trace")
            .field("images", &self.dims)
            .field("blocks", &self.blocks.len())
            .finish_non_exhaustive()
    }
}

impl Trace for Bf16Trace {
    fn backward_to_input(mut self: Box<Self>, grads: &OutputGrads) -> Result<Tensor> {
        on_the_pool(|| {
            let blocks = std::mem::take(&mut self.blocks);
            let [n, _, height, width] = self.dims;
            grads.check(n, &*self.network)?;
            let mut grad = vec![0.0; n * 3 * height * width];
            images::with_rows(grads, n, |rows| {
                let network = &self.network;
                network.pass_backward(&self.sizes, blocks, rows, Some(&mut grad), None)
            })?;
            Ok(Tensor::from_vec(grad, &self.dims, &Device::Cpu)?)
        })
    }
}
