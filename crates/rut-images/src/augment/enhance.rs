//! Operations that move each value towards or away from a plainer image: v ← p + factor · (v − p), in f32, cut off to
//! 0–255 and to a whole number. Pillow's `ImageEnhance`, whose sum is that of Haeberli and Voorhies, "Image processing
//! by interpolation and extrapolation" (1994).

use crate::RgbImage;

/// `ImageFilter.SMOOTH`: a pixel's own weight is five times that of each of its neighbours.
const NEIGHBOUR: f32 = 1.0 / 13.0;
const CENTRE: f32 = 5.0 / 13.0;

/// Towards the grey image.
pub(super) fn color(mut image: RgbImage, factor: f64) -> RgbImage {
    let factor = factor as f32;
    for pixel in image.pixels.as_chunks_mut().0 {
        let grey = luma(*pixel);
        for value in pixel {
            *value = blended(grey, *value, factor);
        }
    }
    image
}

/// Towards the mean of the grey image, rounded.
pub(super) fn contrast(image: RgbImage, factor: f64) -> RgbImage {
    let pixels = image.pixels.as_chunks().0;
    let count = pixels.len().max(1) as f64;
    let sum: u64 = pixels.iter().map(|pixel| u64::from(luma(*pixel))).sum();
    towards((sum as f64 / count + 0.5) as u8, image, factor)
}

/// Towards black.
pub(super) fn brightness(image: RgbImage, factor: f64) -> RgbImage {
    towards(0, image, factor)
}

/// Towards the smoothed image.
pub(super) fn sharpness(mut image: RgbImage, factor: f64) -> RgbImage {
    let factor = factor as f32;
    let smoothed = smoothed(&image);
    for (value, plain) in image.pixels.iter_mut().zip(smoothed) {
        *value = blended(plain, *value, factor);
    }
    image
}

/// Towards one value.
fn towards(plain: u8, mut image: RgbImage, factor: f64) -> RgbImage {
    let factor = factor as f32;
    for value in &mut image.pixels {
        *value = blended(plain, *value, factor);
    }
    image
}

/// `Image.blend`.
fn blended(plain: u8, value: u8, factor: f32) -> u8 {
    (f32::from(plain) + factor * (f32::from(value) - f32::from(plain))) as u8
}

/// `Image.convert("L")`: ITU-R 601-2 luma, rounded, in parts of 2¹⁶.
fn luma(pixel: [u8; 3]) -> u8 {
    let [red, green, blue] = pixel.map(u32::from);
    ((19_595 * red + 38_470 * green + 7_471 * blue + (1 << 15)) >> 16) as u8
}

/// `Image.filter(ImageFilter.SMOOTH)`, summed in Pillow's order, from the row below; pixels at the edge stay.
fn smoothed(image: &RgbImage) -> Vec<u8> {
    let length = 3 * image.width as usize;
    let mut out = image.pixels.clone();
    if image.width < 3 || image.height < 3 {
        return out;
    }
    for y in 1..image.height as usize - 1 {
        let [above, row, below] = [y - 1, y, y + 1].map(|y| &image.pixels[y * length..][..length]);
        let inside = &mut out[y * length..][3..length - 3];
        for (at, value) in inside.iter_mut().enumerate() {
            let mut sum = 0.5;
            sum += weighted(&below[at..], NEIGHBOUR);
            sum += weighted(&row[at..], CENTRE);
            sum += weighted(&above[at..], NEIGHBOUR);
            *value = sum as u8;
        }
    }
    out
}

/// The sum of a value, the next of its channel, whose weight is `centre`, and the one behind that.
fn weighted(values: &[u8], centre: f32) -> f32 {
    f32::from(values[0]) * NEIGHBOUR
        + f32::from(values[3]) * centre
        + f32::from(values[6]) * NEIGHBOUR
}
