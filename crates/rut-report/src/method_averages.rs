//! Methods on average over the data sets of a study, by training images, one matrix for each figure. For those of each data set, see
//! `methods`.

use std::collections::BTreeSet;

use rut_formats::counted;
use rut_metrics::Estimate;
use rut_record::Labels;

use crate::by_seed::{self, BySeed};
use crate::method_matrix::{About, Row, Rows, matrix};
use crate::methods::{AVERAGES, Target};
use crate::metric::{ACCURACY, COMPARED, Metric};
use crate::study::{Condition, Study, range};
use crate::table::Table;
use crate::wording::listed;

/// Methods with at least one seed in common on every data set.
pub(crate) struct Averages<'a> {
    study: &'a Study,
    /// The data sets' names.
    datasets: Vec<&'a str>,
    rows: Vec<Averaged>,
    labels: Vec<Labels>,
    /// Rows of the data sets' own matrices that have no part in them.
    left_out: usize,
}

/// A row, and its setting on each data set.
struct Averaged {
    row: Row,
    settings: Vec<usize>,
}

impl Averaged {
    fn conditions(&self, labels: Labels) -> Vec<Condition> {
        let of = |&setting: &usize| Condition {
            setting,
            labels,
            network: self.row.network,
        };
        self.settings.iter().map(of).collect()
    }

    /// The average over the data sets, for each seed that all of them have.
    fn by_seed(&self, study: &Study, labels: Labels, metric: &Metric) -> BySeed {
        let on_one = |condition| -> BySeed {
            let runs = study.by_seed(condition).into_iter();
            runs.filter_map(|(seed, run)| Some((seed, (metric.of)(&run.record)?)))
                .collect()
        };
        let all: Vec<BySeed> = self.conditions(labels).into_iter().map(on_one).collect();
        by_seed::mean(&all.iter().collect::<Vec<_>>())
    }
}

impl<'a> Averages<'a> {
    /// Those over `targets`; `None` where there is one data set, or no two rows that all have.
    pub(crate) fn of(targets: &'a [Target<'a>]) -> Option<Self> {
        let (first, others) = targets.split_first()?;
        if others.is_empty() {
            return None;
        }
        let row = |&(setting, network): &(usize, usize)| {
            let setting = first.setting(setting)?;
            let settings = targets.iter().map(|target| target.like(setting));
            Some(Averaged {
                settings: settings.collect::<Option<_>>()?,
                row: Row {
                    network,
                    method: setting.name(),
                },
            })
        };
        let mut rows: Vec<Averaged> = first.rows.iter().filter_map(row).collect();
        let mut labels = first.labels.clone();
        let has =
            |row: &Averaged, own: &Labels| !row.by_seed(first.study, *own, &ACCURACY).is_empty();
        rows.retain(|row| labels.iter().any(|own| has(row, own)));
        labels.retain(|own| rows.iter().any(|row| has(row, own)));
        let used = rows
            .iter()
            .flat_map(|own| own.settings.iter().map(|at| (*at, own.row.network)));
        let used: BTreeSet<(usize, usize)> = used.collect();
        let all = targets.iter().flat_map(|target| &target.rows);
        let left_out = all.filter(|row| !used.contains(row)).count();
        (rows.len() > 1).then(|| Self {
            left_out,
            study: first.study,
            datasets: targets.iter().map(Target::dataset).collect(),
            rows,
            labels,
        })
    }

    /// Its matrices, one for each of [`COMPARED`].
    pub(crate) fn matrices(mut self) -> Vec<Table> {
        let table = |metric: &&Metric| {
            let about = self.about(metric);
            matrix(&mut self, metric, &about)
        };
        COMPARED.iter().map(table).collect()
    }

    fn about(&self, metric: &Metric) -> About {
        let rows = 0..self.rows.len();
        let cells = rows.flat_map(|row| self.labels.iter().map(move |own| (row, *own)));
        let averaged = |(row, own)| {
            let seeds = self.by_seed(row, own, metric).len();
            (seeds > 0).then(|| (seeds, self.conditions(row, own)))
        };
        let (seeds, conditions): (Vec<usize>, Vec<_>) = cells.filter_map(averaged).unzip();
        let runs = conditions
            .iter()
            .flatten()
            .flat_map(|own| self.study.at(*own));
        let images = range(runs.map(|run| run.record.data.test_images));
        let seeds = range(seeds.into_iter());
        let noun = if seeds == "1" { "seed" } else { "seeds" };
        let datasets = counted(self.datasets.len(), "data set");
        let names = listed(self.datasets.iter());
        let left_out = match self.left_out {
            0 => String::new(),
            n => format!(
                "; without {} that not every data set has",
                counted(n, "row")
            ),
        };
        About {
            slug: AVERAGES.into(),
            place: format!("on average over {datasets} ({names})"),
            counts: format!(
                "mean over the {seeds} {noun} that every data set has (N = {images} test images{left_out})"
            ),
        }
    }

    fn by_seed(&self, row: usize, labels: Labels, metric: &Metric) -> BySeed {
        self.rows[row].by_seed(self.study, labels, metric)
    }
}

impl Rows for Averages<'_> {
    fn study(&self) -> &Study {
        self.study
    }

    fn rows(&self) -> Vec<Row> {
        self.rows.iter().map(|own| own.row.clone()).collect()
    }

    fn labels(&self) -> Vec<Labels> {
        self.labels.clone()
    }

    fn conditions(&self, row: usize, labels: Labels) -> Vec<Condition> {
        self.rows[row].conditions(labels)
    }

    fn estimate(&self, row: usize, labels: Labels, metric: &Metric) -> Option<Estimate> {
        over_seeds(self.by_seed(row, labels, metric))
    }

    fn difference(
        &mut self,
        pair: [usize; 2],
        labels: Labels,
        metric: &Metric,
    ) -> Option<Estimate> {
        let [first, second] = pair.map(|row| self.by_seed(row, labels, metric));
        over_seeds(by_seed::difference(&first, &second))
    }
}

fn over_seeds(values: BySeed) -> Option<Estimate> {
    Estimate::over_seeds(&values.into_values().collect::<Vec<_>>())
}
