//! A decoded image that remembers how its file stored it.

use std::fmt;

use crate::{Error, Extent, Result};

/// How finely the values of images are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Depth {
    /// 8 bits per channel.
    Bytes,
    /// One channel of f32 in [0, 1]; nothing rounds them to 8 bits on their way to a network.
    Real,
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Depth::Bytes => "8-bit pixels",
            Depth::Real => "real values",
        })
    }
}

/// How the pixels of a [`Picture`] are stored; 8 bits per channel, but for [`Mode::Real`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// One channel.
    Grey,
    /// Red, green, blue.
    Rgb,
    /// One channel of indices into a table of 256 colours. Images of one bit per pixel are such.
    Palette,
    /// Grey and alpha (0 is transparent), not premultiplied.
    GreyAlpha,
    /// Red, green, blue and alpha (0 is transparent), not premultiplied.
    Rgba,
    /// One channel of f32 in [0, 1].
    Real,
}

impl Mode {
    /// How finely it stores values.
    #[must_use]
    pub fn depth(self) -> Depth {
        match self {
            Mode::Real => Depth::Real,
            _ => Depth::Bytes,
        }
    }

    /// Bytes per pixel of a picture and of the next step, a copy whose colours are multiplied by alpha or one in
    /// RGB.
    pub(crate) fn bytes_with_next(self) -> u64 {
        match self {
            Mode::Rgb => 3,
            Mode::Grey | Mode::Palette => 1 + 3,
            Mode::GreyAlpha => 2 + 3,
            Mode::Rgba => 4 + 4,
            Mode::Real => 4 + 4,
        }
    }

    /// Values per pixel; a byte each, but for [`Mode::Real`].
    #[must_use]
    pub fn channels(self) -> usize {
        match self {
            Mode::Grey | Mode::Palette | Mode::Real => 1,
            Mode::GreyAlpha => 2,
            Mode::Rgb => 3,
            Mode::Rgba => 4,
        }
    }
}

/// A decoded image: 8-bit pixels `[height, width, channels]` in the file's own mode, or real values.
///
/// ```
/// use rut_images::{Extent, Mode, Picture};
/// let size = Extent { width: 2, height: 1 };
/// let picture = Picture::new(Mode::GreyAlpha, size, vec![7, 255, 9, 0])?;
/// assert_eq!(picture.to_rgb().pixels, [7, 7, 7, 9, 9, 9]); // alpha is dropped, not blended
/// # Ok::<(), rut_images::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    mode: Mode,
    size: Extent,
    pixels: Vec<u8>,
    palette: Vec<[u8; 3]>,
    values: Vec<f32>,
}

/// No value is NaN: [`Picture::real`] refuses it.
impl Eq for Picture {}

impl Picture {
    /// A picture of `size` with pixels `[height, width, channels]`, channels as `mode` says.
    /// A [`Mode::Palette`] picture made here has an all-black palette;
    /// [`Picture::with_palette`] takes colours.
    ///
    /// # Errors
    /// [`Error::Count`] if the number of bytes does not fit, [`Error::Size`] if there are no pixels
    /// or too many, [`Error::Real`] for [`Mode::Real`], which bytes cannot be.
    pub fn new(mode: Mode, size: Extent, pixels: Vec<u8>) -> Result<Picture> {
        if mode.depth() == Depth::Real {
            return Err(Error::Real);
        }
        let expected = size.check()? * mode.channels();
        let found = pixels.len();
        if found != expected {
            return Err(Error::Count { expected, found });
        }
        Ok(Picture {
            mode,
            size,
            pixels,
            palette: Vec::new(),
            values: Vec::new(),
        })
    }

    /// A [`Mode::Real`] picture of `size` with `values` `[height, width]` in [0, 1].
    ///
    /// ```
    /// use rut_images::{Extent, Picture};
    /// let picture = Picture::real(Extent::square(1), vec![0.3])?;
    /// assert_eq!((picture.values(), picture.to_rgb().pixels), ([0.3].as_slice(), vec![77; 3]));
    /// # Ok::<(), rut_images::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Value`] for a value outside [0, 1] or NaN; else as [`Picture::new`].
    pub fn real(size: Extent, values: Vec<f32>) -> Result<Picture> {
        let (expected, found) = (size.check()?, values.len());
        if found != expected {
            return Err(Error::Count { expected, found });
        }
        let width = size.width as usize;
        match values.iter().position(|value| !(0.0..=1.0).contains(value)) {
            Some(at) => Err(Error::Value {
                value: values[at],
                row: at / width,
                column: at % width,
            }),
            None => Ok(Picture::of_values(size, values)),
        }
    }

