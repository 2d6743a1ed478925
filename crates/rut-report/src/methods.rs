//! A matrix of methods and training images for each data set and figure, as papers print it: in bold what is best, and what the
//! paired interval does not separate from it. For the differences, see `pair`.

use std::collections::{BTreeMap, BTreeSet};

use rut_metrics::Estimate;
use rut_record::Labels;

use crate::canvas::colour;
use crate::metric::{COMPARED, Metric, NO_PROBABILITY, Unit};
use crate::pair::{Paired, paired};
use crate::setting::{Setting, slug};
use crate::study::{Condition, Study};
use crate::table::{Column, Kind, Rank, Table, Value};
use crate::unread::Unread;

/// What the matrices of one data set are made from.
pub(crate) struct Target<'a> {
    /// Where they are from.
    pub(crate) study: &'a Study,
    /// Indices of its settings, which have the same test images.
    pub(crate) settings: Vec<usize>,
    /// Settings and networks, in order: the rows. Rows of one network are compared; if there is one setting, all are.
    rows: Vec<(usize, usize)>,
    /// Their numbers of labels.
    pub(crate) labels: Vec<Labels>,
    /// What its files are called.
    pub(crate) slug: String,
}

/// The matrices of a data set.
pub(crate) struct Matrices {
    /// One for each of [`COMPARED`].
    pub(crate) tables: Vec<Table>,
    /// Logits that could not be read.
    pub(crate) unread: Vec<Unread>,
}

/// Every data set on which there are two rows to compare.
pub(crate) fn targets(study: &Study) -> Vec<Target<'_>> {
    let mut found: Vec<Vec<usize>> = Vec::new();
    for (at, setting) in study.settings.iter().enumerate() {
        let same = |other: &&mut Vec<usize>| {
            let first = other.first().and_then(|first| study.settings.get(*first));
            first.is_some_and(|first| first.has_test_images_of(setting))
        };
        match found.iter_mut().find(same) {
            Some(known) => known.push(at),
            None => found.push(vec![at]),
        }
    }
    let mut names = BTreeSet::new();
    found
        .into_iter()
        .map(|settings| Target::of(study, settings, &mut names))
        .filter(|target| target.rows.len() > 1)
        .collect()
}

impl<'a> Target<'a> {
    fn of(study: &'a Study, settings: Vec<usize>, names: &mut BTreeSet<String>) -> Self {
        let own = |condition: &&Condition| settings.contains(&condition.setting);
        let conditions: Vec<&Condition> = study.cells.keys().filter(own).collect();
        let rows: BTreeSet<(usize, usize)> =
            conditions.iter().map(|p| (p.network, p.setting)).collect();
        let labels: BTreeSet<Labels> = conditions
            .iter()
            .map(|condition| condition.labels)
            .collect();
        let dataset = settings.first().and_then(|at| study.settings.get(*at));
        let base = format!("methods-{}", slug(dataset.map_or("", |own| &own.dataset)));
        let numbered = (2..).map(|number| format!("{base}-{number}"));
        let mut all = [base.clone()].into_iter().chain(numbered);
        let slug = all.find(|name| !names.contains(name)).unwrap_or(base);
        names.insert(slug.clone());
        Self {
            study,
            settings,
            rows: rows
                .into_iter()
                .map(|(network, setting)| (setting, network))
                .collect(),
            labels: labels.into_iter().collect(),
            slug,
        }
    }

    fn setting(&self, at: usize) -> Option<&Setting> {
        self.study.settings.get(at)
    }

    /// The data set's name.
    pub(crate) fn dataset(&self) -> &str {
        let first = self.settings.first().and_then(|at| self.setting(*at));
        first.map_or("", |own| &own.dataset)
    }

    /// Its matrices.
    pub(crate) fn matrices(&self) -> Matrices {
        let mut differences = Differences {
            study: self.study,
            opened: 0,
            found: BTreeMap::new(),
        };
        let table = |(at, metric): (usize, &&Metric)| {
            let compared = Compared {
                target: self,
                at,
                metric,
            };
            compared.table(self.dataset(), &mut differences)
        };
        let tables = COMPARED.iter().enumerate().map(table).collect();
        let found = differences.found.into_values().flatten();
        Matrices {
            tables,
            unread: found.flat_map(|paired| paired.unread).collect(),
        }
    }

    /// Rows that are compared with each other, by index.
    fn groups(&self) -> Vec<Vec<usize>> {
        let all: Vec<usize> = (0..self.rows.len()).collect();
        if self.settings.len() == 1 {
            return vec![all];
        }
        let same = |a: &usize, b: &usize| self.rows[*a].1 == self.rows[*b].1;
        all.chunk_by(same).map(<[usize]>::to_vec).collect()
    }

    fn condition(&self, row: usize, labels: Labels) -> Condition {
        let (setting, network) = self.rows[row];
        Condition {
            setting,
            labels,
            network,
        }
    }
}

/// Paired differences of a data set's conditions, each computed once for all figures.
struct Differences<'a> {
    study: &'a Study,
    /// Pairs whose logits were opened.
    opened: usize,
    found: BTreeMap<(Condition, Condition), Option<Paired>>,
}

impl Differences<'_> {
    /// `first` minus `second` in the figure at `at` of [`COMPARED`].
    fn estimate(&mut self, first: Condition, second: Condition, at: usize) -> Option<Estimate> {
        let (study, opened) = (self.study, &mut self.opened);
        let found = self.found.entry((first, second));
        let found = found.or_insert_with(|| paired(study, first, second, opened));
        let difference = (*found.as_ref()?.differences.get(at)?)?;
        Some(difference.estimate)
    }
}

