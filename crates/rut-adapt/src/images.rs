//! Labelled images as the loops take them: batches of pixels in [0, 1]. `rut-data` reads them.

use candle_core::Tensor;
use rut_data::{Batch, Prepared};
use rut_models::Placement;

use crate::error::Result;

/// Labelled square images of one size, readable in any order and from any thread.
pub trait LabelledImages: Sync {
    /// Number of images.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Side of the images, pixels.
    fn side(&self) -> usize;

    /// Label of every image.
    fn labels(&self) -> &[u32];

    /// The images at `indices`, in that order.
    ///
    /// # Errors
    /// If one cannot be read.
    fn batch(&self, indices: &[usize]) -> Result<Batch>;
}

impl LabelledImages for Prepared {
    fn len(&self) -> usize {
        Prepared::len(self)
    }

    fn side(&self) -> usize {
        Prepared::side(self)
    }

    fn labels(&self) -> &[u32] {
        Prepared::labels(self)
    }

    fn batch(&self, indices: &[usize]) -> Result<Batch> {
        Ok(Prepared::batch(self, indices)?)
    }
}

/// A batch's images as a tensor [n, 3, s, s] in [0, 1].
///
/// # Errors
/// If the device refuses it.
pub fn image_tensor(batch: &Batch, side: usize, placement: &Placement) -> Result<Tensor> {
    let shape = (batch.labels.len(), 3, side, side);
    let images = Tensor::from_slice(&batch.images, shape, &placement.device)?;
    Ok(images.to_dtype(placement.dtype)?)
}
