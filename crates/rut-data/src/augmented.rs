//! Prepared images that are changed at random in each epoch, where they are trained on.

use rut_images::Depth;

use crate::prepared::to_planes;
use crate::{Augmentation, Batch, Error, Prepared, Result, Seed};

/// Training images with an [`Augmentation`]: changed for steps of training, unchanged for everything else.
///
/// What happens to an image depends on seed, epoch and its index alone (the stream `augment/epoch E/image I`), so it
/// is the same in any batch, in any order, on any number of threads, and after a stop.
///
/// For a crop the images are prepared a second time, larger. The unchanged images are not cut out of the larger ones:
/// passes without augmentation, such as those that a label map is made from, see what test images are resized to.
///
/// ```
/// use rut_data::{Augmented, ImageSet, Prepared, Seed};
/// use rut_images::{ColorOrder, Extent, Mode, Picture, Transform};
/// let picture = Picture::new(Mode::Grey, Extent { width: 2, height: 1 }, vec![0, 255])?;
/// let set = ImageSet::from_pictures(vec![picture], vec![3])?;
/// let plain = Prepared::new(&set, &Transform::squash(2, ColorOrder::RgbThenResize), 1 << 20)?;
/// let images = Augmented::new(plain, "flip".parse()?, Seed(4), 1 << 20)?;
/// let first = |epoch| Ok::<_, rut_data::Error>(images.training_batch(&[0], epoch)?.images[0]);
/// assert_eq!([first(0)?, first(1)?, first(2)?, first(3)?], [1.0, 0.0, 1.0, 1.0]);
/// assert_eq!(images.plain().batch(&[0])?.images[0], 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Augmented {
    plain: Prepared,
    /// What a crop is taken from, if there is one.
    larger: Option<Prepared>,
    augmentation: Augmentation,
    seed: Seed,
}

impl Augmented {
    /// The images of `plain`, changed as `augmentation` says. Larger ones for a crop are kept in memory if they need no
    /// more than `memory_cap` bytes.
    ///
    /// # Errors
    /// [`Error::BadOption`] if the images are of real values and anything is to be changed, or if a crop makes a side too
    /// large; the first error of decoding or transforming.
    pub fn new(
        plain: Prepared,
        augmentation: Augmentation,
        seed: Seed,
        memory_cap: u64,
    ) -> Result<Augmented> {
        if plain.depth() == Depth::Real && !augmentation.is_empty() {
            return Err(Error::BadOption {
                what: "augmentation",
                found: augmentation.to_string(),
                expected: "none for images of real values: the changes are those of 8-bit pixels",
            });
        }
        let larger = match augmentation.cropped() {
            0 => None,
            pixels => Some(plain.enlarged(pixels, memory_cap)?),
        };
        Ok(Augmented {
            plain,
            larger,
            augmentation,
            seed,
        })
    }

    /// The images as they are without augmentation.
    #[must_use]
    pub fn plain(&self) -> &Prepared {
        &self.plain
    }

    /// The images at these indices, in this order, as they are trained on in this epoch, counted from 0.
    ///
    /// # Errors
    /// As [`Prepared::batch`].
    pub fn training_batch(&self, indices: &[usize], epoch: u32) -> Result<Batch> {
        if self.augmentation.is_empty() {
            return self.plain.batch(indices);
        }
        let source = self.larger.as_ref().unwrap_or(&self.plain);
        source.batch_of(indices, self.plain.side(), |index, planes| {
            let name = format!("augment/epoch {epoch}/image {index}");
            let mut stream = self.seed.stream(&name);
            let image = self.augmentation.apply(source.image(index)?, &mut stream)?;
            to_planes(&image.pixels, planes);
            Ok(())
        })
    }
}
