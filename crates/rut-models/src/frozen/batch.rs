//! A batch of images through an engine that computes it block by block: in which order, on which threads, and what is kept for
//! the way back. What a block computes is the engine's.

mod images;
mod rows;
mod spare;
mod sums;
mod waves;
mod windowed;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use candle_core::{DType, Device, Tensor};
use rut_kernels::{Area, LANES};

use super::network::{OutputGrads, OutputShape, Outputs};
use super::plan::Geometry;
use crate::error::Result;
use crate::graph::Graph;
pub(super) use rows::{RowGrads, Rows};
pub(super) use spare::{Spare, lock};
pub(super) use sums::Sums;
use waves::{in_waves, on_the_pool};

/// Images of a block: always the same, so that no sum over a batch depends on the number of threads; and a whole vector of the
/// engine in single precision.
pub(super) const BLOCK_IMAGES: usize = LANES;

/// What computes blocks of up to [`BLOCK_IMAGES`] images. Images do not depend on one another, so that blocks do not.
///
/// Pixels are `[count, 3, area]`: where there is a window, those of each image that are its own.
pub(super) trait BlockEngine: Send + Sync {
    /// Where everything lies for images of one size and, if there is one, their window.
    type Sizes: Send + Sync;
    /// What a forward pass keeps of a block.
    type Kept: Send;
    /// The values of the pixels outside a window, which all images share.
    type Canvas: Send + Sync;

    fn graph(&self) -> &Graph;

    /// Computed under a lock: it runs nothing on the pool.
    fn sizes(&self, size: [usize; 2], window: Option<Area>) -> Result<Self::Sizes>;

    fn geometry(sizes: &Self::Sizes) -> &Geometry;

    /// `count` images forward.
    fn forward(
        &self,
        sizes: &Self::Sizes,
        canvas: Option<&Self::Canvas>,
        pixels: &[f32],
        count: usize,
        keep: bool,
    ) -> Result<(Rows, Option<Self::Kept>)>;

    /// The same images backward: the gradients of their rows into `pixels`, where they are wanted; what the canvas needs is
    /// added to `sums`.
    fn backward(
        &self,
        sizes: &Self::Sizes,
        kept: Self::Kept,
        rows: &RowGrads<'_>,
        pixels: Option<&mut [f32]>,
        sums: Option<&mut Sums>,
    ) -> Result<()>;

    /// The canvas `[3, h, w]` forward.
    fn canvas_forward(&self, sizes: &Self::Sizes, pixels: &[f32]) -> Result<Self::Canvas>;

    /// Zeros for every gradient that the canvas needs.
    fn zero_sums(&self, sizes: &Self::Sizes) -> Result<Sums>;

    /// The gradient of the canvas `[3, h, w]` from the sums over all blocks; zero in the window.
    fn canvas_backward(
        &self,
        sizes: &Self::Sizes,
        canvas: &Self::Canvas,
        sums: &Sums,
    ) -> Result<Vec<f32>>;

    /// Takes the memory of a canvas back.
    fn take_back(&self, _canvas: Self::Canvas) {}
}

/// The size of a batch's images, and where there is a window its top, left and side.
type Frames = ([usize; 2], Option<[usize; 3]>);

/// Batches of any size by a [`BlockEngine`].
pub(super) struct BatchEngine<B: BlockEngine> {
    pub(super) blocks: B,
    sizes: Mutex<BTreeMap<Frames, Arc<B::Sizes>>>,
}

impl<B: BlockEngine> BatchEngine<B> {
    pub(super) fn new(blocks: B) -> Arc<Self> {
        Arc::new(Self {
            blocks,
            sizes: Mutex::default(),
        })
    }

    pub(super) fn infer(self: &Arc<Self>, images: &Tensor) -> Result<Outputs> {
        Ok(self.forward(images, false)?.0)
    }

    pub(super) fn trace(self: &Arc<Self>, images: &Tensor) -> Result<(Outputs, BatchTrace<B>)> {
        self.forward(images, true)
    }

    fn forward(self: &Arc<Self>, images: &Tensor, keep: bool) -> Result<(Outputs, BatchTrace<B>)> {
        on_the_pool(|| {
            let dims = images::check(images)?;
            let [n, _, height, width] = dims;
            let sizes = self.sizes([height, width], None)?;
            let (rows, kept) = images::with_slice(images, |pixels| {
                self.pass_forward(&sizes, None, pixels, keep)
            })?;
            let trace = BatchTrace {
                engine: self.clone(),
                sizes,
                dims,
                kept,
            };
            Ok((images::outputs(rows, n)?, trace))
        })
    }

