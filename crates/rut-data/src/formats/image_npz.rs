//! Labelled images in a `.npz` file: an array of bytes `[images, height, width, 3]`, or an array of
//! objects that are arrays `[height, width, 3]` or, for grey, `[height, width]`; and whole numbers.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use rut_formats::npy::{self, Npy};
use rut_formats::numpy::{Array, range_in};
use rut_formats::pickle::Value;
use rut_formats::{Fault, counted};
use rut_images::{Extent, Mode, Picture};

use super::fault::InFile as _;
use super::npz;
use crate::image_set::{ImageSource, picture_digest};
use crate::{Digest, Error, ImageSet, Result};

/// More images than any such file has.
const MOST_IMAGES: usize = 1 << 22;

/// The names of two arrays of an archive, and what their labels may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    /// The array of images.
    pub(crate) images: &'a str,
    /// The array of labels.
    pub(crate) labels: &'a str,
    /// Number of classes; labels are below it.
    pub(crate) classes: usize,
}

/// Reads the images and labels of these names in the archive at `path`.
pub(crate) fn read(path: &Path, names: Names<'_>) -> Result<ImageSet> {
    let mut arrays = npz::open(path)?;
    let at = |fault: Fault| fault.at(path);
    let labels = arrays.array(names.labels).map_err(at)?;
    let labels = labels_of(&labels, names).map_err(at)?;
    let bytes = Arc::new(arrays.array(names.images).map_err(at)?);
    let images = images_of(&bytes, names.images).map_err(at)?;
    if images.len() != labels.len() {
        let expected = format!("{}, one for each image", counted(images.len(), "label"));
        let fault = Fault::new(names.labels, expected, labels.len().to_string());
        return Err(at(fault));
    }
    let file = path.file_name().unwrap_or_default().display();
    let name = format!("{file} {}", names.images);
    ImageSet::new(Arc::new(NpzImages { name, images }), labels)
}

fn labels_of(bytes: &[u8], names: Names<'_>) -> Result<Vec<u32>, Fault> {
    let labels = match npy::parse(bytes).map_err(|fault| fault.within(names.labels))? {
        Npy::Numbers(array) if matches!(array.shape(), [0..=MOST_IMAGES]) => array,
        _ => {
            let expected = format!("an array of at most {MOST_IMAGES} numbers along one axis");
            return Err(Fault::new(names.labels, expected, "another one"));
        }
    };
    let label = |(at, number): (usize, Option<i64>)| {
        let label = number.and_then(|number| u32::try_from(number).ok());
        label
            .filter(|&label| (label as usize) < names.classes)
            .ok_or_else(|| {
                let found = number.map_or("another number".to_owned(), |number| number.to_string());
                Fault::new(
                    format!("{}, label {at}", names.labels),
                    format!("a whole number below {}", names.classes),
                    found,
                )
            })
    };
    labels.integers().enumerate().map(label).collect()
}

fn images_of(file: &Arc<Vec<u8>>, name: &str) -> Result<Vec<Image>, Fault> {
    let mut store = Store {
        file,
        copies_left: file.len(),
    };
    match npy::parse(file).map_err(|fault| fault.within(name))? {
        Npy::Numbers(array) => stacked(array, &mut store, name),
        Npy::Objects(pickle) => {
            let objects = pickle.root().items().into_iter().flatten();
            let mut single =
                |(at, object)| single(object, &mut store, &format!("{name}, image {at}"));
            objects.enumerate().map(&mut single).collect()
        }
    }
}

/// The images of one array.
fn stacked(array: Array<'_>, store: &mut Store<'_>, name: &str) -> Result<Vec<Image>, Fault> {
    let &[count @ 0..=MOST_IMAGES, ref shape @ ..] = array.shape() else {
        let expected = format!("an array of at most {MOST_IMAGES} images");
        return Err(Fault::new(name, expected, format!("{:?}", array.shape())));
    };
    let (mode, size) = kind_of(&array, shape, name)?;
    let length = size.pixels() * mode.channels();
    let (bytes, all) = store.keep(array, name)?;
    let part = |at: usize| Image {
        mode,
        size,
        bytes: Arc::clone(&bytes),
        range: all.start + at * length..all.start + (at + 1) * length,
    };
    Ok((0..count).map(part).collect())
}

/// The image that is an object.
fn single(object: Value<'_>, store: &mut Store<'_>, place: &str) -> Result<Image, Fault> {
    let array = object.array(place)?;
    let (mode, size) = kind_of(&array, array.shape(), place)?;
    let (bytes, range) = store.keep(array, place)?;
    Ok(Image {
        mode,
        size,
        bytes,
        range,
    })
}

/// The bytes of the file, and how many may still be copied.
struct Store<'a> {
    file: &'a Arc<Vec<u8>>,
    copies_left: usize,
}

impl Store<'_> {
    /// Where the bytes of an array are: in the file, or in a copy where they had to be put in
    /// order. All images of the file can be copied, but not one of them for many.
    fn keep(
        &mut self,
        array: Array<'_>,
        place: &str,
    ) -> Result<(Arc<Vec<u8>>, Range<usize>), Fault> {
        let rows = array.into_row_major();
        if let Some(range) = range_in(self.file, &rows) {
            return Ok((Arc::clone(self.file), range));
        }
        let left = self.copies_left.checked_sub(rows.len());
        self.copies_left = left.ok_or_else(|| {
            let found = "one that stands for many; the file is damaged or hostile";
            Fault::new(place, "an image of its own", found)
        })?;
        let range = 0..rows.len();
        Ok((Arc::new(rows.into_owned()), range))
    }
}

/// Mode and size of an image of this shape.
fn kind_of(array: &Array<'_>, shape: &[usize], place: &str) -> Result<(Mode, Extent), Fault> {
    let (mode, sides) = match *shape {
        [height, width, 3] => (Mode::Rgb, [width, height]),
        [height, width] => (Mode::Grey, [width, height]),
        _ => (Mode::Rgb, [0, 0]),
    };
    let [width, height] = sides.map(|side| u32::try_from(side).unwrap_or(0));
    let size = Extent { width, height };
    if array.is_bytes() && size.check().is_ok() {
        return Ok((mode, size));
    }
    let expected = "unsigned bytes [height, width, 3] that are an image";
    let found = if array.is_bytes() {
        format!("{shape:?}")
    } else {
        format!("other numbers {shape:?}")
    };
    Err(Fault::new(place, expected, found))
}

/// Where the pixels of an image are.
struct Image {
    mode: Mode,
    size: Extent,
    bytes: Arc<Vec<u8>>,
    range: Range<usize>,
}

/// The images of an array of an archive, in memory.
struct NpzImages {
    /// File and array.
    name: String,
    images: Vec<Image>,
}

impl ImageSource for NpzImages {
    fn count(&self) -> usize {
        self.images.len()
    }

    fn decode(&self, index: usize) -> Result<Picture> {
        let len = self.images.len();
        let image = self
            .images
            .get(index)
            .ok_or(Error::IndexOutOfRange { index, len })?;
        let pixels = image.bytes.get(image.range.clone()).unwrap_or_default();
        let picture = Picture::new(image.mode, image.size, pixels.to_vec());
        picture.map_err(Error::image(|| self.name(index)))
    }

    fn name(&self, index: usize) -> String {
        format!("{} #{index}", self.name)
    }

    fn content(&self, index: usize) -> Result<Digest> {
        Ok(picture_digest(&self.decode(index)?))
    }
}

#[cfg(test)]
mod tests;