/// The matrix of one figure.
struct Compared<'a> {
    target: &'a Target<'a>,
    /// Its index among [`COMPARED`].
    at: usize,
    metric: &'a Metric,
}

/// How many comparisons with the best of a column there are, and how many of them have no interval.
#[derive(Default)]
struct Comparisons {
    all: usize,
    without_interval: usize,
}

impl Compared<'_> {
    fn table(&self, dataset: &str, differences: &mut Differences<'_>) -> Table {
        let Target {
            study,
            rows,
            labels,
            ..
        } = self.target;
        let networks: BTreeSet<usize> = rows.iter().map(|(_, network)| *network).collect();
        let several = self.target.settings.len() > 1;
        let mut columns = Vec::new();
        let mut cells: Vec<Vec<Value>> = rows.iter().map(|_| Vec::new()).collect();
        if networks.len() > 1 {
            columns.push(Column::new("network", "network", Kind::Text));
            for (row, (_, network)) in cells.iter_mut().zip(rows) {
                let label = study.networks.get(*network).map(|n| n.label.clone());
                row.push(Value::Network(label.unwrap_or_default(), colour(*network)));
            }
        }
        if several {
            columns.push(Column::new("method", "method", Kind::Text));
            for (row, (setting, _)) in cells.iter_mut().zip(rows) {
                let name = self.target.setting(*setting).map(Setting::name);
                row.push(Value::Text(name.unwrap_or_default()));
            }
        }
        let mut comparisons = Comparisons::default();
        for labels in labels {
            let tick = labels.tick();
            let key = format!("images_{}", tick.replace(" %", "_percent"));
            columns.push(Column::new(&tick, &key, Kind::Interval));
            let best = self.best(*labels, &mut comparisons, differences);
            for (row, own) in cells.iter_mut().enumerate() {
                let rank = if best.contains(&row) {
                    Rank::Best
                } else {
                    Rank::Other
                };
                let value = Value::Ranked(self.estimate(row, *labels), self.metric.unit, rank);
                let condition = self.target.condition(row, *labels);
                own.push(study.marked(condition, self.metric, value));
            }
        }
        Table {
            slug: format!("{}-{}", self.target.slug, self.metric.column),
            caption: self.caption(dataset, several, &comparisons),
            columns,
            rows: cells,
        }
        .with_footnote(NO_PROBABILITY)
    }

    fn estimate(&self, row: usize, labels: Labels) -> Option<Estimate> {
        let condition = self.target.condition(row, labels);
        let found = self.target.study.estimate(condition, self.metric);
        found.map(|(estimate, _)| estimate)
    }

    /// The rows that are in bold in the column of `labels`: of each group the best and what is not separated from it, unless
    /// that is all of it.
    fn best(
        &self,
        labels: Labels,
        comparisons: &mut Comparisons,
        differences: &mut Differences<'_>,
    ) -> BTreeSet<usize> {
        let mut bold = BTreeSet::new();
        for group in self.target.groups() {
            let means = group
                .iter()
                .filter_map(|row| Some((*row, self.estimate(*row, labels)?.mean)));
            let better = |mean: f64| {
                if self.metric.higher_is_better {
                    mean
                } else {
                    -mean
                }
            };
            let means: Vec<(usize, f64)> = means.map(|(row, mean)| (row, better(mean))).collect();
            // Of equal ones, the first.
            let best = means.iter().rev().max_by(|(_, a), (_, b)| a.total_cmp(b));
            let Some((best, _)) = best else { continue };
            let mut together = vec![*best];
            for (row, _) in means.iter().filter(|(row, _)| row != best) {
                let (first, second) = (
                    self.target.condition(*best, labels),
                    self.target.condition(*row, labels),
                );
                let estimate = differences.estimate(first, second, self.at);
                comparisons.all += 1;
                comparisons.without_interval +=
                    usize::from(estimate.is_none_or(|estimate| estimate.interval.is_none()));
                if !estimate.is_some_and(|estimate| estimate.excludes_zero()) {
                    together.push(*row);
                }
            }
            if together.len() < means.len() {
                bold.extend(together);
            }
        }
        bold
    }

    fn caption(&self, dataset: &str, several: bool, comparisons: &Comparisons) -> String {
        let study = self.target.study;
        let own = |condition: &&Condition| self.target.settings.contains(&condition.setting);
        let conditions: Vec<Condition> = study.cells.keys().filter(own).copied().collect();
        let unit = match self.metric.unit {
            Unit::Percent => " in %",
            Unit::Plain => "",
        };
        let rows = if several { "Methods" } else { "Networks" };
        let among = if several { " of a network" } else { "" };
        let mut text = format!(
            "{rows} by training images per class on {dataset}: {}{unit}, mean over seeds ({}). In bold: of each column{among}, \
             the best and all that the paired 95 % interval does not separate from it; none where it separates none.",
            self.metric.name,
            study.counts(&conditions)
        );
        if !several
            && let Some(own) = self
                .target
                .settings
                .first()
                .and_then(|at| self.target.setting(*at))
        {
            text.push_str(&format!(" Method: {}.", own.name()));
        }
        if comparisons.without_interval > 0 {
            text.push_str(&format!(
                " {} of {} comparisons have no interval and separate nothing.",
                comparisons.without_interval, comparisons.all
            ));
        }
        text
    }
}
