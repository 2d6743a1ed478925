//! An ordered set of labelled images, decoded when asked for.

use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use rut_images::{Depth, Picture};
use sha2::{Digest as _, Sha256};

use crate::{Digest, Error, Result};

/// Where the images of an [`ImageSet`] come from: an archive in memory, files, anything else.
pub trait ImageSource: Send + Sync {
    /// Number of images.
    fn count(&self) -> usize;

    /// How finely the values of all its images are stored.
    fn depth(&self) -> Depth {
        Depth::Bytes
    }

    /// Image `index`.
    ///
    /// # Errors
    /// Whatever is wrong with the image, naming its file or record.
    fn decode(&self, index: usize) -> Result<Picture>;

    /// Where image `index` is from: `data_batch_1.bin #17`, or a path relative to the data
    /// set's folder.
    fn name(&self, index: usize) -> String;

    /// Digest of the content of image `index`, pixels or file bytes; never of its path.
    ///
    /// # Errors
    /// [`Error::Io`] if the bytes cannot be read.
    fn content(&self, index: usize) -> Result<Digest>;
}

/// An ordered set of labelled images. Cloning and selecting are cheap.
///
/// ```
/// use rut_data::ImageSet;
/// use rut_images::{Extent, Mode, Picture};
/// let dot = |value| Picture::new(Mode::Grey, Extent::square(1), vec![value]);
/// let set = ImageSet::from_pictures(vec![dot(7)?, dot(8)?, dot(9)?], vec![0, 1, 0])?;
/// assert_eq!(set.class_counts(2), [2, 1]);
/// assert_eq!(set.select(&[2]).decode(0)?.pixels(), [9]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ImageSet {
    source: Arc<dyn ImageSource>,
    /// Place in `source` of each image.
    places: Arc<[usize]>,
    labels: Arc<[u32]>,
    /// Content of each image of `source`, once it was asked for.
    contents: Arc<Contents>,
}

impl ImageSet {
    /// All images of `source`, with their labels.
    ///
    /// # Errors
    /// [`Error::LabelCount`] if there is not one label per image.
    pub fn new(source: Arc<dyn ImageSource>, labels: Vec<u32>) -> Result<ImageSet> {
        let (expected, found) = (source.count(), labels.len());
        if expected != found {
            return Err(Error::LabelCount { expected, found });
        }
        Ok(ImageSet {
            source,
            places: (0..expected).collect(),
            labels: labels.into(),
            contents: Arc::new(Contents::of(expected)),
        })
    }

    /// A set of pictures in memory, all of one depth.
    ///
    /// # Errors
    /// As [`ImageSet::new`].
    pub fn from_pictures(pictures: Vec<Picture>, labels: Vec<u32>) -> Result<ImageSet> {
        ImageSet::new(Arc::new(Pictures(pictures)), labels)
    }