    /// All blocks forward.
    fn pass_forward(
        &self,
        sizes: &B::Sizes,
        canvas: Option<&B::Canvas>,
        pixels: &[f32],
        keep: bool,
    ) -> Result<(Rows, Vec<B::Kept>)> {
        let image = image_len::<B>(sizes);
        let (mut all, mut blocks) = (Rows::default(), Vec::new());
        let run = |pixels: &[f32]| {
            let count = pixels.len() / image;
            let (mut rows, kept) = self.blocks.forward(sizes, canvas, pixels, count, keep)?;
            images::spread_nan(pixels, count, [&mut rows.features, &mut rows.logits]);
            Ok((rows, kept))
        };
        in_waves(pixels.chunks(BLOCK_IMAGES * image), run, |(rows, kept)| {
            all.append(rows);
            blocks.extend(kept);
        })?;
        Ok((all, blocks))
    }

    /// All blocks backward: the gradients of their rows to `grad` `[n, 3, area]`, where it is wanted. What each block adds to
    /// `sums` is added in the order of the blocks.
    fn pass_backward(
        &self,
        sizes: &B::Sizes,
        kept: Vec<B::Kept>,
        rows: &[RowGrads<'_>],
        grad: Option<&mut [f32]>,
        mut sums: Option<&mut Sums>,
    ) -> Result<()> {
        let image = image_len::<B>(sizes);
        let zeros = sums.as_ref().map(|_| self.blocks.zero_sums(sizes));
        let zeros = zeros.transpose()?;
        let run = |((rows, mut grad), kept): ((&RowGrads<'_>, Option<&mut [f32]>), B::Kept)| {
            let mut own = zeros.clone();
            self.blocks
                .backward(sizes, kept, rows, grad.as_deref_mut(), own.as_mut())?;
            if let Some(grad) = grad {
                for read in rows.each() {
                    images::spread_nan(read, rows.count, [&mut *grad]);
                }
            }
            Ok(own)
        };
        let grads: Vec<Option<&mut [f32]>> = match grad {
            Some(grad) => grad.chunks_mut(BLOCK_IMAGES * image).map(Some).collect(),
            None => rows.iter().map(|_| None).collect(),
        };
        in_waves(rows.iter().zip(grads).zip(kept), run, |own| {
            if let (Some(sums), Some(own)) = (sums.as_deref_mut(), own) {
                sums.merge(&own);
            }
        })
    }

    fn sizes(&self, size: [usize; 2], window: Option<[usize; 3]>) -> Result<Arc<B::Sizes>> {
        let mut known = lock(&self.sizes);
        if let Some(sizes) = known.get(&(size, window)) {
            return Ok(sizes.clone());
        }
        let area = window.map(|[top, left, side]| Area {
            top,
            left,
            height: side,
            width: side,
        });
        let sizes = Arc::new(self.blocks.sizes(size, area)?);
        known.insert((size, window), sizes.clone());
        Ok(sizes)
    }
}

/// Numbers of an image that are its own.
fn image_len<B: BlockEngine>(sizes: &B::Sizes) -> usize {
    3 * B::geometry(sizes).areas[0].len()
}

impl<B: BlockEngine> OutputShape for BatchEngine<B> {
    fn width(&self) -> usize {
        self.blocks.graph().width()
    }

    fn classes(&self) -> usize {
        self.blocks.graph().classes()
    }

    fn dtype(&self) -> DType {
        DType::F32
    }

    fn device(&self) -> &Device {
        &Device::Cpu
    }
}

/// What a forward pass over a batch left behind.
pub(super) struct BatchTrace<B: BlockEngine> {
    pub(super) engine: Arc<BatchEngine<B>>,
    pub(super) sizes: Arc<B::Sizes>,
    /// Of the images.
    pub(super) dims: [usize; 4],
    /// Of each block.
    pub(super) kept: Vec<B::Kept>,
}

impl<B: BlockEngine> BatchTrace<B> {
    /// The gradient of the images, `[n, 3, h, w]`.
    pub(super) fn backward_to_input(self, grads: &OutputGrads) -> Result<Tensor> {
        on_the_pool(|| {
            let [n, _, height, width] = self.dims;
            grads.check(n, &*self.engine)?;
            let mut grad = vec![0.0; n * 3 * height * width];
            images::with_rows(grads, n, |rows| {
                let (engine, sizes) = (&self.engine, &self.sizes);
                engine.pass_backward(sizes, self.kept, rows, Some(&mut grad), None)
            })?;
            Ok(Tensor::from_vec(grad, &self.dims, &Device::Cpu)?)
        })
    }
}
