//! Pictures resized and cropped, whatever their mode.

use super::{Filter, nearest, resample, resample_real};
use crate::alpha::{premultiply, unpremultiply};
use crate::{Extent, Mode, Picture, Result};

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
        match self.mode() {
            Mode::Real => self.replace_values(to, crop(self.values(), 1, from, side)),
            mode => self.replace(to, crop(self.pixels(), mode.channels(), from, side)),
        }
    }
}

/// `pixels` `[from.height, from.width, channels]` → `[side, side, channels]`.
fn crop<T: Copy + Default>(pixels: &[T], channels: usize, from: Extent, side: u32) -> Vec<T> {
    let columns = crop_sources(from.width, side);
    let row_length = from.width as usize * channels;
    let mut out = vec![T::default(); (side as usize).pow(2) * channels];
    let out_rows = out.chunks_exact_mut(side as usize * channels);
    for (out_row, y) in out_rows.zip(crop_sources(from.height, side)) {
        let Some(y) = y else { continue };
        let row = &pixels[y * row_length..][..row_length];
        for (out, x) in out_row.chunks_exact_mut(channels).zip(&columns) {
            if let Some(x) = x {
                out.copy_from_slice(&row[x * channels..][..channels]);
            }
        }
    }
    out
}

/// For each kept place the source place along one axis, or nothing where there is padding.
fn crop_sources(length: u32, side: u32) -> Vec<Option<usize>> {
    let before = if side > length {
        -i64::from((side - length) / 2)
    } else {
        (f64::from(length - side) / 2.0).round_ties_even() as i64
    };
    let inside = |place: i64| (0..i64::from(length)).contains(&place);
    let places = (0..i64::from(side)).map(|at| at + before);
    places
        .map(|place| inside(place).then_some(place as usize))
        .collect()
}
