//! Accuracy and ECE against remaining weights, and against the number of labels. For how charts look, see `chart`.

use std::collections::{BTreeMap, BTreeSet};

use rut_record::Labels;

use crate::axis::Axis;
use crate::canvas::{GREY, colour, mark};
use crate::chart::{Chart, Entry, Line, Point, Series};
use crate::metric::{Metric, SHOWN, Unit};
use crate::network::Network;
use crate::study::{Condition, Study};
use crate::wording::{bare, figure, percent};

/// The factor from a metric to what its axis shows.
pub(crate) fn factor(unit: Unit) -> f64 {
    match unit {
        Unit::Percent => 100.0,
        Unit::Plain => 1.0,
    }
}

/// A metric's name with its unit, as an axis has it.
pub(crate) fn axis_name(metric: &Metric) -> String {
    match metric.unit {
        Unit::Percent => format!("{} (%)", metric.name),
        Unit::Plain => format!("{} (nats)", metric.name),
    }
}

/// Where an axis of shares ends.
fn bounds(unit: Unit) -> (f64, f64) {
    match unit {
        Unit::Percent => (0.0, 100.0),
        Unit::Plain => (0.0, f64::INFINITY),
    }
}

/// The vertical axis of `metric` over `points`.
pub(crate) fn vertical<'a>(metric: &Metric, points: impl Iterator<Item = &'a Point>) -> Axis {
    let intervals: Vec<_> = points.map(|point| (point.y, point.ends)).collect();
    Axis::around_intervals(&axis_name(metric), &intervals, bounds(metric.unit))
}

