//! A horizontal axis, laid across a figure whose rows stand below each other, and what rows have: a name, and intervals. For what
//! is on the rows, see `forest` and `dots`.

use crate::axis::Axis;
use crate::canvas::{Anchor, Canvas, Colour, GRID, INK, SOFT, TextStyle, WHITE};
use crate::wording::cut;

/// An axis from `left` to `right`, pixels.
#[derive(Clone, Copy)]
pub(crate) struct Across<'a> {
    /// What is laid across.
    pub(crate) axis: &'a Axis,
    /// Where it begins.
    pub(crate) left: f64,
    /// Where it ends.
    pub(crate) right: f64,
}

impl Across<'_> {
    /// Where `value` is.
    pub(crate) fn place(self, value: f64) -> f64 {
        self.left + (self.right - self.left) * self.axis.share(value)
    }

    /// Lines of the grid from `top` to `floor`, and below them what the ticks and the axis are called.
    pub(crate) fn frame(self, canvas: &Canvas, top: f64, floor: f64) {
        let mut free = f64::NEG_INFINITY;
        for (value, name) in &self.axis.ticks {
            let x = self.place(*value);
            canvas.line(&[(x, top - 4.0), (x, floor)], GRID, 1.0);
            // A label that would lie on its neighbour is left out; the line stays.
            let half = 3.2 * name.chars().count() as f64;
            if x - half > free {
                let style = TextStyle::new(11.0, SOFT, Anchor::Middle);
                canvas.text(name, (x, floor + 12.0), style);
                free = x + half + 3.0;
            }
        }
        let name = TextStyle::new(11.5, INK, Anchor::Middle);
        let middle = f64::midpoint(self.left, self.right);
        canvas.text(&self.axis.name, (middle, floor + 30.0), name);
    }

    /// An interval at the height `y`; where it goes on beyond the axis, an arrow says so in place of a cap.
    pub(crate) fn interval(self, canvas: &Canvas, (lo, hi): (f64, f64), y: f64, ink: Colour) {
        let ends = [(self.place(lo), y), (self.place(hi), y)];
        canvas.line(&ends, ink, 1.8);
        for (value, (x, _), out) in [(lo, ends[0], -1.0), (hi, ends[1], 1.0)] {
            if self.axis.holds(value) {
                canvas.line(&[(x, y - 3.0), (x, y + 3.0)], ink, 1.8);
            } else {
                let back = x - 6.0 * out;
                canvas.shape(&[(x, y), (back, y - 3.5), (back, y + 3.5)], ink);
            }
        }
    }
}

/// What a row is called, at the top of it in a figure `width` wide; on white, so that no line runs through the words.
pub(crate) fn row_name(canvas: &Canvas, name: &str, (left, top): (f64, f64), width: f64) {
    let name = cut(name, (width / 6.4) as usize);
    let wide = 5.6 * name.chars().count() as f64;
    let ground = [(left - 1.0, top + 1.0), (left + wide, top + 13.0)];
    canvas.block(ground, WHITE, 1.0);
    let style = TextStyle::new(10.5, SOFT, Anchor::Left);
    canvas.text(&name, (left, top + 7.0), style);
}
