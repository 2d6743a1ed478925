//! A matrix of methods and training images for one figure, as papers print it: in bold what is best, and what the paired interval does
//! not separate from it. What its rows are is decided by `methods` and `method_averages`.

use std::collections::BTreeSet;

use rut_metrics::Estimate;
use rut_record::Labels;

use crate::canvas::colour;
use crate::metric::{Metric, NO_PROBABILITY, Unit};
use crate::study::{Condition, Study};
use crate::table::{Column, Kind, Rank, Table, Value};

/// A row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Index of its network.
    pub(crate) network: usize,
    /// The method and what sets it apart.
    pub(crate) method: String,
}

/// The rows of a matrix and their figures. Rows of one network are compared; if there is one method, all rows are.
pub(crate) trait Rows {
    fn study(&self) -> &Study;

    /// In order of network and method. Methods are told apart by their names.
    fn rows(&self) -> Vec<Row>;

    /// The columns.
    fn labels(&self) -> Vec<Labels>;

    /// What a row's figure is of.
    fn conditions(&self, row: usize, labels: Labels) -> Vec<Condition>;

    /// A row's figure.
    fn estimate(&self, row: usize, labels: Labels, metric: &Metric) -> Option<Estimate>;

    /// The first row minus the second, paired.
    fn difference(&mut self, pair: [usize; 2], labels: Labels, metric: &Metric)
    -> Option<Estimate>;
}

/// What is said of the matrices of the same rows.
pub(crate) struct About {
    /// What their files begin with.
    pub(crate) slug: String,
    /// Where the figures are from.
    pub(crate) place: String,
    /// What a figure is, and over how many seeds and images.
    pub(crate) counts: String,
}

/// How many comparisons with the best of a column there are, and how many of them have no interval.
#[derive(Default)]
struct Comparisons {
    all: usize,
    without_interval: usize,
}

/// The matrix of `metric`.
pub(crate) fn matrix(of: &mut dyn Rows, metric: &Metric, about: &About) -> Table {
    let rows = of.rows();
    let networks: BTreeSet<usize> = rows.iter().map(|row| row.network).collect();
    let methods: BTreeSet<&str> = rows.iter().map(|row| &*row.method).collect();
    let several = methods.len() > 1;
    let mut columns = Vec::new();
    let mut cells: Vec<Vec<Value>> = rows.iter().map(|_| Vec::new()).collect();
    if networks.len() > 1 {
        columns.push(Column::new("network", "network", Kind::Text));
        for (cells, row) in cells.iter_mut().zip(&rows) {
            let label = of
                .study()
                .networks
                .get(row.network)
                .map(|n| n.label.clone());
            cells.push(Value::Network(
                label.unwrap_or_default(),
                colour(row.network),
            ));
        }
    }
    if several {
        columns.push(Column::new("method", "method", Kind::Text));
        for (cells, row) in cells.iter_mut().zip(&rows) {
            cells.push(Value::Text(row.method.clone()));
        }
    }
    let groups = groups(&rows, several);
    let mut comparisons = Comparisons::default();
    for labels in of.labels() {
        let tick = labels.tick();
        let key = format!("images_{}", tick.replace(" %", "_percent"));
        columns.push(Column::new(&tick, &key, Kind::Interval));
        let best = best(of, &groups, metric, labels, &mut comparisons);
        for (row, cells) in cells.iter_mut().enumerate() {
            let rank = if best.contains(&row) {
                Rank::Best
            } else {
                Rank::Other
            };
            let value = Value::Ranked(of.estimate(row, labels, metric), metric.unit, rank);
            let conditions = of.conditions(row, labels);
            cells.push(of.study().marked(&conditions, metric, value));
        }
    }
    Table {
        slug: format!("{}-{}", about.slug, metric.column),
        caption: caption(about, metric, several, &rows, &comparisons),
        columns,
        rows: cells,
    }
    .with_footnote(NO_PROBABILITY)
}

/// Rows that are compared with each other, by index.
fn groups(rows: &[Row], several_methods: bool) -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..rows.len()).collect();
    if !several_methods {
        return vec![all];
    }
    let same = |a: &usize, b: &usize| rows[*a].network == rows[*b].network;
    all.chunk_by(same).map(<[usize]>::to_vec).collect()
}

/// The rows that are in bold in the column of `labels`: of each group the best and what is not separated from it, unless that is all
/// of it. Figures of no probability are not compared.
fn best(
    of: &mut dyn Rows,
    groups: &[Vec<usize>],
    metric: &Metric,
    labels: Labels,
    comparisons: &mut Comparisons,
) -> BTreeSet<usize> {
    let mut bold = BTreeSet::new();
    for group in groups {
        let mean = |row: &usize| {
            if of.study().is_of_none(&of.conditions(*row, labels), metric) {
                return None;
            }
            let mean = of.estimate(*row, labels, metric)?.mean;
            Some((*row, if metric.higher_is_better { mean } else { -mean }))
        };
        let means: Vec<(usize, f64)> = group.iter().filter_map(mean).collect();
        // Of equal ones, the first.
        let best = means.iter().rev().max_by(|(_, a), (_, b)| a.total_cmp(b));
        let Some(&(best, _)) = best else { continue };
        let mut together = vec![best];
        for &(row, _) in means.iter().filter(|(row, _)| *row != best) {
            let estimate = of.difference([best, row], labels, metric);
            comparisons.all += 1;
            comparisons.without_interval +=
                usize::from(estimate.is_none_or(|estimate| estimate.interval.is_none()));
            if !estimate.is_some_and(|estimate| estimate.excludes_zero()) {
                together.push(row);
            }
        }
        if together.len() < means.len() {
            bold.extend(together);
        }
    }
    bold
}

fn caption(
    about: &About,
    metric: &Metric,
    several: bool,
    rows: &[Row],
    comparisons: &Comparisons,
) -> String {
    let unit = match metric.unit {
        Unit::Percent => " in %",
        Unit::Plain => "",
    };
    let (noun, among) = if several {
        ("Methods", " of a network")
    } else {
        ("Networks", "")
    };
    let mut text = format!(
        "{noun} by training images per class {}: {}{unit}, {}. In bold: of each column{among}, \
         the best and all that the paired 95 % interval does not separate from it; none where it separates none.",
        about.place, metric.name, about.counts
    );
    if let Some(row) = rows.first().filter(|_| !several) {
        text.push_str(&format!(" Method: {}.", row.method));
    }
    if comparisons.without_interval > 0 {
        text.push_str(&format!(
            " {} of {} comparisons have no interval and separate nothing.",
            comparisons.without_interval, comparisons.all
        ));
    }
    text
}
