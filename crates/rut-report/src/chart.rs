//! A chart of points and lines on two axes, with intervals: what curves, scatters and sparsity figures are drawn with. Which
//! figures go into one, see `against` and `curves`.

use crate::axis::Axis;
use crate::canvas::{
    Anchor, Canvas, Colour, FigureStyle, GRID, INK, Marker, SOFT, TextStyle, picture,
};
use crate::wording::cut;

/// Height of a chart as wide as the page's, without a legend, pixels.
const HEIGHT: f64 = 292.0;
/// Left, right and bottom of the frame's distance from the edge, pixels.
const LEFT: f64 = 46.0;
const RIGHT: f64 = 14.0;
const BOTTOM: f64 = 44.0;
/// The same of its top, with a title and without one.
const TOP: [f64; 2] = [52.0, 32.0];
/// Height of a line of the legend, pixels.
pub(crate) const LEGEND_LINE: f64 = 18.0;

/// What is drawn.
pub(crate) struct Chart {
    /// Above the frame.
    pub(crate) title: String,
    /// The horizontal axis.
    pub(crate) x: Axis,
    /// The vertical axis.
    pub(crate) y: Axis,
    /// What is drawn in the frame, from back to front.
    pub(crate) series: Vec<Series>,
    /// What colours and lines mean.
    pub(crate) legend: Vec<Entry>,
}

/// Points of one kind, and the line through them.
pub(crate) struct Series {
    /// The points, from left to right.
    pub(crate) points: Vec<Point>,
    /// Colour of all of them.
    pub(crate) colour: Colour,
    /// Shape of the points; `None` for a line alone.
    pub(crate) mark: Option<Marker>,
    /// What joins them.
    pub(crate) line: Line,
    /// ReportCounts at the frame's right edge, as high as the line ends.
    pub(crate) end: Option<String>,
    /// What the line says to who points at it.
    pub(crate) tooltip: String,
}

/// A point and its interval.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// Place on the horizontal axis.
    pub(crate) x: f64,
    /// Place on the vertical axis.
    pub(crate) y: f64,
    /// Ends of its interval on the vertical axis; the point's own place without one.
    pub(crate) ends: (f64, f64),
    /// Ends of its interval on the horizontal axis, if it has one.
    pub(crate) x_ends: Option<(f64, f64)>,
    /// What it says to who points at it: value, interval, numbers of seeds and images.
    pub(crate) tooltip: String,
}

/// What joins points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Nothing.
    None,
    /// A line.
    Solid,
    /// Dashes.
    Dashed,
}

/// A line of a legend.
#[derive(Clone)]
pub(crate) struct Entry {
    /// The words.
    pub(crate) label: String,
    /// Their colour.
    pub(crate) colour: Colour,
    /// Shape of the points; `None` for a line alone.
    pub(crate) mark: Option<Marker>,
    /// What joins them.
    pub(crate) line: Line,
}

/// Where the legend stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Legend {
    /// In the picture, which can stand alone.
    Inside,
    /// Beside it, once for several pictures.
    Beside,
}

/// Where the frame of a chart is, pixels.
#[derive(Clone, Copy)]
struct Frame {
    left: f64,
    top: f64,
    right: f64,
    floor: f64,
}

impl Frame {
    /// As high as its width asks for.
    fn of(look: FigureStyle) -> Self {
        let [titled, bare] = TOP;
        let top = if look.titled { titled } else { bare };
        let (left, right) = (LEFT, look.width - RIGHT);
        let page = FigureStyle::PAGE.width - LEFT - RIGHT;
        let high = (HEIGHT - titled - BOTTOM) * ((right - left) / page).min(1.4);
        Self {
            left,
            top,
            right,
            floor: top + high,
        }
    }
}

impl Chart {
    /// The chart as SVG.
    pub(crate) fn svg(&self, look: FigureStyle, legend: Legend) -> String {
        let rows = match legend {
            Legend::Inside => legend_rows(&self.legend, look.width),
            Legend::Beside => Vec::new(),
        };
        let frame = Frame::of(look);
        let below = frame.floor + BOTTOM;
        let size = (look.width, below + LEGEND_LINE * rows.len() as f64);
        picture(&self.title, size, |canvas| {
            look.title(canvas, &self.title);
            self.axes(canvas, frame);
            for series in &self.series {
                self.series(canvas, frame, series);
            }
            self.ends(canvas, frame);
            for (row, entries) in rows.iter().enumerate() {
                let y = below + LEGEND_LINE * (row as f64 + 0.3);
                for (x, entry) in entries {
                    key(canvas, (*x, y), entry);
                }
            }
        })
    }

