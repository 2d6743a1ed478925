//! Pictures resized and cropped, whatever their mode.

use super::{Filter, nearest, resample, resample_real};
use crate::alpha::{premultiply, unpremultiply};
use crate::{Extent, Mode, Picture, Result, Window};

impl Picture {
    /// Pillow's `Image.resize(size, filter)` for any mode of 8 bits: palettes by nearest, colours premultiplied by alpha. Of
    /// real values, what [`resample_real`] does.
    ///
    /// ```
    /// use rut_images::{Extent, Filter, Mode, Picture};
    /// let size = Extent { width: 2, height: 1 };
    /// let picture = Picture::new(Mode::GreyAlpha, size, vec![200, 255, 9, 0])?;
    /// let pixel = picture.resized(Extent::square(1), Filter::Bilinear)?;
    /// assert_eq!(pixel.pixels(), [199, 128]); // what is transparent has no colour
    /// # Ok::<(), rut_images::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) or [`Error::DecodedSize`](crate::Error::DecodedSize) if `to` is empty or too large.
    pub fn resized(&self, to: Extent, filter: Filter) -> Result<Picture> {
        let (from, channels) = (self.size(), self.mode().channels());
        let pixels = match self.mode() {
            Mode::Real => {
                let values = resample_real(self.values(), from, to, filter)?;
                return Ok(self.replace_values(to, values));
            }
            Mode::Palette => nearest(self.pixels(), channels, from, to)?,
            Mode::Grey | Mode::Rgb => resample(self.pixels(), channels, from, to, filter)?,
            Mode::GreyAlpha | Mode::Rgba => {
                let mut pixels = self.pixels().to_vec();
                premultiply(&mut pixels, channels);
                let mut resized = resample(&pixels, channels, from, to, filter)?;
                unpremultiply(&mut resized, channels);
                resized
            }
        };
        Ok(self.replace(to, pixels))
    }

    /// The `side` × `side` pixels in the middle, as torchvision's `CenterCrop` finds it; zeros around a smaller picture.
    ///
    /// ```
    /// use rut_images::{Extent, Mode, Picture};
    /// let size = Extent { width: 4, height: 1 };
    /// let picture = Picture::new(Mode::Grey, size, vec![1, 2, 3, 4])?;
    /// assert_eq!(picture.center_cropped(1).pixels(), [3]);
    /// # Ok::<(), rut_images::Error>(())
    /// ```
    #[must_use]
    pub fn center_cropped(&self, side: u32) -> Picture {
        let (to, from) = (Extent::square(side), self.size());
        let window = Window {
            left: middle(from.width, side),
            top: middle(from.height, side),
            size: to,
        };
        match self.mode() {
            Mode::Real => self.replace_values(to, window.of(self.values(), 1, from)),
            mode => self.replace(to, window.of(self.pixels(), mode.channels(), from)),
        }
    }
}

/// The first of `side` kept places along one axis; negative where there is padding before it.
fn middle(length: u32, side: u32) -> i32 {
    let (length, side) = (length as i32, side as i32);
    if side > length {
        return -((side - length) / 2);
    }
    (f64::from(length - side) / 2.0).round_ties_even() as i32
}
