//! Differences and their intervals, one below the other, around a line at 0. For the differences, see `pair` and `comparison`.

use crate::across::{Across, row_name};
use crate::against::factor;
use crate::axis::Axis;
use crate::canvas::{Canvas, FigureStyle, INK, colour, mark, picture};
use crate::comparison::Average;
use crate::metric::{COMPARED, Metric, Unit};
use crate::pair::Pair;
use crate::study::Study;
use crate::wording::signed;
use rut_metrics::Estimate;

/// Height of a row, pixels: a line of words above the interval.
const ROW: f64 = 31.0;
/// Where rows begin, pixels.
const TOP: f64 = 38.0;
/// Distance of the axis from left and right, pixels.
const SIDE: f64 = 16.0;

/// The differences of one metric, in groups, on one axis.
pub(crate) struct Forest {
    axis: Axis,
    rows: Vec<Row>,
}

impl Forest {
    /// Of `pairs` in the metric at `at` of [`COMPARED`], a group for each setting.
    pub(crate) fn of(study: &Study, pairs: &[Pair], at: usize) -> Option<Self> {
        let row = |pair: &Pair| Row::of(study, pair, at);
        let rows = pairs.iter().filter_map(row).collect();
        Some(Self::new(COMPARED.get(at)?, "dense minus compressed", rows))
    }

    /// Differences in `metric`, of what `minus` says.
    pub(crate) fn new(metric: &Metric, minus: &str, rows: Vec<Row>) -> Self {
        let unit = match metric.unit {
            Unit::Percent => "points",
            Unit::Plain => "nats",
        };
        let name = format!("{}: {minus} ({unit})", metric.name);
        let ends = rows.iter().map(|row| (row.mean, row.ends));
        let ends: Vec<_> = ends.chain([(0.0, (0.0, 0.0))]).collect();
        let all = (f64::NEG_INFINITY, f64::INFINITY);
        Self {
            axis: Axis::around_intervals(&name, &ends, all),
            rows,
        }
    }

    /// The rows of a group; `None` where it has none.
    pub(crate) fn svg(&self, group: usize, title: &str, look: FigureStyle) -> Option<String> {
        let rows: Vec<&Row> = self.rows.iter().filter(|row| row.group == group).collect();
        if rows.is_empty() {
            return None;
        }
        let top = if look.titled { TOP } else { TOP - 22.0 };
        let floor = top + ROW * rows.len() as f64;
        let name = format!("{title}: {}", self.axis.name);
        Some(picture(&name, (look.width, floor + 46.0), |canvas| {
            look.title(canvas, title);
            let across = Across {
                axis: &self.axis,
                left: SIDE,
                right: look.width - SIDE,
            };
            across.frame(canvas, top, floor);
            let zero = across.place(0.0);
            canvas.line(&[(zero, top - 4.0), (zero, floor)], INK, 1.2);
            for (index, row) in rows.iter().enumerate() {
                let y = top + ROW * index as f64;
                canvas.titled(&row.tooltip, |canvas| row.draw(canvas, across, y));
            }
        }))
    }
}

/// A difference.
pub(crate) struct Row {
    group: usize,
    words: String,
    tooltip: String,
    mean: f64,
    ends: (f64, f64),
    network: usize,
}

impl Row {
    fn of(study: &Study, pair: &Pair, at: usize) -> Option<Self> {
        let (difference, metric) = ((*pair.paired.differences.get(at)?)?, COMPARED.get(at)?);
        let labels = pair.labels.name();
        let words = minus(study, pair.dense, pair.compressed)?;
        let over = format!("{} seeds, N = {}", pair.paired.seeds, pair.paired.images);
        Some(Self {
            group: pair.setting,
            network: pair.compressed,
            ..Self::new(
                format!("{labels}: {words}"),
                &difference.estimate,
                metric,
                &over,
            )
        })
    }

    /// An average in `metric`; its words say over how much, if `counted`.
    pub(crate) fn of_average(
        study: &Study,
        average: &Average,
        metric: &Metric,
        counted: bool,
    ) -> Option<Self> {
        let words = minus(study, average.compressed, average.dense)?;
        let over = average.over();
        let words = if counted {
            format!("{words} ({over})")
        } else {
            words
        };
        Some(Self {
            network: average.compressed,
            ..Self::new(words, &average.tested.difference, metric, &over)
        })
    }

    /// An estimate that `words` name, `over` so many; in the first group, of the first network.
    fn new(words: String, estimate: &Estimate, metric: &Metric, over: &str) -> Self {
        let scale = factor(metric.unit);
        let (lo, hi) = estimate.ends();
        let (mean, ends) = signed(estimate, metric.unit);
        let ends = ends.map_or_else(|| "no interval".into(), |ends| ends.join(" to "));
        Self {
            group: 0,
            tooltip: format!("{words}: {} {mean} ({ends}); {over}", metric.name),
            words,
            mean: scale * estimate.mean,
            ends: (scale * lo, scale * hi),
            network: 0,
        }
    }

    fn draw(&self, canvas: &Canvas, across: Across<'_>, top: f64) {
        let ink = colour(self.network);
        let y = top + 21.0;
        row_name(canvas, &self.words, (SIDE, top), across.right + SIDE);
        across.interval(canvas, self.ends, y, ink);
        canvas.point((across.place(self.mean), y), ink, mark(self.network));
    }
}

/// `first − second`, by the names of networks.
fn minus(study: &Study, first: usize, second: usize) -> Option<String> {
    let (first, second) = (study.networks.get(first)?, study.networks.get(second)?);
    Some(format!("{} − {}", first.label, second.label))
}