    fn place(&self, frame: Frame, x: f64, y: f64) -> (f64, f64) {
        let (wide, high) = (frame.right - frame.left, frame.floor - frame.top);
        (
            frame.left + wide * self.x.share(x),
            frame.floor - high * self.y.share(y),
        )
    }

    fn axes(&self, canvas: &Canvas, frame: Frame) {
        let Frame {
            left,
            top,
            right,
            floor,
        } = frame;
        for (value, name) in &self.y.ticks {
            let (_, y) = self.place(frame, 0.0, *value);
            canvas.line(&[(left, y), (right, y)], GRID, 1.0);
            canvas.text(
                name,
                (left - 6.0, y),
                TextStyle::new(11.0, SOFT, Anchor::Right),
            );
        }
        let mut free = f64::NEG_INFINITY;
        for (value, name) in &self.x.ticks {
            let (x, _) = self.place(frame, *value, 0.0);
            canvas.line(&[(x, floor), (x, floor + 4.0)], SOFT, 1.0);
            // A label that would lie on its neighbour is left out; the tick stays.
            let half = 3.2 * name.chars().count() as f64;
            if x - half > free {
                canvas.text(
                    name,
                    (x, floor + 13.0),
                    TextStyle::new(11.0, SOFT, Anchor::Middle),
                );
                free = x + half + 3.0;
            }
        }
        canvas.line(&[(left, floor), (right, floor)], SOFT, 1.0);
        let middle = f64::midpoint(left, right);
        canvas.text(
            &self.x.name,
            (middle, floor + 31.0),
            TextStyle::new(11.5, INK, Anchor::Middle),
        );
        canvas.text(
            &self.y.name,
            (12.0, top - 15.0),
            TextStyle::new(11.5, INK, Anchor::Left),
        );
    }

    fn series(&self, canvas: &Canvas, frame: Frame, series: &Series) {
        let of = |point: &Point| self.place(frame, point.x, point.y);
        let places: Vec<(f64, f64)> = series.points.iter().map(of).collect();
        let line = |canvas: &Canvas| match series.line {
            Line::Solid => canvas.line(&places, series.colour, 1.6),
            Line::Dashed => canvas.dashes(&places, series.colour, 1.4),
            Line::None => {}
        };
        if series.line != Line::None {
            canvas.titled(&series.tooltip, line);
        }
        for (point, place) in series.points.iter().zip(&places) {
            if let Some(mark) = series.mark {
                canvas.titled(&point.tooltip, |canvas| {
                    self.interval(canvas, frame, point, series.colour);
                    canvas.point(*place, series.colour, mark);
                });
            }
        }
    }

    /// The intervals of `point`; where one goes on beyond the frame, an arrow says so in place of a cap.
    fn interval(&self, canvas: &Canvas, frame: Frame, point: &Point, colour: Colour) {
        if let Some((lo, hi)) = point.x_ends.filter(|(lo, hi)| lo < hi) {
            let place = |value| self.place(frame, value, point.y);
            let ends = [(lo, place(lo)), (hi, place(hi))];
            whisker(
                canvas,
                ends.map(|(value, at)| (self.x.holds(value), at)),
                (1.0, 0.0),
                colour,
            );
        }
        let (lo, hi) = point.ends;
        if lo < hi {
            let place = |value| self.place(frame, point.x, value);
            let ends = [(lo, place(lo)), (hi, place(hi))];
            whisker(
                canvas,
                ends.map(|(value, at)| (self.y.holds(value), at)),
                (0.0, -1.0),
                colour,
            );
        }
    }

    /// Writes what lines are called at the frame's right edge, as high as they end, moved apart where they would lie on one another.
    fn ends(&self, canvas: &Canvas, frame: Frame) {
        let end = |series: &Series| -> Option<(f64, String, Colour)> {
            let point = series.points.last()?;
            let (_, y) = self.place(frame, point.x, point.y);
            Some((y, series.end.clone()?, series.colour))
        };
        let mut ends: Vec<_> = self.series.iter().filter_map(end).collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut free = f64::NEG_INFINITY;
        for (y, text, colour) in ends {
            let y = y.max(free);
            free = y + 12.0;
            canvas.text(
                &text,
                (frame.right, y),
                TextStyle::new(10.5, colour, Anchor::Right),
            );
        }
    }
}

