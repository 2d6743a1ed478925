//! Drawing: letters and images on white paper.

use font8x8::{BASIC_FONTS, LATIN_FONTS, UnicodeFonts};

use crate::{Extent, RgbImage};

const PAPER: u8 = 255;
const INK: u8 = 40;

/// A picture that is being drawn on. What would stand beyond its edges is left out.
///
/// ```
/// use rut_images::{Extent, Sheet};
/// let mut sheet = Sheet::blank(Extent { width: 24, height: 8 });
/// sheet.write("ant", (0, 0), 3);
/// let image = sheet.into_image();
/// assert_eq!((image.pixels.len(), image.pixels.iter().filter(|&&value| value == 40).count()), (576, 174));
/// ```
#[derive(Clone, Debug)]
pub struct Sheet(RgbImage);

impl Sheet {
    /// Width and height of a letter, pixels.
    pub const LETTER: usize = 8;

    /// White paper.
    #[must_use]
    pub fn blank(size: Extent) -> Sheet {
        Sheet(RgbImage {
            width: size.width,
            height: size.height,
            pixels: vec![PAPER; 3 * size.pixels()],
        })
    }

    /// The picture.
    #[must_use]
    pub fn into_image(self) -> RgbImage {
        self.0
    }

    /// The row of pixels from (x, y) on.
    fn row(&mut self, (x, y): (usize, usize)) -> &mut [u8] {
        let width = self.0.width as usize;
        let row = self.0.pixels.chunks_exact_mut(3 * width.max(1)).nth(y);
        row.and_then(|row| row.get_mut(3 * x..)).unwrap_or_default()
    }

    /// Writes at most `letters` letters from (left, top) on; a longer text ends in a dot.
    pub fn write(&mut self, text: &str, (left, top): (usize, usize), letters: usize) {
        let cut = text.chars().count() > letters;
        let kept = text.chars().take(if cut {
            letters.saturating_sub(1)
        } else {
            letters
        });
        for (at, letter) in kept.chain(cut.then_some('.')).enumerate() {
            let shape = BASIC_FONTS.get(letter).or_else(|| LATIN_FONTS.get(letter));
            let shape = shape.or_else(|| BASIC_FONTS.get('?')).unwrap_or_default();
            for (y, bits) in shape.into_iter().enumerate() {
                let row = self.row((left + at * Self::LETTER, top + y));
                for (x, pixel) in row.chunks_exact_mut(3).take(Self::LETTER).enumerate() {
                    if bits >> x & 1 == 1 {
                        pixel.fill(INK);
                    }
                }
            }
        }
    }

    /// Puts an image into the middle of a square of `side` pixels that begins at (left, top).
    pub fn place(&mut self, image: &RgbImage, (left, top): (usize, usize), side: usize) {
        let before = |length: u32| side.saturating_sub(length as usize) / 2;
        self.paste(
            image,
            (left + before(image.width), top + before(image.height)),
        );
    }

    /// Puts an image with its corner at (left, top).
    pub fn paste(&mut self, image: &RgbImage, (left, top): (usize, usize)) {
        let lines = image.pixels.chunks_exact(3 * (image.width as usize).max(1));
        for (line, pixels) in lines.enumerate() {
            let row = self.row((left, top + line));
            for (to, from) in row.iter_mut().zip(pixels) {
                *to = *from;
            }
        }
    }
}