    /// Values that are known to fit.
    fn of_values(size: Extent, values: Vec<f32>) -> Picture {
        debug_assert_eq!(values.len(), size.pixels());
        Picture {
            mode: Mode::Real,
            size,
            pixels: Vec::new(),
            palette: Vec::new(),
            values,
        }
    }

    /// A [`Mode::Palette`] picture: `indices` `[height, width]` into `colours`. An index beyond
    /// the colours is black, as in Pillow.
    ///
    /// # Errors
    /// As [`Picture::new`].
    pub fn with_palette(size: Extent, indices: Vec<u8>, colours: Vec<[u8; 3]>) -> Result<Picture> {
        let picture = Picture::new(Mode::Palette, size, indices)?;
        Ok(Picture {
            palette: colours,
            ..picture
        })
    }

    /// How the pixels are stored.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> Extent {
        self.size
    }

    /// Pixels per row.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.size.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.size.height
    }

    /// The bytes, `[height, width, channels]`; none of a [`Mode::Real`] picture.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The colours of a [`Mode::Palette`] picture; empty for others.
    #[must_use]
    pub fn palette(&self) -> &[[u8; 3]] {
        &self.palette
    }

    /// The values of a [`Mode::Real`] picture, `[height, width]` in [0, 1]; empty for others.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Red, green and blue, as Pillow's `convert("RGB")`: grey is repeated, a palette looked up,
    /// alpha dropped without blending. Real values are rounded to 8 bits, for a person to look at.
    #[must_use]
    pub fn to_rgb(&self) -> RgbImage {
        let pixels = match self.mode {
            Mode::Rgb => self.pixels.clone(),
            Mode::Grey => self.pixels.iter().flat_map(|&v| [v; 3]).collect(),
            Mode::GreyAlpha => self
                .pixels
                .chunks_exact(2)
                .flat_map(|p| [p[0]; 3])
                .collect(),
            Mode::Rgba => self
                .pixels
                .chunks_exact(4)
                .flat_map(|p| [p[0], p[1], p[2]])
                .collect(),
            Mode::Palette => self
                .pixels
                .iter()
                .flat_map(|&index| self.colour(index))
                .collect(),
            Mode::Real => self
                .values
                .iter()
                .flat_map(|value| [(value * 255.0).round() as u8; 3])
                .collect(),
        };
        RgbImage {
            width: self.size.width,
            height: self.size.height,
            pixels,
        }
    }

    /// As [`Picture::to_rgb`], without a copy of what is RGB already.
    #[must_use]
    pub fn into_rgb(self) -> RgbImage {
        match self.mode {
            Mode::Rgb => RgbImage {
                width: self.size.width,
                height: self.size.height,
                pixels: self.pixels,
            },
            _ => self.to_rgb(),
        }
    }

    /// [`Picture::to_rgb`] as a picture of mode [`Mode::Rgb`]. Real values stay one channel, which stands for three
    /// equal ones: no step treats them differently.
    #[must_use]
    pub fn converted_to_rgb(&self) -> Picture {
        match self.mode.depth() {
            Depth::Real => self.clone(),
            Depth::Bytes => Picture {
                mode: Mode::Rgb,
                size: self.size,
                pixels: self.to_rgb().pixels,
                palette: Vec::new(),
                values: Vec::new(),
            },
        }
    }

    /// The same mode and palette with other pixels. The caller keeps size and length in step.
    pub(crate) fn replace(&self, size: Extent, pixels: Vec<u8>) -> Picture {
        debug_assert_eq!(pixels.len(), size.pixels() * self.mode.channels());
        Picture {
            mode: self.mode,
            size,
            pixels,
            palette: self.palette.clone(),
            values: Vec::new(),
        }
    }

    /// Other values in [0, 1] of a [`Mode::Real`] picture. The caller keeps size and length in step.
    pub(crate) fn replace_values(&self, size: Extent, values: Vec<f32>) -> Picture {
        debug_assert_eq!(self.mode, Mode::Real);
        Picture::of_values(size, values)
    }

    fn colour(&self, index: u8) -> [u8; 3] {
        self.palette
            .get(usize::from(index))
            .copied()
            .unwrap_or([0; 3])
    }
}

/// An 8-bit RGB image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RgbImage {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `[height, width, 3]`, red, green, blue, 0–255.
    pub pixels: Vec<u8>,
}

impl RgbImage {
    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> Extent {
        Extent {
            width: self.width,
            height: self.height,
        }
    }

    /// Checks that the bytes fit the size.
    ///
    /// # Errors
    /// [`Error::Count`] if they do not, [`Error::Size`] if there are no pixels or too many.
    pub fn check(&self) -> Result<()> {
        let (expected, found) = (3 * self.size().check()?, self.pixels.len());
        if expected != found {
            return Err(Error::Count { expected, found });
        }
        Ok(())
    }
}
