//! Transformed images, ready to be cut into batches.

use rayon::prelude::*;
use rut_images::{Depth, RgbImage, Transform};
use sha2::{Digest as _, Sha256};

use crate::{Digest, Error, ImageSet, Result};

/// The transformed images of an [`ImageSet`], `[n, side, side, 3]`.
///
/// They are kept where they fit under a cap, and decoded and transformed again on every use where
/// they do not; the results are the same. 8-bit images are kept as bytes, images of real values as
/// one channel of f32.
///
/// ```
/// use rut_data::{ImageSet, Prepared};
/// use rut_images::{ColorOrder, Extent, Mode, Picture, Transform};
/// let picture = Picture::new(Mode::Grey, Extent::square(1), vec![51])?;
/// let set = ImageSet::from_pictures(vec![picture], vec![3])?;
/// let transform = Transform::squash(2, ColorOrder::RgbThenResize);
/// let prepared = Prepared::new(&set, &transform, 1 << 20)?;
/// let batch = prepared.batch(&[0])?;
/// assert_eq!((batch.images, batch.labels), (vec![0.2; 12], vec![3]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Prepared {
    set: ImageSet,
    transform: Transform,
    side: usize,
    kept: Kept,
}

/// Transformed images in memory.
#[derive(Clone, Debug)]
enum Kept {
    /// None: they are over the cap.
    Nothing,
    /// `[n, side, side, 3]`.
    Bytes(Vec<u8>),
    /// `[n, side, side]`, in [0, 1].
    Real(Vec<f32>),
}

/// Images and labels of one batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// `[n, 3, side, side]`, in [0, 1]: byte / 255 in f32, as torchvision's `ToTensor`; real values as
    /// they are, in three equal channels.
    pub images: Vec<f32>,
    /// `[n]`.
    pub labels: Vec<u32>,
}

