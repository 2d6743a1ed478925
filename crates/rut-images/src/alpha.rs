//! Premultiplication by alpha with Pillow's rounding: what Pillow does around every resize of an
//! image with an alpha channel, so that transparent pixels do not bleed into their neighbours.

/// Colours times alpha / 255, rounded; `channels` per pixel, the last of which is alpha.
pub(crate) fn premultiply(pixels: &mut [u8], channels: usize) {
    for pixel in pixels.chunks_exact_mut(channels) {
        if let Some((alpha, colours)) = pixel.split_last_mut() {
            for colour in colours {
                *colour = times(*colour, *alpha);
            }
        }
    }
}

/// The inverse of [`premultiply`], rounded down and capped at 255; where alpha is zero nothing
/// is known and nothing changes.
pub(crate) fn unpremultiply(pixels: &mut [u8], channels: usize) {
    for pixel in pixels.chunks_exact_mut(channels) {
        if let Some((&mut alpha @ 1..=254, colours)) = pixel.split_last_mut() {
            for colour in colours {
                *colour = (255 * u32::from(*colour) / u32::from(alpha)).min(255) as u8;
            }
        }
    }
}

/// `a · b / 255`, rounded to nearest, without a division.
fn times(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    (((product >> 8) + product) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_rounds_to_nearest() {
        for a in 0..=255u8 {
            for b in 0..=255u8 {
                let exact = (f64::from(a) * f64::from(b) / 255.0).round();
                assert_eq!(f64::from(times(a, b)), exact, "{a} * {b}");
            }
        }
    }

    #[test]
    fn opaque_and_transparent_pixels_survive() {
        let mut pixels = vec![10, 20, 30, 255, 9, 9, 9, 0];
        unpremultiply(&mut pixels, 4);
        assert_eq!(pixels, [10, 20, 30, 255, 9, 9, 9, 0]);
        premultiply(&mut pixels, 4);
        assert_eq!(pixels, [10, 20, 30, 255, 0, 0, 0, 0]);
    }
}
