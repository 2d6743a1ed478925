//! Methods on one data set side by side: accuracy and ECE as a figure for each number of training images, one against the
//! other, and a table. For what is in bold by training images, see `methods`; for how it looks, `dots` and `chart`.

use std::collections::BTreeSet;

use maud::{Markup, html};
use rut_record::Labels;

use crate::Costs;
use crate::against::{axis_name, point, vertical};
use crate::axis::Axis;
use crate::canvas::{Colour, GREY, Marker, colour, mark};
use crate::chart::{Chart, Entry, Line, Point, Series};
use crate::dots::{DotRow, Dots};
use crate::error::Result;
use crate::files::ReportFiles;
use crate::methods::Target;
use crate::metric::{ACCURACY, ECE, ECE_AT_TEMPERATURE, Metric, NO_PROBABILITY};
use crate::run::Run;
use crate::setting::Setting;
use crate::study::{Condition, Study, range};
use crate::table::{Column, Kind, Table, Value};
use crate::wording::{printable, unbroken};

/// What a scatter has on its vertical axis, a panel each.
static CALIBRATION: [&Metric; 2] = [&ECE, &ECE_AT_TEMPERATURE];

/// The methods of a data set.
pub(crate) struct SideBySide<'a> {
    target: &'a Target<'a>,
    /// Numbers of labels on which there are several methods, and their conditions, the best accuracy of a method first.
    panels: Vec<(Labels, Vec<Condition>)>,
    accuracy: Axis,
    ece: Axis,
    costs: Costs,
}

