//! A decoded image that remembers how its file stored it.

use crate::resize::Extent;
use crate::{Digest, Error, Result};

/// How the pixels of a [`Picture`] are stored; 8 bits per channel.
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
}

impl Mode {
    /// Bytes per pixel.
    #[must_use]
    pub fn channels(self) -> usize {
        match self {
            Mode::Grey | Mode::Palette => 1,
            Mode::GreyAlpha => 2,
            Mode::Rgb => 3,
            Mode::Rgba => 4,
        }
    }
}

/// A decoded image: 8-bit pixels `[height, width, channels]` in the file's own mode.
///
/// ```
/// use rut_data::{Extent, Mode, Picture};
/// let size = Extent { width: 2, height: 1 };
/// let picture = Picture::new(Mode::GreyAlpha, size, vec![7, 255, 9, 0])?;
/// assert_eq!(picture.to_rgb().pixels, [7, 7, 7, 9, 9, 9]); // alpha is dropped, not blended
/// # Ok::<(), rut_data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    mode: Mode,
    size: Extent,
    pixels: Vec<u8>,
    palette: Vec<[u8; 3]>,
}

impl Picture {
    /// A picture of `size` with pixels `[height, width, channels]`, channels as `mode` says.
    /// A [`Mode::Palette`] picture made here has an all-black palette;
    /// [`Picture::with_palette`] takes colours.
    ///
    /// # Errors
    /// [`Error::PixelCount`] if the number of bytes does not fit, [`Error::ImageSize`] if there
    /// are no pixels or too many.
    pub fn new(mode: Mode, size: Extent, pixels: Vec<u8>) -> Result<Picture> {
        let expected = size.check("picture")? * mode.channels();
        if pixels.len() != expected {
            let name = "pixels of a picture".to_owned();
            return Err(Error::PixelCount {
                name,
                expected,
                found: pixels.len(),
            });
        }
        Ok(Picture {
            mode,
            size,
            pixels,
            palette: Vec::new(),
        })
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

    /// The bytes, `[height, width, channels]`.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The colours of a [`Mode::Palette`] picture; empty for others.
    #[must_use]
    pub fn palette(&self) -> &[[u8; 3]] {
        &self.palette
    }

    /// Red, green and blue, as Pillow's `convert("RGB")`: grey is repeated, a palette looked up,
    /// alpha dropped without blending.
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
        };
        RgbImage {
            width: self.size.width,
            height: self.size.height,
            pixels,
        }
    }

    /// [`Picture::to_rgb`] as a picture of mode [`Mode::Rgb`].
    pub(crate) fn converted_to_rgb(&self) -> Picture {
        let pixels = self.to_rgb().pixels;
        Picture {
            mode: Mode::Rgb,
            size: self.size,
            pixels,
            palette: Vec::new(),
        }
    }

    /// Digest of mode, size, palette and pixels.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut bytes = format!(
            "rut picture 1 {:?} {} {}\0",
            self.mode,
            self.width(),
            self.height()
        )
        .into_bytes();
        bytes.extend(self.palette.as_flattened());
        bytes.extend(&self.pixels);
        Digest::of_bytes(&bytes)
    }

    /// The same mode and palette with other pixels. The caller keeps size and length in step.
    pub(crate) fn replace(&self, size: Extent, pixels: Vec<u8>) -> Picture {
        debug_assert_eq!(pixels.len(), size.pixels() * self.mode.channels());
        Picture {
            mode: self.mode,
            size,
            pixels,
            palette: self.palette.clone(),
        }
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