/// A line between two ends, which leads in a direction: to a cap where an end is in the frame, else to an arrow.
fn whisker(canvas: &Canvas, ends: [(bool, (f64, f64)); 2], (dx, dy): (f64, f64), colour: Colour) {
    let [(_, low), (_, high)] = ends;
    canvas.line(&[low, high], colour, 1.3);
    for ((inside, (x, y)), out) in ends.into_iter().zip([-1.0, 1.0]) {
        // Across the direction, and back along it.
        let beside = |far: f64, back: f64| {
            let back = back * out;
            (
                x + far * dy.abs() - back * dx,
                y + far * dx.abs() - back * dy,
            )
        };
        if inside {
            canvas.line(&[beside(-2.5, 0.0), beside(2.5, 0.0)], colour, 1.3);
        } else {
            canvas.shape(&[(x, y), beside(-3.0, 5.0), beside(3.0, 5.0)], colour);
        }
    }
}

/// A legend's entries in rows, each with its place.
pub(crate) fn legend_rows(entries: &[Entry], width: f64) -> Vec<Vec<(f64, &Entry)>> {
    let mut rows: Vec<Vec<(f64, &Entry)>> = Vec::new();
    let mut x = f64::INFINITY;
    for entry in entries {
        let wide = 36.0 + 6.3 * entry.label.chars().count().min(46) as f64;
        if x + wide > width {
            rows.push(Vec::new());
            x = 12.0;
        }
        if let Some(row) = rows.last_mut() {
            row.push((x, entry));
        }
        x += wide;
    }
    rows
}

/// An entry of a legend at its place.
pub(crate) fn key(canvas: &Canvas, (x, y): (f64, f64), entry: &Entry) {
    let ends = [(x, y), (x + 20.0, y)];
    match entry.line {
        Line::Solid => canvas.line(&ends, entry.colour, 1.6),
        Line::Dashed => canvas.dashes(&ends, entry.colour, 1.4),
        Line::None => {}
    }
    if let Some(mark) = entry.mark {
        canvas.point((x + 10.0, y), entry.colour, mark);
    }
    let label = cut(&entry.label, 46);
    canvas.text(
        &label,
        (x + 25.0, y),
        TextStyle::new(11.0, INK, Anchor::Left),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_long_interval_does_not_stretch_an_axis_and_ends_in_an_arrow() {
        let intervals = [
            (50.0, (48.0, 52.0)),
            (60.0, (58.0, 62.0)),
            (55.0, (-100.0, 210.0)),
        ];
        let axis = Axis::around_intervals("y", &intervals, (0.0, 100.0));
        assert!(
            axis.range.0 > 37.0 && axis.range.1 < 73.0,
            "{:?}",
            axis.range
        );
        let point = |x: f64, (y, ends): (f64, (f64, f64))| Point {
            x,
            y,
            ends,
            x_ends: None,
            tooltip: format!("point {x}"),
        };
        let points = intervals
            .iter()
            .enumerate()
            .map(|(x, own)| point(x as f64, *own));
        let chart = Chart {
            title: "t".into(),
            x: Axis::of_names("x", vec!["a".into(), "b".into(), "c".into()]),
            y: axis,
            series: vec![Series {
                points: points.collect(),
                colour: INK,
                mark: Some(Marker::Disc),
                line: Line::None,
                end: None,
                tooltip: String::new(),
            }],
            legend: Vec::new(),
        };
        let svg = chart.svg(FigureStyle::PAGE, Legend::Beside);
        assert_eq!(svg.matches("<polygon").count(), 2, "{svg}");
        assert_eq!(svg.matches("<title>point ").count(), 3, "{svg}");
        // No title of its own inside a paper's figure, which is as wide as it is tooltip to be.
        let look = FigureStyle {
            width: 312.0,
            titled: false,
        };
        let svg = chart.svg(look, Legend::Inside);
        assert!(
            svg.starts_with("<svg width=\"312\"") && !svg.contains("font-weight"),
            "{svg}"
        );
    }
}