impl<'a> SideBySide<'a> {
    /// Those of `target`; `None` where it has several on no number of labels.
    pub(crate) fn of(target: &'a Target<'a>, costs: Costs) -> Option<Self> {
        let study = target.study;
        let panel = |labels: &Labels| {
            let own = |condition: &&Condition| {
                condition.labels == *labels && target.settings.contains(&condition.setting)
            };
            let mut conditions: Vec<Condition> = study.cells.keys().filter(own).copied().collect();
            let methods: BTreeSet<usize> = conditions.iter().map(|own| own.setting).collect();
            sort(study, &mut conditions);
            (methods.len() > 1).then_some((*labels, conditions))
        };
        let panels: Vec<_> = target.labels.iter().filter_map(panel).collect();
        let points = |metric: &'static Metric| -> Vec<Point> {
            let all = panels.iter().flat_map(|(_, conditions)| conditions);
            all.filter_map(|own| point(study, *own, 0.0, metric))
                .collect()
        };
        let calibration = CALIBRATION.into_iter().flat_map(points);
        let calibration: Vec<Point> = calibration.collect();
        Some(Self {
            accuracy: vertical(&ACCURACY, points(&ACCURACY).iter()),
            ece: vertical(&ECE, calibration.iter()),
            panels: Some(panels).filter(|panels| !panels.is_empty())?,
            target,
            costs,
        })
    }

    /// Its figures and its table, in files and for the page.
    ///
    /// # Errors
    /// If the table cannot be written down.
    pub(crate) fn compose(&self, files: &mut ReportFiles) -> Result<Markup> {
        let table = self.table();
        files.table(&table)?;
        let mut figures = Vec::new();
        for (labels, conditions) in &self.panels {
            let name = format!(
                "{}-{}",
                self.target.slug,
                crate::setting::slug(&labels.name())
            );
            let dots = self.dots(*labels, conditions);
            let dots = files.picture(&name, |look| dots.svg(look));
            let scatters = self.scatters(&name, *labels, conditions);
            figures.push(html! { figure {
                div.charts { (dots) }
                (files.charts(&scatters))
                figcaption {
                    strong { (printable(self.target.dataset())) ", " (labels.name()) } ": methods by accuracy and ECE, the best accuracy first, and accuracy against the ECE at T = 1 and at the fitted temperature; means over seeds. "
                    @if self.networks().len() > 1 { "Colours are methods, shapes networks. " } @else { "Colours are methods. " }
                    "Bars are 95 % intervals, of Student's t where seeds vary, else by bootstrap over test images; an arrow marks one that goes on beyond the panel. Panels of one data set have the same axes. "
                    (unbroken(&self.target.study.counts(conditions))) "."
                }
            } });
        }
        Ok(html! { @for figure in &figures { (figure) } (table.html()) })
    }

    fn networks(&self) -> BTreeSet<usize> {
        let all = self.panels.iter().flat_map(|(_, conditions)| conditions);
        all.map(|condition| condition.network).collect()
    }

    fn name(&self, condition: Condition) -> String {
        let setting = self.target.study.settings.get(condition.setting);
        setting.map(Setting::name).unwrap_or_default()
    }

    /// Colour and shape of a condition: the colour is the method's, the shape the network's, or with one network the method's.
    fn look(&self, condition: Condition) -> (Colour, Marker) {
        let mut settings = self.target.settings.iter();
        let method = settings.position(|own| *own == condition.setting);
        let method = method.unwrap_or_default();
        let shape = if self.networks().len() > 1 {
            mark(condition.network)
        } else {
            mark(method)
        };
        (colour(method), shape)
    }

    /// The figure of a condition, which says whose it is.
    fn point(&self, condition: Condition, x: f64, metric: &Metric) -> Option<Point> {
        let found = point(self.target.study, condition, x, metric)?;
        let tooltip = format!("{}: {}", self.name(condition), found.tooltip);
        Some(Point { tooltip, ..found })
    }

    fn title(&self, labels: Labels) -> String {
        format!("{}, {}", self.target.dataset(), labels.name())
    }

    fn dots(&self, labels: Labels, conditions: &[Condition]) -> Dots {
        let rows = conditions.chunk_by(|a, b| a.setting == b.setting);
        let row = |own: &[Condition]| {
            let dot = |condition: &Condition| {
                let points = [&ACCURACY, &ECE].map(|metric| self.point(*condition, 0.0, metric));
                (self.look(*condition).1, points)
            };
            DotRow {
                name: own.first().map(|own| self.name(*own)).unwrap_or_default(),
                colour: own.first().map_or(GREY, |own| self.look(*own).0),
                dots: own.iter().map(dot).collect(),
            }
        };
        Dots {
            title: self.title(labels),
            axes: [self.accuracy.clone(), self.ece.clone()],
            rows: rows.map(row).collect(),
            legend: self.networks_legend(),
        }
    }

    /// Accuracy against calibration, as it is and at the fitted temperature, where there is one.
    fn scatters(
        &self,
        name: &str,
        labels: Labels,
        conditions: &[Condition],
    ) -> Vec<(String, Chart)> {
        let chart = |metric: &&'static Metric| {
            let series = |condition: &Condition| {
                let across = self.point(*condition, 0.0, &ACCURACY)?;
                let found = self.point(*condition, across.y, metric)?;
                let tooltip = format!("{}; {}", across.tooltip, found.tooltip);
                let (colour, mark) = self.look(*condition);
                Some(Series {
                    points: vec![Point {
                        x_ends: Some(across.ends),
                        tooltip,
                        ..found
                    }],
                    colour,
                    mark: Some(mark),
                    line: Line::None,
                    end: None,
                    tooltip: String::new(),
                })
            };
            let series: Vec<Series> = conditions.iter().filter_map(series).collect();
            let chart = Chart {
                title: format!("{}: {}", self.title(labels), metric.name),
                x: self.accuracy.clone(),
                y: Axis {
                    name: axis_name(metric),
                    ..self.ece.clone()
                },
                legend: self.methods_legend(conditions),
                series,
            };
            let drawn = !chart.series.is_empty();
            drawn.then(|| (format!("{name}-accuracy-{}", metric.column), chart))
        };
        CALIBRATION.iter().filter_map(chart).collect()
    }

    fn methods_legend(&self, conditions: &[Condition]) -> Vec<Entry> {
        let methods = conditions.chunk_by(|a, b| a.setting == b.setting);
        let entry = |own: &Condition| {
            let (colour, mark) = self.look(*own);
            let several = self.networks().len() > 1;
            Entry {
                label: self.name(*own),
                colour,
                mark: Some(if several { Marker::Disc } else { mark }),
                line: Line::None,
            }
        };
        let methods = methods.filter_map(<[Condition]>::first).map(entry);
        methods.chain(self.networks_legend()).collect()
    }

    /// Which shape is which network's, where there are several.
    fn networks_legend(&self) -> Vec<Entry> {
        let networks = self.networks();
        let entry = |at: &usize| {
            Some(Entry {
                label: self.target.study.networks.get(*at)?.label.clone(),
                colour: GREY,
                mark: Some(mark(*at)),
                line: Line::None,
            })
        };
        let several = networks.iter().filter(|_| networks.len() > 1);
        several.filter_map(entry).collect()
    }

    fn table(&self) -> Table {
        let mut columns = vec![
            Column::new("method", "method", Kind::Text),
            Column::new("network", "network", Kind::Text),
            Column::new("images per class", "labels", Kind::Text),
        ];
        for metric in [&ACCURACY, &ECE, &ECE_AT_TEMPERATURE] {
            let name = format!("{}, %", metric.name);
            columns.push(Column::new(&name, metric.column, Kind::Interval));
        }
        columns.push(Column::new("labels used", "labels_used", Kind::Number));
        columns.push(Column::new(
            "trained values",
            "trained_values",
            Kind::Number,
        ));
        if self.costs == Costs::Shown {
            columns.push(Column::new("seconds", "seconds", Kind::Number));
        }
        columns.push(Column::new("seeds", "seeds", Kind::Number));
        columns.push(Column::new("N", "test_images", Kind::Number));
        let conditions = self.panels.iter().flat_map(|(_, conditions)| conditions);
        Table {
            slug: self.target.slug.clone(),
            caption: format!(
                "Methods on {}: means over seeds with 95 % intervals, of Student's t where seeds vary, else by bootstrap over \
                 test images; labels used for training and validation, and values that are trained.",
                self.target.dataset()
            ),
            columns,
            rows: conditions.map(|own| self.row(*own)).collect(),
        }
        .with_footnote(NO_PROBABILITY)
    }

    fn row(&self, condition: Condition) -> Vec<Value> {
        let study = self.target.study;
        let runs = study.at(condition);
        let count = |of: fn(&Run) -> usize| counted(runs.iter().map(|run| of(run)));
        let network = study.networks.get(condition.network);
        let network = network.map(|own| own.label.clone()).unwrap_or_default();
        let mut row = vec![
            Value::Text(self.name(condition)),
            Value::Network(network, colour(condition.network)),
            Value::Text(condition.labels.tick()),
        ];
        for metric in [&ACCURACY, &ECE, &ECE_AT_TEMPERATURE] {
            let estimate = study.estimate(condition, metric).map(|(found, _)| found);
            let value = Value::Estimate(estimate, metric.unit);
            row.push(study.marked(&[condition], metric, value));
        }
        row.push(count(|run| run.record.data.labels_used));
        row.push(count(|run| run.record.training.trained_values));
        if self.costs == Costs::Shown {
            let seconds = runs.iter().map(|run| run.record.cost.total_seconds);
            let mean = seconds.sum::<f64>() / runs.len() as f64;
            row.push(Value::Text(format!("{mean:.1}")));
        }
        row.push(Value::Count(runs.len() as u64));
        row.push(count(|run| run.record.data.test_images));
        row
    }
}

/// A count that all runs have, or the least and the most.
fn counted(counts: impl Iterator<Item = usize>) -> Value {
    let text = range(counts);
    match text.parse() {
        Ok(count) => Value::Count(count),
        Err(_) => Value::Text(text),
    }
}

/// Methods by their accuracy, the mean over networks, the best first; those of one by network.
fn sort(study: &Study, conditions: &mut [Condition]) {
    let accuracy = |condition: &Condition| {
        let found = study.estimate(*condition, &ACCURACY);
        found.map_or(0.0, |(estimate, _)| estimate.mean)
    };
    let mean = |setting: usize| {
        let own = conditions.iter().filter(|own| own.setting == setting);
        let values: Vec<f64> = own.map(accuracy).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let means: Vec<f64> = conditions.iter().map(|own| mean(own.setting)).collect();
    let mut order: Vec<(f64, Condition)> =
        means.into_iter().zip(conditions.iter().copied()).collect();
    order.sort_by(|(a, first), (b, second)| {
        let place = |own: &Condition| (own.setting, own.network);
        b.total_cmp(a).then(place(first).cmp(&place(second)))
    });
    for (place, (_, condition)) in conditions.iter_mut().zip(order) {
        *place = condition;
    }
}
