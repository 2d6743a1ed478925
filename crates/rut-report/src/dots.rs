//! Accuracy and ECE of methods, a row each, side by side on two axes. What is compared is decided by `side_by_side`.

use crate::across::{Across, row_name};
use crate::axis::Axis;
use crate::canvas::{Canvas, Colour, FigureStyle, Marker, picture};
use crate::chart::{Entry, LEGEND_LINE, Point, key, legend_rows};

/// Height of a row's name, and of each point below it, pixels.
const NAME: f64 = 15.0;
const DOT: f64 = 11.0;
/// Where rows begin, with a title and without one, pixels.
const TOP: [f64; 2] = [38.0, 16.0];
/// Distance of the axes from left, right and each other, pixels.
const SIDE: f64 = 16.0;
const GAP: f64 = 28.0;
/// Height of what stands below the rows, pixels.
const BOTTOM: f64 = 44.0;

/// Rows of points on two axes.
pub(crate) struct Dots {
    /// Above the rows.
    pub(crate) title: String,
    /// The left and the right axis.
    pub(crate) axes: [Axis; 2],
    /// The rows, from the top down.
    pub(crate) rows: Vec<DotRow>,
    /// What shapes mean; empty where all are of one.
    pub(crate) legend: Vec<Entry>,
}

/// A row.
pub(crate) struct DotRow {
    /// What it is called.
    pub(crate) name: String,
    /// Its points' colour.
    pub(crate) colour: Colour,
    /// Its points' shapes, and on each axis the point, whose `y` and `ends` lie along it.
    pub(crate) dots: Vec<(Marker, [Option<Point>; 2])>,
}

impl DotRow {
    fn height(&self) -> f64 {
        NAME + DOT * self.dots.len() as f64
    }

    fn draw(&self, canvas: &Canvas, axes: &[Across<'_>; 2], top: f64) {
        row_name(canvas, &self.name, (SIDE, top), axes[1].right + SIDE);
        for (at, (mark, points)) in self.dots.iter().enumerate() {
            let y = top + NAME + DOT * (at as f64 + 0.5);
            for (across, point) in axes.iter().zip(points) {
                let Some(point) = point else { continue };
                canvas.titled(&point.tooltip, |canvas| {
                    if point.ends.0 < point.ends.1 {
                        across.interval(canvas, point.ends, y, self.colour);
                    }
                    canvas.point((across.place(point.y), y), self.colour, *mark);
                });
            }
        }
    }
}

impl Dots {
    /// The figure as SVG.
    pub(crate) fn svg(&self, look: FigureStyle) -> String {
        let top = TOP[usize::from(!look.titled)];
        let floor = top + self.rows.iter().map(DotRow::height).sum::<f64>();
        let legend = legend_rows(&self.legend, look.width);
        let high = floor + BOTTOM + LEGEND_LINE * legend.len() as f64;
        let half = (look.width - 2.0 * SIDE - GAP) / 2.0;
        let across = |at: usize| {
            let left = SIDE + (half + GAP) * at as f64;
            Across {
                axis: &self.axes[at],
                left,
                right: left + half,
            }
        };
        picture(&self.title, (look.width, high), |canvas| {
            look.title(canvas, &self.title);
            let axes = [across(0), across(1)];
            axes.iter().for_each(|axis| axis.frame(canvas, top, floor));
            let mut y = top;
            for row in &self.rows {
                row.draw(canvas, &axes, y);
                y += row.height();
            }
            for (row, entries) in legend.iter().enumerate() {
                let y = floor + BOTTOM + LEGEND_LINE * (row as f64 + 0.3);
                entries
                    .iter()
                    .for_each(|(x, entry)| key(canvas, (*x, y), entry));
            }
        })
    }
}
