//! The engine in bfloat16: convolutions of a few images at a time on `rut-kernels`, each image's maps apart, so that what
//! lies between two layers stays in a core's cache. It shares the plan of the engine in single precision: batch norm is
//! folded, ReLUs and sums are fused. Weights, activations and gradients are rounded once for each fused step; sums, the
//! average pool and the linear layers after it are in single precision.

mod arithmetic;
mod block;
mod record;
mod schedule;
mod shelf;
mod sizes;
mod tail;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use candle_core::{DType, Device, Tensor};
use rut_kernels::bf16::Bf16Isa;
use rut_kernels::{LANES, Workspace};

use super::execute::{RowGrads, images, in_waves, lock};
use super::network::{EngineInfo, FrozenNetwork, OutputGrads, OutputShape, Outputs, Trace};
use super::placement::Precision;
use super::plan::{Geometry, Plan};
use crate::error::Result;
use crate::graph::Graph;
use crate::weights::Weights;
use arithmetic::Bf16;
use block::{Block, Decisions};
use schedule::MOST_IMAGES;
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
    sizes: Mutex<BTreeMap<[usize; 2], Arc<Sizes>>>,
}

impl Bf16Network {
    /// Folds, rounds and stores the weights for the kernels.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`](crate::Error::Kernel) where nothing on this processor is faster in bfloat16 than in single precision
    /// and `RUT_ISA` does not ask for it; [`Error::Graph`](crate::Error::Graph) names a node that this engine cannot run.
    pub fn new(graph: &Graph, weights: &Weights) -> Result<Self> {
        let plan = Plan::new(graph, weights, Bf16::new(Bf16Isa::chosen()?)?)?;
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
    tail: Vec<Bits>,
}

impl Inner {
    fn forward(
        self: &Arc<Self>,
        images: &Tensor,
        keep: bool,
    ) -> Result<(Outputs, Option<Bf16Trace>)> {
        let dims = images::check(images)?;
        let [n, _, height, width] = dims;
        let sizes = self.sizes([height, width])?;
        let (mut rows, mut blocks) = (Rows::default(), Vec::new());
        images::with_slice(images, |pixels| {
            let chunks = pixels.chunks(block_images(n) * 3 * height * width);
            in_waves(
                chunks,
                |pixels| self.block_forward(&sizes, pixels, keep),
                |(mut block, kept)| {
                    rows.features.append(&mut block.features);
                    rows.logits.append(&mut block.logits);
                    blocks.extend(kept);
                },
            )
        })?;
        let outputs = images::outputs(rows.features, rows.logits, n)?;
        let trace = keep.then(|| Bf16Trace {
            network: self.clone(),
            sizes,
            dims,
            blocks,
        });
        Ok((outputs, trace))
    }

    fn block_forward(
        &self,
        sizes: &Sizes,
        pixels: &[f32],
        keep: bool,
    ) -> Result<(Rows, Option<Kept>)> {
        let count = pixels.len() / block::image_len(sizes.geometry.areas[0]);
        let mut shelf = self.take_shelf();
        let mut block = Block::new(&self.plan, sizes, &mut shelf, count);
        let (means, decisions) = block.forward(pixels, keep)?;
        let (mut rows, tail) = self.tail(sizes).forward(&means, count)?;
        images::spread_nan(pixels, count, [&mut rows.features, &mut rows.logits]);
        self.give_shelf(shelf);
        Ok((rows, decisions.map(|decisions| Kept { decisions, tail })))
    }

    fn block_backward(
        &self,
        sizes: &Sizes,
        kept: &Kept,
        rows: &[RowGrads<'_>],
        pixels: &mut [f32],
    ) -> Result<()> {
        let means = self.tail(sizes).backward(rows, &kept.tail)?;
        let mut shelf = self.take_shelf();
        let mut block = Block::new(&self.plan, sizes, &mut shelf, kept.decisions.images);
        block.backward(&means, &kept.decisions, pixels)?;
        self.give_shelf(shelf);
        let image = block::image_len(sizes.geometry.areas[0]);
        for (rows, pixels) in rows.iter().zip(pixels.chunks_mut(LANES * image)) {
            for read in rows.each() {
                images::spread_nan(read, rows.count, [&mut *pixels]);
            }
        }
        Ok(())
    }

    fn tail(&self, sizes: &Sizes) -> Tail<'_> {
        Tail {
            plan: &self.plan,
            first: sizes.routes.len(),
            workspace: &self.workspace,
        }
    }

    fn sizes(&self, size: [usize; 2]) -> Result<Arc<Sizes>> {
        let mut known = lock(&self.sizes);
        if let Some(sizes) = known.get(&size) {
            return Ok(sizes.clone());
        }
        let geometry = Geometry::whole(&self.graph, &self.plan, size)?;
        let sizes = Arc::new(Sizes::new(&self.plan, geometry)?);
        known.insert(size, sizes.clone());
        Ok(sizes)
    }

    fn take_shelf(&self) -> Shelf {
        lock(&self.shelves).pop().unwrap_or_default()
    }

    fn give_shelf(&self, shelf: Shelf) {
        lock(&self.shelves).push(shelf);
    }
}

/// Images of a block: as many as there are threads for, in whole vectors of the linear layers.
fn block_images(n: usize) -> usize {
    let share = n.div_ceil(rayon::current_num_threads());
    share.next_multiple_of(LANES).min(MOST_IMAGES)
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
        let [n, _, height, width] = self.dims;
        grads.check(n, &*self.network)?;
        let image = 3 * height * width;
        let blocks = std::mem::take(&mut self.blocks);
        let mut grad = vec![0.0; n * image];
        images::with_rows(grads, n, |rows| {
            let mut rest = (rows, grad.as_mut_slice());
            // Blocks were as large as there were threads for on the way there.
            let blocks = blocks.into_iter().map(|kept| {
                let count = kept.decisions.images;
                let (rows, pixels) = std::mem::take(&mut rest);
                let (rows, later_rows) = rows.split_at(count.div_ceil(LANES));
                let (pixels, later_pixels) = pixels.split_at_mut(count * image);
                rest = (later_rows, later_pixels);
                (kept, rows, pixels)
            });
            in_waves(
                blocks,
                |(kept, rows, pixels)| {
                    self.network
                        .block_backward(&self.sizes, &kept, rows, pixels)
                },
                |()| {},
            )
        })?;
        Ok(Tensor::from_vec(grad, &self.dims, &Device::Cpu)?)
    }
}
