//! Operations that look up each value of a channel in a table, as Pillow's `ImageOps` make it.

use crate::RgbImage;

/// What becomes of each value of a channel.
type Table = [u8; 256];
/// How many values of a channel are 0, 1, … 255.
type Histogram = [u64; 256];

/// Each channel stretched linearly, so that its smallest value becomes 0 and its largest 255; cut off, not rounded.
pub(super) fn autocontrast(image: RgbImage) -> RgbImage {
    let tables = histograms(&image).map(|histogram| stretched(&histogram));
    look_up(image, &tables)
}

/// Each channel mapped by its cumulated histogram, in whole numbers.
pub(super) fn equalize(image: RgbImage) -> RgbImage {
    let tables = histograms(&image).map(|histogram| flattened(&histogram));
    look_up(image, &tables)
}

/// Values from `threshold` on are inverted.
pub(super) fn solarize(image: RgbImage, threshold: f64) -> RgbImage {
    let inverted = table(|value| {
        if f64::from(value) < threshold {
            value
        } else {
            255 - value
        }
    });
    look_up(image, &[inverted; 3])
}

/// The highest `bits` of each value are kept, all from 8 on.
pub(super) fn posterize(image: RgbImage, bits: u32) -> RgbImage {
    let mask = (0xff00_u32 >> bits.min(8)) as u8;
    look_up(image, &[table(|value| value & mask); 3])
}

fn stretched(histogram: &Histogram) -> Table {
    let used = |&value: &u8| histogram[usize::from(value)] > 0;
    let (low, high) = ((0..=255).find(used), (0..=255).rfind(used));
    match (low, high) {
        (Some(low), Some(high)) if low < high => {
            let scale = 255.0 / f64::from(high - low);
            let offset = -f64::from(low) * scale;
            table(|value| (f64::from(value) * scale + offset) as u8)
        }
        _ => table(|value| value),
    }
}

fn flattened(histogram: &Histogram) -> Table {
    let last = histogram.iter().rfind(|&&count| count > 0).copied();
    // Zero of a channel that has one value alone, too.
    let step = (histogram.iter().sum::<u64>() - last.unwrap_or(0)) / 255;
    if step == 0 {
        return table(|value| value);
    }
    let mut sum = step / 2;
    table(|value| {
        let level = sum / step;
        sum += histogram[usize::from(value)];
        level.min(255) as u8
    })
}

/// The table of a function, called in the order of the values.
fn table(mut of: impl FnMut(u8) -> u8) -> Table {
    let mut table = [0; 256];
    for (place, value) in table.iter_mut().zip(0..=255) {
        *place = of(value);
    }
    table
}

fn histograms(image: &RgbImage) -> [Histogram; 3] {
    let mut histograms = [[0; 256]; 3];
    for pixel in image.pixels.chunks_exact(3) {
        for (histogram, &value) in histograms.iter_mut().zip(pixel) {
            histogram[usize::from(value)] += 1;
        }
    }
    histograms
}

/// Each value replaced by what the table of its channel says.
fn look_up(mut image: RgbImage, tables: &[Table; 3]) -> RgbImage {
    for pixel in image.pixels.chunks_exact_mut(3) {
        for (value, table) in pixel.iter_mut().zip(tables) {
            *value = table[usize::from(*value)];
        }
    }
    image
}
