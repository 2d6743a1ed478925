//! Label maps and reliability diagrams as pixels. A tag is their title; `frame` names their axes.

use rut_images::RgbImage;
use rut_metrics::{Diagram, Summary};

use super::frame::{Axes, framed};

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

/// Side of a reliability diagram without its axes, pixels.
const DIAGRAM: usize = 300;

/// The accuracy of a bin, the line from there to its mean confidence, and lines of the frame.
const BAR: Colour = [98, 147, 190];
const GAP: Colour = [214, 84, 60];
const LINE: Colour = [120, 130, 140];

/// The reliability diagram of `summary`: accuracy by confidence, with the diagonal of perfect calibration.
pub(super) fn reliability(summary: &Summary) -> RgbImage {
    let mut pixels = vec![255; 3 * DIAGRAM * DIAGRAM];
    let last = (DIAGRAM - 1) as f64;
    let at = |share: f64| (share.clamp(0.0, 1.0) * last).round() as usize;
    let mut fill = |[(lo, floor), (hi, top)]: [(f64, f64); 2], colour: Colour, thick: usize| {
        let (floor, top) = (floor.min(top), floor.max(top));
        for y in at(floor)..=at(top) {
            let row = (DIAGRAM - 1 - y) * DIAGRAM;
            let (from, to) = (
                at(lo).saturating_sub(thick),
                (at(hi) + thick).min(DIAGRAM - 1),
            );
            for pixel in pixels[3 * (row + from)..3 * (row + to + 1)].chunks_exact_mut(3) {
                pixel.copy_from_slice(&colour);
            }
        }
    };
    let diagram = Diagram::of(&summary.bins);
    for bar in &diagram.bars {
        let [(lo, floor), (hi, top)] = bar.corners();
        // A pixel of paper between neighbours.
        fill([(lo + 1.0 / last, floor), (hi - 1.0 / last, top)], BAR, 0);
    }
    for step in 0..DIAGRAM {
        let share = step as f64 / last;
        fill([(share, share), (share, share)], LINE, 0);
    }
    for bar in &diagram.bars {
        fill(bar.gap(), GAP, 1);
    }
    for edge in [0.0, 1.0] {
        fill([(0.0, edge), (1.0, edge)], LINE, 0);
        fill([(edge, 0.0), (edge, 1.0)], LINE, 0);
    }
    let side = DIAGRAM as u32;
    let picture = RgbImage {
        width: side,
        height: side,
        pixels,
    };
    let axes = Axes {
        horizontal: "confidence",
        vertical: "accuracy",
        ends: Some(["0", "1"]),
    };
    framed(&picture, axes)
}

/// A label map with the names of its axes: a row for each target class, a column for each of `source_classes`, a dark cell where the target has its
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
    let cells = RgbImage {
        width: (columns * wide) as u32,
        height: (sources.len() * tall) as u32,
        pixels,
    };
    let axes = Axes {
        horizontal: "source class",
        vertical: "target class",
        ends: None,
    };
    framed(&cells, axes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(image: &RgbImage, x: usize, y: usize) -> Colour {
        let start = 3 * (y * image.width as usize + x);
        image.pixels[start..start + 3].try_into().unwrap()
    }

    /// Where the cells begin: right of the margin, below the name of the axis.
    const CORNER: (usize, usize) = (6, 20);

    /// Whether something dark is written between two rows.
    fn is_written(image: &RgbImage, rows: std::ops::Range<usize>) -> bool {
        rows.into_iter()
            .any(|y| (0..image.width as usize).any(|x| at(image, x, y) == [40; 3]))
    }

    #[test]
    fn a_label_map_has_a_cell_for_each_pair_and_named_axes() {
        let image = label_map(&[2, 0], 100, &[1]);
        assert_eq!((image.width, image.height), (500 + 18, 32 + 40));
        let cell = |x, y| at(&image, CORNER.0 + x, CORNER.1 + y);
        assert_eq!(cell(10, 0), CHOSEN);
        assert_eq!(cell(14, 15), CHOSEN);
        assert_eq!(cell(15, 15), ROWS[0]);
        assert_eq!(cell(0, 16), WITHOUT_EVIDENCE);
        assert_eq!(cell(5, 16), ROWS[1]);
        assert!(is_written(&image, 6..14) && is_written(&image, 58..66));
        let wide = label_map(&[999], 1000, &[]);
        assert_eq!((wide.width, wide.height), (1018, 16 + 40));
        assert_eq!(at(&wide, CORNER.0 + 999, CORNER.1), CHOSEN);
        // Names of axes are whole beside a small map.
        assert!(label_map(&[0], 1, &[]).width as usize >= 12 * 8);
    }

    #[test]
    fn a_reliability_diagram_has_the_shapes_of_all_others_and_named_axes() {
        let logits = [3.0, 0.0, 0.0, 3.0, 3.0, 0.0, 0.2, 0.0];
        let logits = rut_metrics::Logits::new(&logits, 2).unwrap();
        let summary = rut_metrics::Summary::of(logits, &[0, 1, 1, 0]).unwrap();
        let bars = Diagram::of(&summary.bins).bars;
        let image = reliability(&summary);
        assert_eq!((image.width, image.height), (300 + 6 + 14 + 12, 300 + 40));
        let (left, top) = (20, 20);
        let share = |x: f64, y: f64| {
            let place = |share: f64| (299.0 * share).round() as usize;
            at(&image, left + place(x), top + 299 - place(y))
        };
        assert_eq!(bars.len(), 2);
        for bar in bars {
            let [_, (_, diagonal)] = bar.gap();
            assert_eq!(
                share(bar.confidence, f64::midpoint(bar.accuracy, diagonal)),
                GAP
            );
            assert_eq!(share(bar.hi - 0.02, bar.accuracy - 0.05), BAR);
            assert_ne!(share(bar.hi - 0.02, bar.accuracy + 0.05), BAR);
        }
        assert!(is_written(&image, 6..14) && is_written(&image, 326..334));
    }
}
