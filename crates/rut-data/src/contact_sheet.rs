//! A picture of a set: a few images of each class, with the class's label and name above them.

use rayon::prelude::*;
use rut_images::{Extent, Filter, RgbImage, Sheet, nearest, resample};

use crate::stratify::by_class;
use crate::{Error, ImageSet, Result};

/// Side of a letter, pixels.
const LETTER: usize = Sheet::LETTER;
/// Pixels between images, and around everything.
const GAP: usize = 4;
/// Least width of a class's block, letters: room for most names.
const LETTERS: usize = 18;
/// Most pixels of a sheet: what programs that show pictures still take.
const LARGEST: usize = 100_000_000;

/// How a sheet is laid out.
///
/// ```
/// use rut_data::ContactSheet;
/// let digits = rut_data::open("digits", "data".as_ref())?;
/// let sheet = ContactSheet { per_class: 3, side: 32 }.draw(&digits.test, &digits.class_names)?;
/// assert_eq!(sheet.pixels.len(), (sheet.width * sheet.height * 3) as usize);
/// # Ok::<(), rut_data::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContactSheet {
    /// Images of each class, evenly spread over them.
    pub per_class: usize,
    /// Side of the square that an image is fitted into, pixels; small images are magnified by whole
    /// numbers.
    pub side: usize,
}

impl Default for ContactSheet {
    fn default() -> ContactSheet {
        ContactSheet {
            per_class: 5,
            side: 64,
        }
    }
}

impl ContactSheet {
    /// Checks that there is something to draw, and that it fits.
    ///
    /// # Errors
    /// [`Error::BadOption`] for no images, or images of no size or too large a one.
    pub fn check(self) -> Result<ContactSheet> {
        let bad = |what, found: usize, expected| Error::BadOption {
            what,
            found: found.to_string(),
            expected,
        };
        match self {
            ContactSheet {
                per_class: count @ (0 | 101..),
                ..
            } => Err(bad("images per class", count, "1 to 100")),
            ContactSheet {
                side: side @ (0..LETTER | 513..),
                ..
            } => Err(bad("side of an image", side, "8 to 512 pixels")),
            sheet => Ok(sheet),
        }
    }

    /// Draws the images of `set`; labels are indices into `class_names`.
    ///
    /// # Errors
    /// As [`ContactSheet::check`]; [`Error::LabelOutOfRange`]; [`Error::BadOption`] if so many
    /// classes make a larger picture than can be looked at; the first image that does not decode.
    pub fn draw(self, set: &ImageSet, class_names: &[impl AsRef<str>]) -> Result<RgbImage> {
        self.check()?;
        let members = by_class(set.labels(), class_names.len())?;
        let grid = Grid::new(self, class_names.len())?;
        let mut sheet = Sheet::blank(grid.size);
        for (class, (members, name)) in members.iter().zip(class_names).enumerate() {
            let (left, top) = grid.block(class);
            let title = format!("{class} {}", name.as_ref());
            sheet.write(&title, (left, top), grid.letters);
            let shown = members.len().min(self.per_class);
            if shown == 0 {
                sheet.write("no images", (left, top + LETTER + GAP), grid.letters);
            }
            let thumbs: Vec<Result<RgbImage>> = (0..shown)
                .into_par_iter()
                .map(|at| self.thumb(&set.decode(members[at * members.len() / shown])?.into_rgb()))
                .collect();
            for (at, thumb) in thumbs.into_iter().enumerate() {
                let x = left + at * (self.side + GAP);
                sheet.place(&thumb?, (x, top + LETTER + GAP), self.side);
            }
        }
        Ok(sheet.into_image())
    }

    /// The image, shrunk or magnified to the square, its shape kept.
    fn thumb(self, image: &RgbImage) -> Result<RgbImage> {
        let (width, height) = (image.width as usize, image.height as usize);
        let longer = width.max(height).max(1);
        let fitted = |side: usize| match self.side / longer {
            0 => (side * self.side / longer).max(1),
            times => side * times,
        } as u32;
        let size = |width, height| Extent { width, height };
        let to = size(fitted(width), fitted(height));
        let from = size(image.width, image.height);
        let pixels = match self.side / longer {
            0 => resample(&image.pixels, 3, from, to, Filter::Bilinear),
            _ => nearest(&image.pixels, 3, from, to),
        };
        let pixels = pixels.map_err(Error::Resize)?;
        Ok(RgbImage {
            width: to.width,
            height: to.height,
            pixels,
        })
    }
}

/// Where the blocks of the classes are.
struct Grid {
    columns: usize,
    block: (usize, usize),
    size: Extent,
    /// Letters that fit above a block.
    letters: usize,
}

impl Grid {
    fn new(sheet: ContactSheet, classes: usize) -> Result<Grid> {
        let images = sheet.per_class * (sheet.side + GAP);
        let width = images.max(LETTERS * LETTER) + 2 * GAP;
        let height = sheet.side + LETTER + 3 * GAP;
        // About as wide as high.
        let columns = ((classes * height) as f64 / width as f64).sqrt().ceil() as usize;
        let columns = columns.clamp(1, classes.max(1));
        let rows = classes.div_ceil(columns).max(1);
        let size = (columns * width + GAP, rows * height + GAP);
        if size.0.saturating_mul(size.1) > LARGEST {
            return Err(Error::BadOption {
                what: "images per class",
                found: format!(
                    "{} of {} pixels, {classes} classes",
                    sheet.per_class, sheet.side
                ),
                expected: "a sheet of at most 100,000,000 pixels: fewer or smaller images",
            });
        }
        Ok(Grid {
            columns,
            block: (width, height),
            size: Extent {
                width: size.0 as u32,
                height: size.1 as u32,
            },
            letters: (width - GAP) / LETTER,
        })
    }

    /// Left and top of a class's block.
    fn block(&self, class: usize) -> (usize, usize) {
        let (column, row) = (class % self.columns, class / self.columns);
        (GAP + column * self.block.0, GAP + row * self.block.1)
    }
}
