//! Loss, accuracy and changes of the label map while a run trained, from its events.

use rut_record::{Event, Result, text_file};

use crate::axis::Axis;
use crate::canvas::{INK, colour};
use crate::chart::{Chart, Entry, Line, Point, Series};
use crate::run::Run;

/// What a run's events tell, by epoch from 1.
#[derive(Default)]
pub(crate) struct Curves {
    /// Mean loss of the epoch, nats.
    pub(crate) loss: Vec<(f64, f64)>,
    /// Share of training images that were right, 0–1.
    pub(crate) accuracy: Vec<(f64, f64)>,
    /// Share of validation images that were right, 0–1.
    pub(crate) validation: Vec<(f64, f64)>,
    /// Target classes whose source changed.
    pub(crate) churn: Vec<(f64, f64)>,
}

impl Curves {
    /// Of the run's `events.jsonl`. Steps, which are most of it, are passed over.
    ///
    /// # Errors
    /// If it cannot be read, or a line is broken.
    pub(crate) fn read(run: &Run) -> Result<Self> {
        let mut curves = Self::default();
        text_file::each_line(&run.dir.events(), |line| {
            if !line.starts_with("{\"event\":\"step\"") {
                let event: Event = serde_json::from_str(line).map_err(|e| e.to_string())?;
                curves.add(event);
            }
            Ok(())
        })?;
        Ok(curves)
    }

    fn add(&mut self, event: Event) {
        let after = |epoch: u32| f64::from(epoch) + 1.0;
        match event {
            Event::Epoch {
                epoch,
                loss,
                accuracy,
                ..
            } => {
                self.loss.push((after(epoch), loss));
                self.accuracy.push((after(epoch), accuracy));
            }
            Event::Scored {
                epoch,
                split,
                accuracy,
                ..
            } if split == "validation" => self.validation.push((after(epoch), accuracy)),
            Event::Mapped {
                epoch,
                churn: Some(churn),
                ..
            } => self.churn.push((f64::from(epoch), churn as f64)),
            _ => {}
        }
    }
}

/// A run's curves, its network's index and what the network is called.
pub(crate) type NamedCurves<'a> = (&'a Curves, usize, &'a str);

/// The loss of each run by epoch.
pub(crate) fn loss(title: &str, runs: &[NamedCurves<'_>]) -> Option<Chart> {
    let line = |run: &NamedCurves<'_>| series(&run.0.loss, run, Line::Solid, 1.0, "training loss");
    let series: Vec<Series> = runs.iter().map(line).collect();
    chart(
        title,
        "training loss (nats)",
        f64::INFINITY,
        series,
        legend(runs),
    )
}

/// The accuracy of each run on training and validation images by epoch.
pub(crate) fn accuracy(title: &str, runs: &[NamedCurves<'_>]) -> Option<Chart> {
    let lines = |run: &NamedCurves<'_>| {
        let (curves, ..) = run;
        [
            series(
                &curves.accuracy,
                run,
                Line::Solid,
                100.0,
                "training accuracy (%)",
            ),
            series(
                &curves.validation,
                run,
                Line::Dashed,
                100.0,
                "validation accuracy (%)",
            ),
        ]
    };
    let lines: Vec<Series> = runs.iter().flat_map(lines).collect();
    let mut legend = legend(runs);
    legend.extend(
        [("training", Line::Solid), ("validation", Line::Dashed)].map(|(label, line)| Entry {
            label: label.into(),
            colour: INK,
            mark: None,
            line,
        }),
    );
    chart(title, "accuracy (%)", 100.0, lines, legend)
}

/// Target classes whose source changed, by epoch.
pub(crate) fn churn(title: &str, runs: &[NamedCurves<'_>]) -> Option<Chart> {
    let line = |run: &NamedCurves<'_>| {
        series(
            &run.0.churn,
            run,
            Line::Solid,
            1.0,
            "classes with a new source",
        )
    };
    let series: Vec<Series> = runs.iter().map(line).collect();
    let name = "target classes with a new source";
    chart(title, name, f64::INFINITY, series, legend(runs))
}

/// The curve of a run through `points`, which are multiplied by `factor`; `what` it shows stands in its words.
fn series(
    points: &[(f64, f64)],
    run: &NamedCurves<'_>,
    line: Line,
    factor: f64,
    what: &str,
) -> Series {
    let (_, network, label) = run;
    let point = |(x, y): &(f64, f64)| {
        let (x, y) = (*x, factor * y);
        let (ends, tooltip) = ((y, y), String::new());
        Point {
            x,
            y,
            ends,
            x_ends: None,
            tooltip,
        }
    };
    Series {
        points: points.iter().map(point).collect(),
        colour: colour(*network),
        mark: None,
        line,
        end: None,
        tooltip: match points.last() {
            Some((epoch, last)) => format!(
                "{label}: {what}, {:.3} after epoch {epoch:.0}",
                factor * last
            ),
            None => (*label).to_owned(),
        },
    }
}

fn legend(runs: &[NamedCurves<'_>]) -> Vec<Entry> {
    let entry = |(_, network, label): &NamedCurves<'_>| Entry {
        label: (*label).to_owned(),
        colour: colour(*network),
        mark: None,
        line: Line::Solid,
    };
    runs.iter().map(entry).collect()
}

fn chart(
    title: &str,
    name: &str,
    most: f64,
    series: Vec<Series>,
    legend: Vec<Entry>,
) -> Option<Chart> {
    let points = || series.iter().flat_map(|series| &series.points);
    points().next()?;
    let any = (f64::NEG_INFINITY, f64::INFINITY);
    Some(Chart {
        title: title.into(),
        x: Axis::around("epoch", points().map(|point| point.x), any),
        y: Axis::around(name, points().map(|point| point.y), (0.0, most)),
        legend,
        series,
    })
}
