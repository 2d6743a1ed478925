//! A chart of points and lines on two axes, with intervals: what curves, scatters and sparsity figures are drawn with. Which
//! figures go into one is `against`', `scatter`'s and `curves`' business.

use plotters::style::RGBColor;

use crate::canvas::{Anchor, Canvas, GRID, INK, Mark, SOFT, Type, picture};
use crate::error::Result;
use crate::wording::cut;

/// Width of every chart on the page, pixels: a phone's.
pub(crate) const WIDTH: f64 = 360.0;
/// Height without a legend, pixels.
const HEIGHT: f64 = 292.0;
/// Left, top, right and bottom of the frame's distance from the edge, pixels.
const MARGIN: [f64; 4] = [46.0, 52.0, 14.0, 44.0];
/// Height of a line of the legend, pixels.
const LEGEND_LINE: f64 = 18.0;

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

/// An axis.
pub(crate) struct Axis {
    /// Its title, with its unit.
    pub(crate) name: String,
    /// Its ends.
    pub(crate) range: (f64, f64),
    /// Where a tick is, and what it is called.
    pub(crate) ticks: Vec<(f64, String)>,
}

/// Points of one kind, and the line through them.
pub(crate) struct Series {
    /// The points, from left to right.
    pub(crate) points: Vec<Point>,
    /// Colour of all of them.
    pub(crate) colour: RGBColor,
    /// Shape of the points; `None` for a line alone.
    pub(crate) mark: Option<Mark>,
    /// What joins them.
    pub(crate) line: Line,
    /// Written at the frame's right edge, as high as the line ends.
    pub(crate) end: Option<String>,
}

/// A point and its interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    /// Place on the horizontal axis.
    pub(crate) x: f64,
    /// Place on the vertical axis.
    pub(crate) y: f64,
    /// Ends of its interval on the vertical axis; the point's own place without one.
    pub(crate) ends: (f64, f64),
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
    pub(crate) colour: RGBColor,
    /// The same for a style sheet.
    pub(crate) css: &'static str,
    /// Shape of the points; `None` for a line alone.
    pub(crate) mark: Option<Mark>,
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

impl Axis {
    /// An axis of numbers around `values`, with round ticks; `scale` turns a place into what its tick says.
    pub(crate) fn around(
        name: &str,
        values: impl Iterator<Item = f64>,
        bounds: (f64, f64),
    ) -> Self {
        let (mut lo, mut hi) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| value.is_finite()) {
            (lo, hi) = (lo.min(value), hi.max(value));
        }
        if lo > hi {
            (lo, hi) = (0.0, 1.0);
        }
        let room = ((hi - lo) * 0.08).max(1e-3 * hi.abs()).max(1e-6);
        let (lo, hi) = ((lo - room).max(bounds.0), (hi + room).min(bounds.1));
        let step = round_step((hi - lo) / 6.0);
        let first = (lo / step).ceil() as i64;
        let last = (hi / step).floor() as i64;
        let decimals = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
        let tick = |at: i64| {
            let place = at as f64 * step;
            (place, format!("{place:.decimals$}").replace('-', "−"))
        };
        Self {
            name: name.into(),
            range: (lo, hi),
            ticks: (first..=last).map(tick).collect(),
        }
    }

    /// An axis of named places 0, 1, 2 …
    pub(crate) fn of_names(name: &str, names: Vec<String>) -> Self {
        let most = names.len().saturating_sub(1) as f64;
        Self {
            name: name.into(),
            range: (-0.4, most + 0.4),
            ticks: names
                .into_iter()
                .enumerate()
                .map(|(at, name)| (at as f64, name))
                .collect(),
        }
    }

    fn holds(&self, value: f64) -> bool {
        let (lo, hi) = self.range;
        (lo..=hi).contains(&value)
    }

    fn share(&self, value: f64) -> f64 {
        let (lo, hi) = self.range;
        ((value - lo) / (hi - lo)).clamp(0.0, 1.0)
    }
}

/// The round number (1, 2 or 5 times a power of ten) nearest above `step`.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let enough = factors
        .iter()
        .find(|factor| **factor * power >= step * 0.999);
    enough.unwrap_or(&10.0) * power
}

