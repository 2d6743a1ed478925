//! Operations that take each pixel from another place: `Image.transform(size, AFFINE, matrix)`, nearest neighbour.

use crate::RgbImage;

/// Column = m₀ · x + m₁ · y + m₂, row = m₃ · x + m₄ · y + m₅: where the pixel at x, y is taken from. Places are those of
/// pixels' corners: the centre of the first one is at one half.
type Matrix = [f64; 6];

/// Degrees of a whole turn.
const TURN: f64 = 360.0;
/// 1 in fixed point.
const ONE: f64 = 65_536.0;
/// The fraction bits of [`ONE`].
const FRACTION_BITS: u32 = 16;

/// Counterclockwise about the centre.
pub(super) fn rotate(image: &RgbImage, degrees: f64) -> RgbImage {
    let angle = -degrees.rem_euclid(TURN).to_radians();
    let (sine, cosine) = (rounded(angle.sin()), rounded(angle.cos()));
    let (x, y) = (f64::from(image.width) / 2.0, f64::from(image.height) / 2.0);
    let column = cosine * -x + sine * -y + x;
    let row = -sine * -x + cosine * -y + y;
    moved(image, [cosine, sine, column, -sine, cosine, row])
}

pub(super) fn shear_x(image: &RgbImage, slope: f64) -> RgbImage {
    moved(image, [1.0, slope, 0.0, 0.0, 1.0, 0.0])
}

pub(super) fn shear_y(image: &RgbImage, slope: f64) -> RgbImage {
    moved(image, [1.0, 0.0, 0.0, slope, 1.0, 0.0])
}

/// To 15 decimals, as Pillow rounds sines and cosines: quarter turns are exact, and one libm is as good as another.
fn rounded(value: f64) -> f64 {
    format!("{value:.15}").parse().unwrap_or(value)
}

/// The image whose pixels are taken from where `matrix` says. In fixed point with 16 bits after the point, as Pillow
/// computes where no place is 32,768 pixels or more away.
fn moved(image: &RgbImage, matrix: Matrix) -> RgbImage {
    let [m0, m1, m2, m3, m4, m5] = matrix;
    let centred = [m2 + m0 * 0.5 + m1 * 0.5, m5 + m3 * 0.5 + m4 * 0.5];
    let [mut first_column, mut first_row] = centred.map(fixed);
    let [right_column, down_column, right_row, down_row] = [m0, m1, m3, m4].map(fixed);
    let (width, height) = (image.width as usize, image.height as usize);
    let mut pixels = vec![0; image.pixels.len()];
    for line in pixels.chunks_exact_mut(3 * width) {
        let (mut column, mut row) = (first_column, first_row);
        for pixel in line.chunks_exact_mut(3) {
            let place = (inside(column, width), inside(row, height));
            if let (Some(x), Some(y)) = place {
                pixel.copy_from_slice(&image.pixels[3 * (y * width + x)..][..3]);
            }
            column = column.wrapping_add(right_column);
            row = row.wrapping_add(right_row);
        }
        first_column = first_column.wrapping_add(down_column);
        first_row = first_row.wrapping_add(down_row);
    }
    RgbImage {
        width: image.width,
        height: image.height,
        pixels,
    }
}

/// In fixed point, rounded to nearest.
fn fixed(value: f64) -> i64 {
    (value * ONE + 0.5).floor() as i64
}

/// The pixel at a place in fixed point, if it is one of `length`.
fn inside(place: i64, length: usize) -> Option<usize> {
    let place = usize::try_from(place >> FRACTION_BITS).ok()?;
    (place < length).then_some(place)
}
