//! From a decoded picture to the pixels a network sees: resizing and cropping as torchvision does
//! on Pillow images, or on tensors where the values are real.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::{Error, Extent, Filter, Mode, Picture, Result, RgbImage};

/// Grows when decoding or resizing gives other 8-bit pixels than before: part of the keys of caches. The second has
/// libjpeg's colours for JPEG files whose markers contradict each other.
pub const PIXELS_VERSION: u32 = 2;
/// The same for real values.
pub const VALUES_VERSION: u32 = 1;
/// The largest side a transform may ask for, in pixels.
const MAX_SIDE: u32 = 4_096;

/// Geometric steps and the place of the conversion to RGB among them. No augmentation: the same
/// picture always gives the same pixels.
///
/// ```
/// use rut_images::{ColorOrder, Extent, Mode, Picture, Transform};
/// let picture = Picture::new(Mode::Grey, Extent { width: 4, height: 2 }, vec![80; 8])?;
/// let image = Transform::squash(2, ColorOrder::RgbThenResize).apply(&picture)?;
/// assert_eq!((image.width, image.height, image.pixels[0]), (2, 2, 80));
/// # Ok::<(), rut_images::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transform {
    /// Steps, first to last.
    pub geometry: Vec<Geometry>,
    /// Where the conversion to RGB comes.
    pub order: ColorOrder,
    /// What interpolates where a step resizes.
    pub filter: Filter,
}

/// One geometric step. Sides are in pixels, 1 to 4,096.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Geometry {
    /// torchvision's `Resize((side, side))`: the aspect ratio is not kept.
    Squash {
        /// New width and height.
        side: u32,
    },
    /// torchvision's `Resize(side)`: the shorter side becomes `side`, the longer one
    /// ⌊side · longer / shorter⌋.
    ShorterSide {
        /// New length of the shorter side.
        side: u32,
    },
    /// torchvision's `CenterCrop(side)`: an odd remainder is rounded half to even; a smaller image
    /// is padded with zeros first (index 0 of a palette), the extra one right and below.
    CenterCrop {
        /// Width and height kept.
        side: u32,
    },
}

/// When a picture becomes RGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColorOrder {
    /// First: all steps see RGB. The reference does this for visual prompting.
    RgbThenResize,
    /// Last: palette images are resized by nearest, images with alpha premultiplied, as Pillow
    /// does. The reference does this for linear probing.
    ResizeThenRgb,
}

impl Transform {
    /// A single [`Geometry::Squash`], bilinear.
    #[must_use]
    pub fn squash(side: u32, order: ColorOrder) -> Transform {
        Transform {
            geometry: vec![Geometry::Squash { side }],
            order,
            filter: Filter::Bilinear,
        }
    }

    /// Checks the sides.
    ///
    /// # Errors
    /// [`Error::Side`] if a side is out of range.
    pub fn check(&self) -> Result<()> {
        let sides = self.geometry.iter().map(|step| step.side());
        match sides
            .into_iter()
            .find(|side| !(1..=MAX_SIDE).contains(side))
        {
            None => Ok(()),
            Some(found) => Err(Error::Side { found }),
        }
    }

    /// The transformed picture in 8-bit RGB.
    ///
    /// # Errors
    /// [`Error::Side`] if a side is out of range, [`Error::Size`] if a step's result would be
    /// too large.
    pub fn apply(&self, picture: &Picture) -> Result<RgbImage> {
        Ok(self.steps(picture)?.to_rgb())
    }

    /// The transformed values `[height, width]` of a [`Mode::Real`] picture, never rounded to 8 bits; they stand for
    /// three equal channels, so the place of the conversion to RGB changes nothing. Empty for another picture.
    ///
    /// # Errors
    /// As [`Transform::apply`].
    pub fn apply_real(&self, picture: &Picture) -> Result<Vec<f32>> {
        Ok(self.steps(picture)?.values().to_vec())
    }

    fn steps<'a>(&self, picture: &'a Picture) -> Result<Cow<'a, Picture>> {
        self.check()?;
        let converted = match (self.order, picture.mode()) {
            // The channels of grey are equal before and after every step.
            (ColorOrder::ResizeThenRgb, _) | (_, Mode::Rgb | Mode::Grey | Mode::Real) => {
                Cow::Borrowed(picture)
            }
            (ColorOrder::RgbThenResize, _) => Cow::Owned(picture.converted_to_rgb()),
        };
        let mut steps = self.geometry.iter();
        steps.try_fold(converted, |picture, step| step.apply(picture, self.filter))
    }

    /// The side of every result, in pixels, where it does not depend on the picture.
    #[must_use]
    pub fn output_side(&self) -> Option<u32> {
        match self.geometry.last()? {
            Geometry::Squash { side } | Geometry::CenterCrop { side } => Some(*side),
            Geometry::ShorterSide { .. } => None,
        }
    }

    /// The same with every side longer by so many pixels: what a random crop is taken from.
    #[must_use]
    pub fn enlarged(&self, pixels: u32) -> Transform {
        let steps = self.geometry.iter();
        Transform {
            geometry: steps.map(|step| step.enlarged(pixels)).collect(),
            ..self.clone()
        }
    }

    /// A stable text, such as `rgb, squash 224` or `rgb, squash 224, bicubic`; part of the keys of caches. Bilinear is
    /// not mentioned: the text is older than the choice.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut steps: Vec<String> = self.geometry.iter().map(|step| step.describe()).collect();
        let place = match self.order {
            ColorOrder::RgbThenResize => 0,
            ColorOrder::ResizeThenRgb => steps.len(),
        };
        steps.insert(place, "rgb".to_owned());
        if self.filter != Filter::Bilinear {
            steps.push(self.filter.name().to_owned());
        }
        steps.join(", ")
    }
}

impl Geometry {
    fn side(self) -> u32 {
        match self {
            Geometry::Squash { side }
            | Geometry::ShorterSide { side }
            | Geometry::CenterCrop { side } => side,
        }
    }

    fn enlarged(self, pixels: u32) -> Geometry {
        let side = self.side().saturating_add(pixels);
        match self {
            Geometry::Squash { .. } => Geometry::Squash { side },
            Geometry::ShorterSide { .. } => Geometry::ShorterSide { side },
            Geometry::CenterCrop { .. } => Geometry::CenterCrop { side },
        }
    }

    fn describe(self) -> String {
        let mut text = String::from(match self {
            Geometry::Squash { .. } => "squash",
            Geometry::ShorterSide { .. } => "shorter-side",
            Geometry::CenterCrop { .. } => "center-crop",
        });
        let _ = write!(text, " {}", self.side());
        text
    }

    fn apply(self, picture: Cow<'_, Picture>, filter: Filter) -> Result<Cow<'_, Picture>> {
        let to = match self {
            Geometry::Squash { side } => Extent::square(side),
            Geometry::ShorterSide { side } => picture.size().with_shorter_side(side)?,
            Geometry::CenterCrop { side } => return Ok(Cow::Owned(picture.center_cropped(side))),
        };
        if picture.size() == to {
            return Ok(picture);
        }
        Ok(Cow::Owned(picture.resized(to, filter)?))
    }
}