impl Chart {
    /// The chart as SVG.
    ///
    /// # Errors
    /// If the drawing fails.
    pub(crate) fn svg(&self, legend: Legend) -> Result<String> {
        let rows = match legend {
            Legend::Inside => legend_rows(&self.legend),
            Legend::Beside => Vec::new(),
        };
        let size = (WIDTH, HEIGHT + LEGEND_LINE * rows.len() as f64);
        picture(&self.title, size, |canvas| {
            canvas.text(
                &cut(&self.title, 54),
                (12.0, 15.0),
                words(12.5, INK, Anchor::Head),
            )?;
            self.axes(canvas)?;
            for series in &self.series {
                self.series(canvas, series)?;
            }
            self.ends(canvas)?;
            for (row, entries) in rows.iter().enumerate() {
                let y = HEIGHT + LEGEND_LINE * (row as f64 + 0.3);
                for (x, entry) in entries {
                    key(canvas, (*x, y), entry)?;
                }
            }
            Ok(())
        })
    }

    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let [left, top, right, bottom] = MARGIN;
        let (wide, high) = (WIDTH - left - right, HEIGHT - top - bottom);
        (
            left + wide * self.x.share(x),
            HEIGHT - bottom - high * self.y.share(y),
        )
    }

    fn axes(&self, canvas: &Canvas<'_>) -> Result<()> {
        let [left, top, right, bottom] = MARGIN;
        let floor = HEIGHT - bottom;
        for (value, name) in &self.y.ticks {
            let (_, y) = self.place(0.0, *value);
            canvas.line(&[(left, y), (WIDTH - right, y)], GRID, 1.0)?;
            canvas.text(name, (left - 6.0, y), words(11.0, SOFT, Anchor::Right))?;
        }
        let mut free = f64::NEG_INFINITY;
        for (value, name) in &self.x.ticks {
            let (x, _) = self.place(*value, 0.0);
            canvas.line(&[(x, floor), (x, floor + 4.0)], SOFT, 1.0)?;
            // A label that would lie on its neighbour is left out; the tick stays.
            let half = 3.2 * name.chars().count() as f64;
            if x - half > free {
                canvas.text(name, (x, floor + 13.0), words(11.0, SOFT, Anchor::Middle))?;
                free = x + half + 3.0;
            }
        }
        canvas.line(&[(left, floor), (WIDTH - right, floor)], SOFT, 1.0)?;
        let middle = f64::midpoint(left, WIDTH - right);
        canvas.text(
            &self.x.name,
            (middle, floor + 31.0),
            words(11.5, INK, Anchor::Middle),
        )?;
        canvas.text(
            &self.y.name,
            (12.0, top - 15.0),
            words(11.5, INK, Anchor::Left),
        )
    }

    fn series(&self, canvas: &Canvas<'_>, series: &Series) -> Result<()> {
        let places: Vec<(f64, f64)> = series.points.iter().map(|p| self.place(p.x, p.y)).collect();
        match series.line {
            Line::Solid => canvas.line(&places, series.colour, 1.6)?,
            Line::Dashed => canvas.dashes(&places, series.colour, 1.4)?,
            Line::None => {}
        }
        for (point, place) in series.points.iter().zip(places) {
            let (lo, hi) = point.ends;
            if lo < hi {
                let (x, low) = self.place(point.x, lo);
                let (_, high) = self.place(point.x, hi);
                canvas.line(&[(x, low), (x, high)], series.colour, 1.3)?;
                // An end beyond the frame has no cap: the interval goes on there.
                let inside = |(value, y): (f64, f64)| self.y.holds(value).then_some(y);
                for y in [(lo, low), (hi, high)].into_iter().filter_map(inside) {
                    canvas.line(&[(x - 2.5, y), (x + 2.5, y)], series.colour, 1.3)?;
                }
            }
            if let Some(mark) = series.mark {
                canvas.point(place, series.colour, mark)?;
            }
        }
        Ok(())
    }

    /// Writes what lines are called at the frame's right edge, as high as they end, moved apart where they would lie on one another.
    fn ends(&self, canvas: &Canvas<'_>) -> Result<()> {
        let [_, _, right, _] = MARGIN;
        let end = |series: &Series| -> Option<(f64, String, RGBColor)> {
            let point = series.points.last()?;
            let (_, y) = self.place(point.x, point.y);
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
                (WIDTH - right, y),
                words(10.5, colour, Anchor::Right),
            )?;
        }
        Ok(())
    }
}

/// How words are set.
pub(crate) fn words(size: f64, colour: RGBColor, anchor: Anchor) -> Type {
    Type {
        size,
        colour,
        anchor,
    }
}

/// A legend's entries in rows, each with its place.
fn legend_rows(entries: &[Entry]) -> Vec<Vec<(f64, &Entry)>> {
    let mut rows: Vec<Vec<(f64, &Entry)>> = Vec::new();
    let mut x = f64::INFINITY;
    for entry in entries {
        let wide = 36.0 + 6.3 * entry.label.chars().count().min(46) as f64;
        if x + wide > WIDTH {
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

fn key(canvas: &Canvas<'_>, (x, y): (f64, f64), entry: &Entry) -> Result<()> {
    let ends = [(x, y), (x + 20.0, y)];
    match entry.line {
        Line::Solid => canvas.line(&ends, entry.colour, 1.6)?,
        Line::Dashed => canvas.dashes(&ends, entry.colour, 1.4)?,
        Line::None => {}
    }
    if let Some(mark) = entry.mark {
        canvas.point((x + 10.0, y), entry.colour, mark)?;
    }
    let label = cut(&entry.label, 46);
    canvas.text(&label, (x + 25.0, y), words(11.0, INK, Anchor::Left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::around("x", [61.2, 78.9].into_iter(), (0.0, 100.0));
        let names: Vec<&str> = axis.ticks.iter().map(|(_, name)| &**name).collect();
        assert_eq!(names, ["60", "65", "70", "75", "80"]);
        let axis = Axis::around("x", [0.0, 0.04].into_iter(), (0.0, 1.0));
        assert_eq!(axis.range.0, 0.0);
        assert_eq!(axis.ticks[1].1, "0.01");
        let axis = Axis::around("x", [6.0, 98.0].into_iter(), (0.0, 100.0));
        assert_eq!(axis.ticks.len(), 6);
    }

    #[test]
    fn an_axis_of_one_value_or_none_can_be_drawn() {
        for values in [vec![], vec![3.0], vec![0.0], vec![f64::NAN]] {
            let axis = Axis::around("x", values.into_iter(), (f64::NEG_INFINITY, f64::INFINITY));
            assert!(axis.range.1 > axis.range.0 && axis.ticks.len() < 20);
        }
    }
}
