//! Differences and their intervals, one below the other, around a line at 0. The differences are `pair`'s.

use plotters::style::WHITE;

use crate::against::factor;
use crate::canvas::{Anchor, Canvas, GRID, INK, SOFT, colour, mark, picture};
use crate::chart::{Axis, WIDTH, words};
use crate::error::Result;
use crate::metric::{COMPARED, Unit};
use crate::pair::Pair;
use crate::study::Study;
use crate::wording::cut;

/// Height of a row, pixels: a line of words above the interval.
const ROW: f64 = 31.0;
/// Where rows begin, pixels.
const TOP: f64 = 38.0;
/// Distance of the axis from left and right, pixels.
const SIDE: f64 = 16.0;

/// The differences of `pairs` in the metric at `at` of [`COMPARED`]; `None` where none has one.
///
/// # Errors
/// If the drawing fails.
pub(crate) fn svg(study: &Study, pairs: &[&Pair], at: usize) -> Result<Option<String>> {
    let Some(metric) = COMPARED.get(at) else {
        return Ok(None);
    };
    let scale = factor(metric.unit);
    let rows: Vec<Row> = pairs
        .iter()
        .filter_map(|pair| Row::of(study, pair, at, scale))
        .collect();
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let unit = match metric.unit {
        Unit::Percent => "points",
        Unit::Plain => "nats",
    };
    let name = format!("{}: dense minus ticket ({unit})", metric.name);
    let ends = rows
        .iter()
        .flat_map(|row| [row.ends.0, row.ends.1, row.mean]);
    let axis = Axis::around(&name, ends.chain([0.0]), (f64::NEG_INFINITY, f64::INFINITY));
    let title = first.setting.clone();
    let size = (WIDTH, TOP + ROW * rows.len() as f64 + 46.0);
    let drawn = picture(&format!("{title}: {name}"), size, |canvas| {
        canvas.text(
            &cut(&title, 54),
            (12.0, 15.0),
            words(12.5, INK, Anchor::Head),
        )?;
        frame(canvas, &axis, TOP + ROW * rows.len() as f64)?;
        for (index, row) in rows.iter().enumerate() {
            row.draw(canvas, &axis, TOP + ROW * index as f64)?;
        }
        Ok(())
    });
    drawn.map(Some)
}

struct Row {
    setting: String,
    words: String,
    mean: f64,
    ends: (f64, f64),
    network: usize,
}

impl Row {
    fn of(study: &Study, pair: &Pair, at: usize, scale: f64) -> Option<Self> {
        let difference = (*pair.differences.get(at)?)?;
        let network = |at: usize| study.networks.get(at).map(|n| n.label.as_str());
        let (lo, hi) = difference.estimate.ends();
        Some(Self {
            setting: study.settings.get(pair.setting)?.label(),
            words: format!(
                "{}: {} − {}",
                pair.labels.name(),
                network(pair.dense)?,
                network(pair.ticket)?
            ),
            mean: scale * difference.estimate.mean,
            ends: (scale * lo, scale * hi),
            network: pair.ticket,
        })
    }

    fn draw(&self, canvas: &Canvas<'_>, axis: &Axis, top: f64) -> Result<()> {
        let ink = colour(self.network);
        let y = top + 21.0;
        let told = cut(&self.words, 56);
        // The words stand on white, so that no line runs through them.
        let wide = 5.6 * told.chars().count() as f64;
        let ground = [(SIDE - 1.0, top + 1.0), (SIDE + wide, top + 13.0)];
        canvas.block(ground, WHITE, 1.0)?;
        canvas.text(&told, (SIDE, top + 7.0), words(10.5, SOFT, Anchor::Left))?;
        let (lo, hi) = self.ends;
        let ends = [(across(axis, lo), y), (across(axis, hi), y)];
        canvas.line(&ends, ink, 1.8)?;
        for (x, _) in ends {
            canvas.line(&[(x, y - 3.0), (x, y + 3.0)], ink, 1.8)?;
        }
        canvas.point((across(axis, self.mean), y), ink, mark(self.network))
    }
}

fn across(axis: &Axis, value: f64) -> f64 {
    let (lo, hi) = axis.range;
    SIDE + (WIDTH - 2.0 * SIDE) * (value - lo) / (hi - lo)
}

fn frame(canvas: &Canvas<'_>, axis: &Axis, floor: f64) -> Result<()> {
    for (value, name) in &axis.ticks {
        let x = across(axis, *value);
        canvas.line(&[(x, TOP - 4.0), (x, floor)], GRID, 1.0)?;
        canvas.text(name, (x, floor + 12.0), words(11.0, SOFT, Anchor::Middle))?;
    }
    let zero = across(axis, 0.0);
    canvas.line(&[(zero, TOP - 4.0), (zero, floor)], INK, 1.2)?;
    let middle = WIDTH / 2.0;
    canvas.text(
        &axis.name,
        (middle, floor + 30.0),
        words(11.5, INK, Anchor::Middle),
    )
}
