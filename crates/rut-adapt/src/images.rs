//! Labelled images as the loops take them: batches of pixels in [0, 1]. `rut-data` reads them.

use candle_core::Tensor;
use rut_data::{Augmented, Batch, Prepared};
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

    /// The images at `indices`, in that order, as a step of training sees them in this epoch, counted from 0: changed at
    /// random where they are augmented, else as [`LabelledImages::batch`] gives them.
    ///
    /// # Errors
    /// If one cannot be read.
    fn training_batch(&self, indices: &[usize], _epoch: u32) -> Result<Batch> {
        self.batch(indices)
    }
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

/// Only steps of training see changed images.
impl LabelledImages for Augmented {
    fn len(&self) -> usize {
        self.plain().len()
    }

    fn side(&self) -> usize {
        self.plain().side()
    }

    fn labels(&self) -> &[u32] {
        self.plain().labels()
    }

    fn batch(&self, indices: &[usize]) -> Result<Batch> {
        Ok(self.plain().batch(indices)?)
    }

    fn training_batch(&self, indices: &[usize], epoch: u32) -> Result<Batch> {
        Ok(Augmented::training_batch(self, indices, epoch)?)
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

#[cfg(test)]
mod tests {
    use rut_data::{ImageSet, Seed};
    use rut_images::{ColorOrder, Extent, Mode, Picture, Transform};

    use super::*;

    #[test]
    fn only_steps_of_training_see_changed_images() {
        let size = Extent {
            width: 2,
            height: 1,
        };
        let picture = Picture::new(Mode::Grey, size, vec![0, 255]).expect("a picture");
        let set = ImageSet::from_pictures(vec![picture], vec![3]).expect("a set");
        let transform = Transform::squash(2, ColorOrder::RgbThenResize);
        let plain = Prepared::new(&set, &transform, 0).expect("prepared");
        let list = "flip".parse().expect("a list");
        let augmented = Augmented::new(plain.clone(), list, Seed(4), 0).expect("augmented");
        let first = |images: &dyn LabelledImages, epoch| {
            let batch = images.training_batch(&[0], epoch).expect("a batch");
            assert_eq!(batch.labels, [3]);
            batch.images[0]
        };
        let epochs = 0..4;
        let flipped: Vec<f32> = epochs
            .clone()
            .map(|epoch| first(&augmented, epoch))
            .collect();
        assert_eq!(flipped, [1.0, 0.0, 1.0, 1.0]);
        let unchanged = LabelledImages::batch(&augmented, &[0]).expect("a batch");
        assert_eq!(
            unchanged,
            LabelledImages::batch(&plain, &[0]).expect("a batch")
        );
        assert!(epochs.into_iter().all(|epoch| first(&plain, epoch) == 0.0));
    }
}
