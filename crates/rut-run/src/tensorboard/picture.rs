//! Label maps and prompts as pixels. Nothing is written in them: a tag is their title.

use rut_images::RgbImage;

/// What a side of a label map's picture is brought to, where its cells may grow, pixels.
const SIDE: usize = 512;

/// The largest cell, pixels.
const CELL: usize = 16;

type Colour = [u8; 3];

/// A target's row, the even ones and the odd.
const ROWS: [Colour; 2] = [[255, 255, 255], [236, 239, 243]];

/// A chosen source.
const CHOSEN: Colour = [31, 78, 121];

/// A chosen source that no image was predicted as.
const WITHOUT_EVIDENCE: Colour = [214, 96, 23];

/// A label map: a row for each target class, a column for each of `source_classes`, a dark cell where the target has its
/// source, an orange one for targets without evidence. Cells have up to [`CELL`] pixels a side, at least one.
pub(super) fn label_map(
    sources: &[u32],
    source_classes: usize,
    without_evidence: &[u32],
) -> RgbImage {
    let (rows, columns) = (sources.len().max(1), source_classes.max(1));
    let cell = |count: usize| (SIDE / count).clamp(1, CELL);
    let (tall, wide) = (cell(rows), cell(columns));
    let mut pixels = Vec::with_capacity(3 * rows * tall * columns * wide);
    for (target, &source) in sources.iter().enumerate() {
        let evident = !without_evidence
            .iter()
            .any(|&class| class as usize == target);
        let chosen = if evident { CHOSEN } else { WITHOUT_EVIDENCE };
        let colour = |column| {
            if column == source as usize {
                chosen
            } else {
                ROWS[target % 2]
            }
        };
        let line: Vec<u8> = (0..columns)
            .flat_map(|column| std::iter::repeat_n(colour(column), wide))
            .flatten()
            .collect();
        pixels.extend(line.repeat(tall));
    }
    RgbImage {
        width: (columns * wide) as u32,
        height: (sources.len() * tall) as u32,
        pixels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(image: &RgbImage, x: usize, y: usize) -> Colour {
        let start = 3 * (y * image.width as usize + x);
        image.pixels[start..start + 3].try_into().unwrap()
    }

    #[test]
    fn a_label_map_has_a_cell_for_each_pair() {
        let image = label_map(&[2, 0], 100, &[1]);
        assert_eq!((image.width, image.height), (500, 32));
        assert_eq!(image.pixels.len(), 3 * 500 * 32);
        assert_eq!(at(&image, 10, 0), CHOSEN);
        assert_eq!(at(&image, 14, 15), CHOSEN);
        assert_eq!(at(&image, 15, 15), ROWS[0]);
        assert_eq!(at(&image, 0, 16), WITHOUT_EVIDENCE);
        assert_eq!(at(&image, 5, 16), ROWS[1]);
        let wide = label_map(&[999], 1000, &[]);
        assert_eq!((wide.width, wide.height), (1000, 16));
        assert_eq!(at(&wide, 999, 0), CHOSEN);
    }
}
