//! A reliability diagram in the style of a report's figures: accuracy by confidence above, how many images below. It has the
//! shapes of `rut_metrics::Diagram`, as the one that a run leaves in its folder.

use rut_metrics::{Bar, Diagram, Summary};

use crate::canvas::{
    Anchor, Canvas, Colour, FigureStyle, GRID, INK, Marker, SOFT, TextStyle, picture,
};

/// The line from a bin's mean confidence to its accuracy.
const GAP: Colour = "#c81e1e";

/// Distance of both frames from the left and right edges, pixels.
const LEFT: f64 = 46.0;
const RIGHT: f64 = 14.0;
/// Height of the histogram, and what stands below and between the frames, pixels.
const LOW: f64 = 64.0;
const BETWEEN: f64 = 36.0;
const BOTTOM: f64 = 44.0;

/// Size of the figures' type, and distance of its lines, pixels.
const SMALL: f64 = 11.0;
const LINE: f64 = 15.0;

/// A frame: its edges, pixels.
#[derive(Clone, Copy)]
struct Frame {
    left: f64,
    right: f64,
    floor: f64,
    ceiling: f64,
}

impl Frame {
    /// Where a point at shares of the frame is: to the right and up.
    fn at(self, (x, y): (f64, f64)) -> (f64, f64) {
        (
            self.left + (self.right - self.left) * x,
            self.floor + (self.ceiling - self.floor) * y,
        )
    }

    /// The same of a bar's corners, narrower by a gap to its neighbours.
    fn bar(self, corners: [(f64, f64); 2]) -> [(f64, f64); 2] {
        let [(left, floor), (right, top)] = corners.map(|corner| self.at(corner));
        [(left + 0.7, floor), (right - 0.7, top)]
    }

    /// A line across it at the share `y`, with a name.
    fn rule(self, canvas: &Canvas, y: f64, name: &str) {
        let ends = [self.at((0.0, y)), self.at((1.0, y))];
        canvas.line(&ends, GRID, 1.0);
        let place = (self.left - 6.0, ends[0].1);
        canvas.text(name, place, TextStyle::new(11.0, SOFT, Anchor::Right));
    }
}

/// The diagram of `summary`, in `colour`.
pub(crate) fn svg(summary: &Summary, title: &str, colour: Colour, look: FigureStyle) -> String {
    let diagram = Diagram::of(&summary.bins);
    let lines = figures(summary, look);
    let first = if look.titled { 33.0 } else { 13.0 };
    let ceiling = first + 37.0 + LINE * (lines.len() - 1) as f64;
    let right = look.width - RIGHT;
    let upper = Frame {
        left: LEFT,
        right,
        floor: ceiling + 0.73 * (right - LEFT),
        ceiling,
    };
    let lower = Frame {
        floor: upper.floor + BETWEEN + LOW,
        ceiling: upper.floor + BETWEEN,
        ..upper
    };
    picture(title, (look.width, lower.floor + BOTTOM), |canvas| {
        look.title(canvas, title);
        for (at, line) in lines.iter().enumerate() {
            let place = (12.0, first + LINE * at as f64);
            canvas.text(line, place, TextStyle::new(SMALL, SOFT, Anchor::Left));
        }
        bars(canvas, upper, &diagram, colour);
        counts(canvas, lower, &diagram);
    })
}

/// The summary's figures in lines that a wide font, such as DejaVu Sans, has room for too.
fn figures(summary: &Summary, look: FigureStyle) -> Vec<String> {
    let most = ((look.width - 24.0) / (0.6 * SMALL)) as usize;
    let words = [
        format!("accuracy {:.1} %", 100.0 * summary.accuracy),
        format!("confidence {:.1} %", 100.0 * summary.mean_confidence),
        format!("ECE {:.1} %", 100.0 * summary.ece),
        format!("N = {}", summary.n),
    ];
    let mut lines = vec![String::new()];
    for word in words {
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = word,
            Some(line) if line.chars().count() + 2 + word.chars().count() <= most => {
                line.push_str(&format!(", {word}"));
            }
            _ => lines.push(word),
        }
    }
    lines
}

fn bars(canvas: &Canvas, frame: Frame, diagram: &Diagram, colour: Colour) {
    let name = TextStyle::new(11.5, INK, Anchor::Left);
    canvas.text("accuracy (%)", (12.0, frame.ceiling - 15.0), name);
    for tick in 0..=4 {
        frame.rule(canvas, f64::from(tick) / 4.0, &(25 * tick).to_string());
    }
    for bar in &diagram.bars {
        canvas.titled(&tooltip(bar), |canvas| {
            canvas.block(frame.bar(bar.corners()), colour, 0.55);
        });
    }
    canvas.dashes(&[frame.at((0.0, 0.0)), frame.at((1.0, 1.0))], SOFT, 1.0);
    for bar in &diagram.bars {
        canvas.titled(&tooltip(bar), |canvas| {
            let [accuracy, confidence] = bar.gap().map(|end| frame.at(end));
            canvas.line(&[confidence, accuracy], GAP, 1.6);
            canvas.point(accuracy, GAP, Marker::Disc);
        });
    }
}

fn tooltip(bar: &Bar) -> String {
    format!(
        "confidence {:.1} to {:.1} %: accuracy {:.1} %, mean confidence {:.1} %, {} images",
        100.0 * bar.lo,
        100.0 * bar.hi,
        100.0 * bar.accuracy,
        100.0 * bar.confidence,
        bar.count
    )
}

fn counts(canvas: &Canvas, frame: Frame, diagram: &Diagram) {
    let name = TextStyle::new(11.5, INK, Anchor::Left);
    canvas.text("images", (12.0, frame.ceiling - 14.0), name);
    frame.rule(canvas, 0.0, "0");
    frame.rule(canvas, 1.0, &diagram.most.to_string());
    for &(lo, hi, count) in diagram.counts.iter().filter(|(.., count)| *count > 0) {
        let share = count as f64 / diagram.most as f64;
        let words = format!(
            "confidence {:.1} to {:.1} %: {count} images",
            100.0 * lo,
            100.0 * hi
        );
        canvas.titled(&words, |canvas| {
            canvas.block(frame.bar([(lo, 0.0), (hi, share)]), SOFT, 0.55);
        });
    }
    canvas.line(&[frame.at((0.0, 0.0)), frame.at((1.0, 0.0))], SOFT, 1.0);
    for tick in 0..=4 {
        let (x, _) = frame.at((f64::from(tick) / 4.0, 0.0));
        let name = (25 * tick).to_string();
        canvas.text(
            &name,
            (x, frame.floor + 13.0),
            TextStyle::new(11.0, SOFT, Anchor::Middle),
        );
    }
    let place = (f64::midpoint(frame.left, frame.right), frame.floor + 31.0);
    canvas.text(
        "confidence (%)",
        place,
        TextStyle::new(11.5, INK, Anchor::Middle),
    );
}
