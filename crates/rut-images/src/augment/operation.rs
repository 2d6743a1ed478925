//! The operations by name, and those that only move pixels.

use super::{affine, enhance, tone};
use crate::{Extent, Result, RgbImage, Window};

/// One change of an image, which keeps its size. What comes into the picture from outside is black.
///
/// ```
/// use rut_images::RgbImage;
/// use rut_images::augment::Operation;
/// let image = RgbImage { width: 2, height: 1, pixels: vec![0, 100, 200, 40, 50, 60] };
/// let dark = Operation::Brightness { factor: 0.5 }.apply(image.clone())?;
/// assert_eq!(dark.pixels, [0, 50, 100, 20, 25, 30]);
/// let moved = Operation::TranslateX { pixels: 1 }.apply(image)?;
/// assert_eq!(moved.pixels, [40, 50, 60, 0, 0, 0]);
/// # Ok::<(), rut_images::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operation {
    /// Nothing.
    Identity,
    /// `ImageOps.autocontrast`: each channel stretched to 0–255.
    AutoContrast,
    /// `ImageOps.equalize`: the histogram of each channel flattened.
    Equalize,
    /// `Image.rotate`, nearest neighbour.
    Rotate {
        /// Counterclockwise, in degrees.
        degrees: f64,
    },
    /// `ImageOps.solarize`: values from the threshold on are inverted.
    Solarize {
        /// From 0, which inverts all, to 256, which inverts none.
        threshold: f64,
    },
    /// `ImageEnhance.Color`.
    Color {
        /// 0 is grey, 1 the image, more is more colourful.
        factor: f64,
    },
    /// `ImageOps.posterize`: only the highest bits of each value are kept.
    Posterize {
        /// Bits kept, 1–8.
        bits: u32,
    },
    /// `ImageEnhance.Contrast`.
    Contrast {
        /// 0 is the mean grey, 1 the image, more is more contrast.
        factor: f64,
    },
    /// `ImageEnhance.Brightness`.
    Brightness {
        /// 0 is black, 1 the image, more is brighter.
        factor: f64,
    },
    /// `ImageEnhance.Sharpness`.
    Sharpness {
        /// 0 is blurred, 1 the image, more is sharper.
        factor: f64,
    },
    /// Affine, nearest neighbour: the pixel in column x, row y is taken from column x + slope · y.
    ShearX {
        /// Columns for each row.
        slope: f64,
    },
    /// Affine, nearest neighbour: the pixel in column x, row y is taken from row y + slope · x.
    ShearY {
        /// Rows for each column.
        slope: f64,
    },
    /// The pixel in column x is taken from column x + pixels.
    TranslateX {
        /// To the left.
        pixels: i32,
    },
    /// The pixel in row y is taken from row y + pixels.
    TranslateY {
        /// Upwards.
        pixels: i32,
    },
}

impl Operation {
    /// The changed image.
    ///
    /// # Errors
    /// [`Error::Count`](crate::Error::Count) if the image's bytes do not fit its size,
    /// [`Error::Size`](crate::Error::Size) if it has no pixels or too many.
    pub fn apply(self, image: RgbImage) -> Result<RgbImage> {
        image.check()?;
        Ok(match self {
            Operation::Identity => image,
            Operation::AutoContrast => tone::autocontrast(image),
            Operation::Equalize => tone::equalize(image),
            Operation::Solarize { threshold } => tone::solarize(image, threshold),
            Operation::Posterize { bits } => tone::posterize(image, bits),
            Operation::Color { factor } => enhance::color(image, factor),
            Operation::Contrast { factor } => enhance::contrast(image, factor),
            Operation::Brightness { factor } => enhance::brightness(image, factor),
            Operation::Sharpness { factor } => enhance::sharpness(image, factor),
            Operation::Rotate { degrees } => affine::rotate(&image, degrees),
            Operation::ShearX { slope } => affine::shear_x(&image, slope),
            Operation::ShearY { slope } => affine::shear_y(&image, slope),
            Operation::TranslateX { pixels } => translate(&image, pixels, 0),
            Operation::TranslateY { pixels } => translate(&image, 0, pixels),
        })
    }
}

/// The pixels of `image` in `window`: torchvision's `crop`, and with a window that reaches beyond the image its `pad` by
/// zeros before it.
///
/// ```
/// use rut_images::augment::crop;
/// use rut_images::{Extent, RgbImage, Window};
/// let image = RgbImage { width: 2, height: 1, pixels: vec![1, 2, 3, 4, 5, 6] };
/// let window = Window { left: 1, top: 0, size: Extent { width: 2, height: 1 } };
/// assert_eq!(crop(&image, window)?.pixels, [4, 5, 6, 0, 0, 0]);
/// # Ok::<(), rut_images::Error>(())
/// ```
///
/// # Errors
/// As [`Operation::apply`], of the image and of the window.
pub fn crop(image: &RgbImage, window: Window) -> Result<RgbImage> {
    image.check()?;
    window.size.check()?;
    Ok(cut(image, window))
}

/// Left and right exchanged.
///
/// # Errors
/// As [`Operation::apply`].
pub fn flip(mut image: RgbImage) -> Result<RgbImage> {
    image.check()?;
    for row in image.pixels.chunks_exact_mut(3 * image.width as usize) {
        row.reverse();
        row.chunks_exact_mut(3).for_each(<[u8]>::reverse);
    }
    Ok(image)
}

/// The image that begins at this column and row.
fn translate(image: &RgbImage, left: i32, top: i32) -> RgbImage {
    let size = image.size();
    cut(image, Window { left, top, size })
}

/// The pixels of a window of an image that is known to be sound.
fn cut(image: &RgbImage, window: Window) -> RgbImage {
    let Extent { width, height } = window.size;
    RgbImage {
        width,
        height,
        pixels: window.of(&image.pixels, 3, image.size()),
    }
}
