//! How large images are, and how large they may be.

use crate::{Error, Mode, Result};

/// The largest number of pixels of an image: where Pillow refuses it as a decompression bomb.
/// Checked before memory is taken.
pub const MAX_PIXELS: u64 = 178_956_970;
/// The most bytes that an image takes while it is decoded, all that the decoder keeps at a time included. Checked
/// before memory is taken.
pub const MAX_DECODED: u64 = 512 << 20;

/// Width and height of an image, in pixels.
///
/// ```
/// use rut_images::Extent;
/// assert_eq!(Extent::square(224).check()?, 50_176);
/// assert!(Extent::square(1 << 15).check().is_err());
/// # Ok::<(), rut_images::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Extent {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Extent {
    /// A square.
    #[must_use]
    pub fn square(side: u32) -> Extent {
        Extent {
            width: side,
            height: side,
        }
    }

    /// Number of pixels.
    #[must_use]
    pub fn pixels(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Number of pixels, if there are any and no more than [`MAX_PIXELS`].
    ///
    /// # Errors
    /// [`Error::Size`].
    pub fn check(self) -> Result<usize> {
        let (width, height) = (u64::from(self.width), u64::from(self.height));
        match width * height {
            1..=MAX_PIXELS => Ok(self.pixels()),
            _ => Err(Error::Size {
                width,
                height,
                cap: MAX_PIXELS,
            }),
        }
    }

    /// The size that makes the shorter side `side` long and keeps the aspect, as torchvision's `Resize(side)`: the longer
    /// one becomes ⌊side · longer / shorter⌋.
    ///
    /// # Errors
    /// [`Error::Size`] if that is no number of pixels.
    pub fn with_shorter_side(self, side: u32) -> Result<Extent> {
        let (short, long) = (self.width.min(self.height), self.width.max(self.height));
        let new_long = u64::from(side) * u64::from(long) / u64::from(short.max(1));
        let Ok(long) = u32::try_from(new_long) else {
            return Err(Error::Size {
                width: new_long,
                height: side.into(),
                cap: MAX_PIXELS,
            });
        };
        let [width, height] = if self.width <= self.height {
            [side, long]
        } else {
            [long, side]
        };
        Ok(Extent { width, height })
    }

    /// Refuses an image of this size and `mode` that has no pixels or too many, or takes too much memory: while it is
    /// decoded, when it takes so many `bytes` in all, or when it is converted.
    pub(crate) fn check_decoding(self, mode: Mode, bytes: u64) -> Result<()> {
        let pixels = self.check()? as u64;
        self.check_bytes(bytes.max(pixels * mode.bytes_with_next()))
    }

    /// Refuses an image of this size that takes so many `bytes` while it is decoded, if that is too much.
    pub(crate) fn check_bytes(self, bytes: u64) -> Result<()> {
        let Extent { width, height } = self;
        match bytes {
            0..=MAX_DECODED => Ok(()),
            _ => Err(Error::DecodedSize {
                width,
                height,
                bytes,
                cap: MAX_DECODED,
            }),
        }
    }
}