impl Prepared {
    /// Prepares all images of `set`, in memory if they need no more than `memory_cap` bytes.
    ///
    /// # Errors
    /// [`Error::BadOption`] if a side of the transform is out of range, or it does not give all
    /// images the same side; the first
    /// error of decoding or transforming, if they are kept in memory.
    pub fn new(set: &ImageSet, transform: &Transform, memory_cap: u64) -> Result<Prepared> {
        transform.check().map_err(Error::transform)?;
        let side = transform.output_side().ok_or_else(|| Error::BadOption {
            what: "transform",
            found: transform.describe(),
            expected: "one whose last step is squash or center-crop, so that all images get one size",
        })? as usize;
        let (set, transform) = (set.clone(), transform.clone());
        let mut prepared = Prepared {
            set,
            transform,
            side,
            kept: Kept::Nothing,
        };
        let bytes = (prepared.len() as u64).saturating_mul(prepared.image_bytes());
        if bytes <= memory_cap {
            prepared.kept = match prepared.set.depth() {
                Depth::Bytes => Kept::Bytes(prepared.transform_all(|index| prepared.bytes(index))?),
                Depth::Real => Kept::Real(prepared.transform_all(|index| prepared.values(index))?),
            };
        }
        Ok(prepared)
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// Whether there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// The labels, `[len]`.
    #[must_use]
    pub fn labels(&self) -> &[u32] {
        self.set.labels()
    }

    /// Width and height of every image, in pixels.
    #[must_use]
    pub fn side(&self) -> usize {
        self.side
    }

    /// The images at these indices, in this order.
    ///
    /// # Errors
    /// [`Error::IndexOutOfRange`]; the first error of decoding or transforming, if the images
    /// are not kept in memory.
    pub fn batch(&self, indices: &[usize]) -> Result<Batch> {
        self.batch_of(indices, self.side, |index, planes| self.fill(index, planes))
    }

    /// A batch of images of this side, which `fill` writes into `[3, side, side]`, many at once.
    pub(crate) fn batch_of(
        &self,
        indices: &[usize],
        side: usize,
        fill: impl Fn(usize, &mut [f32]) -> Result<()> + Sync,
    ) -> Result<Batch> {
        let len = self.len();
        if let Some(&index) = indices.iter().find(|&&index| index >= len) {
            return Err(Error::IndexOutOfRange { index, len });
        }
        let values = 3 * side * side;
        let mut images = vec![0.0; indices.len() * values];
        let places = images.par_chunks_mut(values).zip(indices);
        first_error(places.map(|(image, &index)| fill(index, image)))?;
        let labels = indices.iter().map(|&index| self.labels()[index]).collect();
        Ok(Batch { images, labels })
    }

    /// An image of bytes, kept or made again. Its index is below [`Prepared::len`].
    pub(crate) fn image(&self, index: usize) -> Result<RgbImage> {
        let pixels = match &self.kept {
            Kept::Bytes(pixels) => {
                pixels[index * self.kept_values()..][..self.kept_values()].to_vec()
            }
            Kept::Real(_) | Kept::Nothing => self.bytes(index)?,
        };
        let side = self.side as u32;
        Ok(RgbImage {
            width: side,
            height: side,
            pixels,
        })
    }

    /// The same images with sides longer by so many pixels, in memory if they need no more than `memory_cap` bytes.
    pub(crate) fn enlarged(&self, pixels: u32, memory_cap: u64) -> Result<Prepared> {
        Prepared::new(&self.set, &self.transform.enlarged(pixels), memory_cap)
    }

    /// How finely the values of the images are stored.
    #[must_use]
    pub fn depth(&self) -> Depth {
        self.set.depth()
    }

    /// Digest of the images' content and of the transform: a key for caches.
    ///
    /// # Errors
    /// As [`ImageSet::digest`].
    pub fn digest(&self) -> Result<Digest> {
        let mut hash = Sha256::new();
        hash.update(b"rut prepared 1\0");
        hash.update(self.set.digest()?.as_bytes());
        hash.update(self.transform.describe().as_bytes());
        Ok(Digest::from_bytes(hash.finalize().into()))
    }

    /// Pixels of an image.
    fn plane(&self) -> usize {
        self.side * self.side
    }

    /// Values that are kept of an image: three bytes a pixel, or one f32.
    fn kept_values(&self) -> usize {
        match self.set.depth() {
            Depth::Bytes => 3 * self.plane(),
            Depth::Real => self.plane(),
        }
    }

    /// Bytes that an image takes in memory.
    fn image_bytes(&self) -> u64 {
        let value = match self.set.depth() {
            Depth::Bytes => size_of::<u8>(),
            Depth::Real => size_of::<f32>(),
        };
        (self.kept_values() * value) as u64
    }

    /// Writes an image, kept or made again, into `[3, side, side]`.
    fn fill(&self, index: usize, planes: &mut [f32]) -> Result<()> {
        let length = self.kept_values();
        match (&self.kept, self.set.depth()) {
            (Kept::Bytes(pixels), _) => to_planes(&pixels[index * length..][..length], planes),
            (Kept::Real(values), _) => repeat(&values[index * length..][..length], planes),
            (Kept::Nothing, Depth::Bytes) => to_planes(&self.bytes(index)?, planes),
            (Kept::Nothing, Depth::Real) => repeat(&self.values(index)?, planes),
        }
        Ok(())
    }

    /// `[side, side, 3]`.
    fn bytes(&self, index: usize) -> Result<Vec<u8>> {
        let image = self.transform.apply(&self.set.decode(index)?);
        Ok(image.map_err(Error::transform)?.pixels)
    }

    /// `[side, side]`.
    fn values(&self, index: usize) -> Result<Vec<f32>> {
        let values = self.transform.apply_real(&self.set.decode(index)?);
        values.map_err(Error::transform)
    }

    fn transform_all<T: Copy + Default + Send>(
        &self,
        transformed: impl Fn(usize) -> Result<Vec<T>> + Sync,
    ) -> Result<Vec<T>> {
        let length = self.kept_values();
        let mut all = vec![T::default(); self.len() * length];
        let places = all.par_chunks_mut(length).enumerate();
        first_error(places.map(|(index, place)| {
            place.copy_from_slice(&transformed(index)?);
            Ok(())
        }))?;
        Ok(all)
    }
}

/// Runs everything; the first error in order, whichever thread met one first.
fn first_error(results: impl IndexedParallelIterator<Item = Result<()>>) -> Result<()> {
    results.find_map_first(Result::err).map_or(Ok(()), Err)
}

/// `[side, side, 3]` bytes → `[3, side, side]` in [0, 1].
pub(crate) fn to_planes(pixels: &[u8], planes: &mut [f32]) {
    let plane_length = (pixels.len() / 3).max(1);
    for (channel, plane) in planes.chunks_exact_mut(plane_length).enumerate() {
        for (out, pixel) in plane.iter_mut().zip(pixels.chunks_exact(3)) {
            *out = f32::from(pixel[channel]) / 255.0;
        }
    }
}

/// `[side, side]` values → `[3, side, side]`.
fn repeat(values: &[f32], planes: &mut [f32]) {
    for plane in planes.chunks_exact_mut(values.len().max(1)) {
        plane.copy_from_slice(values);
    }
}