    /// The images of several sets of one depth, one set after the other.
    ///
    /// # Errors
    /// None; the sets hold one label per image.
    pub fn concat(sets: &[&ImageSet]) -> Result<ImageSet> {
        let labels = sets.iter().flat_map(|set| set.labels()).copied().collect();
        let sets = sets.iter().map(|&set| set.clone()).collect();
        ImageSet::new(Arc::new(Several(sets)), labels)
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The labels, `[len]`.
    #[must_use]
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Images of each class `0..classes`; labels beyond are not counted.
    #[must_use]
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for &label in self.labels.iter() {
            if let Some(count) = counts.get_mut(label as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// How finely the values of all images are stored.
    #[must_use]
    pub fn depth(&self) -> Depth {
        self.source.depth()
    }

    /// Decodes image `index`.
    ///
    /// # Errors
    /// [`Error::IndexOutOfRange`], [`Error::Image`] if its depth is not that of the set, or whatever is wrong
    /// with the image.
    pub fn decode(&self, index: usize) -> Result<Picture> {
        let len = self.len();
        let place = self
            .places
            .get(index)
            .ok_or(Error::IndexOutOfRange { index, len })?;
        let picture = self.source.decode(*place)?;
        match (picture.mode().depth(), self.depth()) {
            (found, expected) if found != expected => {
                let problem = rut_images::Error::Unsupported {
                    kind: found.to_string(),
                    expected: match expected {
                        Depth::Bytes => "8-bit pixels, as in the other images of its set",
                        Depth::Real => "real values, as in the other images of its set",
                    },
                };
                Err(Error::image(|| self.source.name(*place))(problem))
            }
            _ => Ok(picture),
        }
    }

    /// Where image `index` is from: `data_batch_1.bin #17`, or a path relative to the data set's
    /// folder; empty if there is no such image.
    #[must_use]
    pub fn source(&self, index: usize) -> String {
        self.places
            .get(index)
            .map(|&place| self.source.name(place))
            .unwrap_or_default()
    }

    /// The images at these indices, in this order.
    ///
    /// # Panics
    /// If an index is not below [`ImageSet::len`], as indexing a slice does.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> ImageSet {
        ImageSet {
            source: Arc::clone(&self.source),
            places: indices.iter().map(|&index| self.places[index]).collect(),
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
            contents: Arc::clone(&self.contents),
        }
    }

    /// Digest of the content: for each image in order its label and its pixels or file bytes.
    /// Paths and names are no part of it. Every image is read once for this, whatever sets were
    /// selected from the one that it came in.
    ///
    /// # Errors
    /// [`Error::Io`] if a file cannot be read.
    pub fn digest(&self) -> Result<Digest> {
        let contents = self.contents()?;
        let mut hash = Sha256::new();
        hash.update(b"rut images 1\0");
        for (label, content) in self.labels.iter().zip(contents) {
            hash.update(label.to_le_bytes());
            hash.update(content.as_bytes());
        }
        Ok(Digest::from_bytes(hash.finalize().into()))
    }

    /// SHA-256 over the pixels of each image, n of them, in order. Each is read once, whatever sets it is in.
    ///
    /// # Errors
    ///
    /// If an image cannot be read.
    pub fn contents(&self) -> Result<Vec<Digest>> {
        self.places
            .par_iter()
            .map(|&place| self.content(place))
            .collect()
    }

    fn content(&self, place: usize) -> Result<Digest> {
        let known = self.contents.at(place);
        match known.get() {
            Some(digest) => Ok(*digest),
            None => {
                let digest = self.source.content(place)?;
                Ok(*known.get_or_init(|| digest))
            }
        }
    }

    /// The images whose label `relabel` keeps, with the new labels.
    pub(crate) fn filter_map_labels(&self, relabel: impl Fn(u32) -> Option<u32>) -> ImageSet {
        let kept = self.places.iter().zip(self.labels.iter());
        let (places, labels): (Vec<_>, Vec<_>) = kept
            .filter_map(|(&place, &label)| Some((place, relabel(label)?)))
            .unzip();
        ImageSet {
            source: Arc::clone(&self.source),
            places: places.into(),
            labels: labels.into(),
            contents: Arc::clone(&self.contents),
        }
    }
}

/// The content of each image of a source, once it was asked for. Memory is taken block by block, with the first image of
/// a block.
struct Contents(Vec<OnceLock<Box<[OnceLock<Digest>]>>>);

impl Contents {
    /// Images in a block.
    const BLOCK: usize = 1024;

    fn of(images: usize) -> Contents {
        let blocks = images.div_ceil(Contents::BLOCK);
        Contents((0..blocks).map(|_| OnceLock::new()).collect())
    }

    fn at(&self, place: usize) -> &OnceLock<Digest> {
        let empty = || (0..Contents::BLOCK).map(|_| OnceLock::new()).collect();
        let block = self.0[place / Contents::BLOCK].get_or_init(empty);
        &block[place % Contents::BLOCK]
    }
}

impl std::fmt::Debug for ImageSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImageSet")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// Pictures in memory.
struct Pictures(Vec<Picture>);

impl ImageSource for Pictures {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn depth(&self) -> Depth {
        let first = self.0.first();
        first.map_or(Depth::Bytes, |picture| picture.mode().depth())
    }

    fn decode(&self, index: usize) -> Result<Picture> {
        let len = self.0.len();
        self.0
            .get(index)
            .cloned()
            .ok_or(Error::IndexOutOfRange { index, len })
    }

    fn name(&self, index: usize) -> String {
        format!("picture #{index}")
    }

    fn content(&self, index: usize) -> Result<Digest> {
        Ok(picture_digest(&self.decode(index)?))
    }
}

/// The digest of a picture: of mode, size, palette and pixels, or the bits of real values.
///
/// ```
/// use rut_data::picture_digest;
/// use rut_images::{Extent, Mode, Picture};
/// let dot = |value| Picture::new(Mode::Grey, Extent::square(1), vec![value]);
/// assert_eq!(picture_digest(&dot(7)?), picture_digest(&dot(7)?));
/// assert_ne!(picture_digest(&dot(7)?), picture_digest(&dot(8)?));
/// # Ok::<(), rut_images::Error>(())
/// ```
#[must_use]
pub fn picture_digest(picture: &Picture) -> Digest {
    let (mode, width, height) = (picture.mode(), picture.width(), picture.height());
    let mut bytes = format!("rut picture 1 {mode:?} {width} {height}\0").into_bytes();
    bytes.extend(picture.palette().as_flattened());
    bytes.extend(picture.pixels());
    let values = picture.values().iter();
    bytes.extend(values.flat_map(|value| value.to_le_bytes()));
    Digest::of_bytes(&bytes)
}

/// Several sets, one after the other.
struct Several(Vec<ImageSet>);

impl Several {
    /// The set that holds an image, and its index there.
    fn locate(&self, index: usize) -> Result<(&ImageSet, usize)> {
        let mut left = index;
        for set in &self.0 {
            if left < set.len() {
                return Ok((set, left));
            }
            left -= set.len();
        }
        let len = self.count();
        Err(Error::IndexOutOfRange { index, len })
    }
}

impl ImageSource for Several {
    fn count(&self) -> usize {
        self.0.iter().map(ImageSet::len).sum()
    }

    fn depth(&self) -> Depth {
        self.0.first().map_or(Depth::Bytes, ImageSet::depth)
    }

    fn decode(&self, index: usize) -> Result<Picture> {
        let (set, index) = self.locate(index)?;
        set.decode(index)
    }

    fn name(&self, index: usize) -> String {
        self.locate(index)
            .map(|(set, index)| set.source(index))
            .unwrap_or_default()
    }

    fn content(&self, index: usize) -> Result<Digest> {
        let (set, index) = self.locate(index)?;
        set.content(set.places[index])
    }
}

#[cfg(test)]
mod tests;