/// Gives charts that are compared one vertical axis: those of one data set whose figures have one scale, as the ECE and the
/// ECE at T have.
pub(crate) fn share_axes(study: &Study, charts: &mut [(usize, &'static Metric, Chart)]) {
    let key = |setting: usize, metric: &Metric| {
        let dataset = study.settings.get(setting).map(|own| own.dataset.clone());
        (
            dataset,
            metric.higher_is_better,
            metric.unit == Unit::Percent,
        )
    };
    let mut shared: BTreeMap<_, Vec<(f64, (f64, f64))>> = BTreeMap::new();
    for (setting, metric, chart) in charts.iter() {
        let points = chart.series.iter().flat_map(|series| &series.points);
        let found = shared.entry(key(*setting, metric)).or_default();
        found.extend(points.map(|point| (point.y, point.ends)));
    }
    for (setting, metric, chart) in charts {
        let found = shared.get(&key(*setting, metric)).map(Vec::as_slice);
        let name = axis_name(metric);
        chart.y = Axis::around_intervals(&name, found.unwrap_or_default(), bounds(metric.unit));
    }
}

/// The figure of `condition` at `x`, with its interval; `None` where it has none.
pub(crate) fn point(study: &Study, condition: Condition, x: f64, metric: &Metric) -> Option<Point> {
    let (estimate, spread) = study.estimate(condition, metric)?;
    let factor = factor(metric.unit);
    let (lo, hi) = estimate.ends();
    let (y, ends) = (factor * estimate.mean, (factor * lo, factor * hi));
    let network = study
        .networks
        .get(condition.network)
        .map_or("", |n| &n.label);
    let interval = match (estimate.interval, spread) {
        (Some((lo, hi)), Some(spread)) => format!(
            " ({} to {}, {})",
            bare(lo, metric.unit),
            bare(hi, metric.unit),
            spread.name()
        ),
        _ => String::new(),
    };
    let tooltip = format!(
        "{network}, {}: {} {}{interval}; {}",
        condition.labels.name(),
        metric.name,
        figure(estimate.mean, metric.unit),
        study.counts(&[condition])
    );
    Some(Point {
        x,
        y,
        ends,
        x_ends: None,
        tooltip,
    })
}

/// The legend of networks among `conditions`.
pub(crate) fn networks_legend(study: &Study, conditions: &[Condition], line: Line) -> Vec<Entry> {
    let present: BTreeSet<usize> = conditions
        .iter()
        .map(|condition| condition.network)
        .collect();
    let entry = |at: usize| {
        Some(Entry {
            label: study.networks.get(at)?.label.clone(),
            colour: colour(at),
            mark: Some(mark(at)),
            line,
        })
    };
    present.into_iter().filter_map(entry).collect()
}

/// Charts of one setting against the number of labels: a line per network. None where there is one number only.
pub(crate) fn labels(study: &Study, setting: usize) -> Vec<(&'static Metric, Chart)> {
    let conditions: Vec<Condition> = study.conditions_of(setting).collect();
    let budgets: BTreeSet<Labels> = conditions
        .iter()
        .map(|condition| condition.labels)
        .collect();
    let budgets: Vec<Labels> = budgets.into_iter().collect();
    if budgets.len() < 2 {
        return Vec::new();
    }
    let networks: BTreeSet<usize> = conditions
        .iter()
        .map(|condition| condition.network)
        .collect();
    let title = study.settings.get(setting).map(|s| s.label());
    let chart = |metric: &'static Metric| {
        let series: Vec<Series> = networks
            .iter()
            .map(|&network| {
                // Beside one another, so that intervals do not lie on one another.
                let shift = beside(network, networks.len());
                let points = budgets.iter().enumerate().filter_map(|(at, labels)| {
                    let condition = Condition {
                        setting,
                        labels: *labels,
                        network,
                    };
                    point(study, condition, at as f64 + shift, metric)
                });
                Series {
                    points: points.collect(),
                    colour: colour(network),
                    mark: Some(mark(network)),
                    line: Line::Solid,
                    end: None,
                    tooltip: network_label(study, network),
                }
            })
            .collect();
        let ticks = budgets.iter().map(|labels| labels.tick()).collect();
        let chart = Chart {
            title: title.clone().unwrap_or_default(),
            x: Axis::of_names("training images per class", ticks),
            y: vertical(metric, series.iter().flat_map(|s| &s.points)),
            legend: networks_legend(study, &conditions, Line::Solid),
            series,
        };
        (metric, chart)
    };
    SHOWN.into_iter().map(chart).filter(drawn).collect()
}

fn beside(network: usize, networks: usize) -> f64 {
    let middle = (networks.saturating_sub(1)) as f64 / 2.0;
    (network % networks.max(1)) as f64 * 0.06 - middle * 0.06
}

/// Whether a chart has a point at all.
fn drawn((_, chart): &(&'static Metric, Chart)) -> bool {
    chart.series.iter().any(|series| !series.points.is_empty())
}

/// Charts of one setting against remaining weights, or bits of weights: a line per number of labels, points in the networks'
/// colours. None where all networks keep as much.
pub(crate) fn weights(study: &Study, setting: usize) -> Vec<(&'static Metric, Chart)> {
    let conditions: Vec<Condition> = study.conditions_of(setting).collect();
    let density = |condition: &Condition| {
        study
            .networks
            .get(condition.network)
            .map(Network::share_of_bits)
    };
    let densities: Vec<f64> = conditions.iter().filter_map(density).collect();
    let Some(first) = densities.first() else {
        return Vec::new();
    };
    if densities.iter().all(|density| density == first) {
        return Vec::new();
    }
    let budgets: BTreeSet<Labels> = conditions
        .iter()
        .map(|condition| condition.labels)
        .collect();
    let title = study.settings.get(setting).map(|s| s.label());
    let quantized = |condition: &Condition| {
        let network = study.networks.get(condition.network);
        network.is_some_and(|network| network.quantization.is_some())
    };
    let name = if conditions.iter().any(quantized) {
        "remaining bits of weights (%)"
    } else {
        "remaining weights (%)"
    };
    let axis = remaining(name, &densities);
    let width = axis.range.0 - axis.range.1;
    let step = (0.022 * width).min(0.6 * nearest(&densities) / budgets.len() as f64);
    let middle = (budgets.len() - 1) as f64 / 2.0;
    let chart = |metric: &'static Metric| {
        let mut series = Vec::new();
        for (at, labels) in budgets.iter().enumerate() {
            // Beside one another, so that intervals do not lie on one another.
            let shift = step * (middle - at as f64);
            series.extend(lines(study, setting, *labels, metric, shift));
            let own = conditions
                .iter()
                .filter(|condition| condition.labels == *labels);
            series.extend(own.map(|condition| {
                let x = density(condition).map(f64::log10).unwrap_or_default() + shift;
                Series {
                    points: point(study, *condition, x, metric).into_iter().collect(),
                    colour: colour(condition.network),
                    mark: Some(mark(condition.network)),
                    line: Line::None,
                    end: None,
                    tooltip: String::new(),
                }
            }));
        }
        let chart = Chart {
            title: title.clone().unwrap_or_default(),
            x: axis.clone(),
            y: vertical(metric, series.iter().flat_map(|s| &s.points)),
            legend: networks_legend(study, &conditions, Line::None),
            series,
        };
        (metric, chart)
    };
    SHOWN.into_iter().map(chart).filter(drawn).collect()
}

/// Lines through the networks of each model, one through its tickets and one through its quantized networks, both from the
/// dense one; by falling density or bits, the first of those that keep as much; moved by `shift`.
fn lines(
    study: &Study,
    setting: usize,
    labels: Labels,
    metric: &Metric,
    shift: f64,
) -> Vec<Series> {
    let kind = |n: &Network| (n.key.model.clone(), n.quantization.is_some());
    let compressed = study.networks.iter().filter(|n| !n.dense);
    let lines: BTreeSet<(String, bool)> = compressed.map(kind).collect();
    let line = |(model, quantized): (String, bool)| {
        let mut last = f64::INFINITY;
        let mut points = Vec::new();
        for (network, found) in study.networks.iter().enumerate() {
            let condition = Condition {
                setting,
                labels,
                network,
            };
            let share = found.share_of_bits();
            let is_on_it = found.dense || found.quantization.is_some() == quantized;
            if found.key.model == model
                && is_on_it
                && share < last
                && let Some(point) = point(study, condition, share.log10() + shift, metric)
            {
                last = share;
                let ends = (point.y, point.y);
                points.push(Point { ends, ..point });
            }
        }
        Series {
            points,
            colour: GREY,
            mark: None,
            line: Line::Solid,
            end: Some(labels.tick()),
            tooltip: format!("{model}, {}", labels.name()),
        }
    };
    lines.into_iter().map(line).collect()
}

fn network_label(study: &Study, at: usize) -> String {
    study
        .networks
        .get(at)
        .map(|n| n.label.clone())
        .unwrap_or_default()
}

/// How near the nearest two of several densities lie, in powers of ten; those that are the same do not count.
fn nearest(densities: &[f64]) -> f64 {
    let mut logs: Vec<f64> = densities.iter().map(|density| density.log10()).collect();
    logs.sort_by(f64::total_cmp);
    let gaps = logs.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.filter(|gap| *gap > 1e-3).fold(f64::INFINITY, f64::min)
}

/// The axis of remaining weights or bits, in powers of ten, falling to the right as pruning goes on.
fn remaining(name: &str, densities: &[f64]) -> Axis {
    let logs = densities.iter().map(|density| density.log10());
    let lo = logs.clone().fold(f64::INFINITY, f64::min);
    let hi = logs.fold(f64::NEG_INFINITY, f64::max);
    let room = (0.07 * (hi - lo)).max(0.02);
    let mut ticks: Vec<f64> = densities.to_vec();
    ticks.sort_by(|a, b| b.total_cmp(a));
    ticks.dedup();
    let tick = |density: &f64| (density.log10(), percent(*density));
    Axis {
        name: name.into(),
        range: (hi + room, lo - 3.2 * room),
        ticks: ticks.iter().map(tick).collect(),
    }
}

/// Accuracy against calibration error, a point per run.
pub(crate) fn scatter(study: &Study, metric: &'static Metric) -> Chart {
    let mut series: Vec<Series> = (0..study.networks.len())
        .map(|network| Series {
            points: Vec::new(),
            colour: colour(network),
            mark: Some(mark(network)),
            line: Line::None,
            end: None,
            tooltip: String::new(),
        })
        .collect();
    for (run, condition) in study.runs.iter().zip(&study.conditions) {
        let found = (crate::metric::ACCURACY.of)(&run.record).zip((metric.of)(&run.record));
        if let Some(((x, y), series)) = found.zip(series.get_mut(condition.network)) {
            let tooltip = format!(
                "{}: accuracy {}, {} {}; N = {}",
                run.record.run_id,
                figure(x, Unit::Percent),
                metric.name,
                figure(y, Unit::Percent),
                run.record.data.test_images
            );
            let (x, y) = (100.0 * x, 100.0 * y);
            let ends = (y, y);
            series.points.push(Point {
                x,
                y,
                ends,
                x_ends: None,
                tooltip,
            });
        }
    }
    let points = || series.iter().flat_map(|series| &series.points);
    let conditions: Vec<Condition> = study.conditions.clone();
    Chart {
        title: "all runs".into(),
        x: Axis::around("accuracy (%)", points().map(|point| point.x), (0.0, 100.0)),
        y: vertical(metric, points()),
        legend: networks_legend(study, &conditions, Line::None),
        series,
    }
}
