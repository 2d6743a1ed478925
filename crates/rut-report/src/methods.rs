//! The methods of each data set, and their matrices by training images, one for each figure. For how a matrix is made, see
//! `method_matrix`; for averages over data sets, `method_averages`; for the differences, `pair`.

use std::collections::{BTreeMap, BTreeSet};

use rut_metrics::Estimate;
use rut_record::Labels;

use crate::method_matrix::{About, Row, Rows, matrix};
use crate::metric::{COMPARED, Metric};
use crate::pair::{Paired, paired};
use crate::setting::{Setting, slug};
use crate::study::{Condition, Study};
use crate::table::Table;
use crate::unread::Unread;

/// What files of averages over data sets begin with.
pub(crate) const AVERAGES: &str = "methods-average";

/// What the matrices of one data set are made from.
pub(crate) struct Target<'a> {
    /// Where they are from.
    pub(crate) study: &'a Study,
    /// Indices of its settings, which have the same test images.
    pub(crate) settings: Vec<usize>,
    /// Settings and networks, in order: the rows.
    pub(crate) rows: Vec<(usize, usize)>,
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
    let mut names = BTreeSet::from([AVERAGES.to_owned()]);
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

    pub(crate) fn setting(&self, at: usize) -> Option<&Setting> {
        self.study.settings.get(at)
    }

    /// The setting of the same method.
    pub(crate) fn like(&self, setting: &Setting) -> Option<usize> {
        let alike = |own: &Setting| own.is_of_the_method_of(setting);
        let mut settings = self.settings.iter().copied();
        settings.find(|at| self.setting(*at).is_some_and(alike))
    }

    /// The data set's name.
    pub(crate) fn dataset(&self) -> &str {
        let first = self.settings.first().and_then(|at| self.setting(*at));
        first.map_or("", |own| &own.dataset)
    }

    /// Its matrices.
    pub(crate) fn matrices(&self) -> Matrices {
        let mut rows = TargetRows {
            target: self,
            opened: 0,
            found: BTreeMap::new(),
        };
        let about = About {
            slug: self.slug.clone(),
            place: format!("on {}", self.dataset()),
            counts: format!("mean over seeds ({})", self.counts()),
        };
        let tables = COMPARED
            .iter()
            .map(|metric| matrix(&mut rows, metric, &about));
        let tables = tables.collect();
        let found = rows.found.into_values().flatten();
        Matrices {
            tables,
            unread: found.flat_map(|paired| paired.unread).collect(),
        }
    }

    fn counts(&self) -> String {
        let own = |condition: &&Condition| self.settings.contains(&condition.setting);
        let conditions: Vec<Condition> = self.study.cells.keys().filter(own).copied().collect();
        self.study.counts(&conditions)
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

/// The rows of a data set, and their paired differences, each computed once for all figures.
struct TargetRows<'a> {
    target: &'a Target<'a>,
    /// Pairs whose logits were opened.
    opened: usize,
    found: BTreeMap<(Condition, Condition), Option<Paired>>,
}

impl Rows for TargetRows<'_> {
    fn study(&self) -> &Study {
        self.target.study
    }

    fn rows(&self) -> Vec<Row> {
        let name = |setting| self.target.setting(setting).map(Setting::name);
        let rows = self.target.rows.iter();
        rows.map(|&(setting, network)| Row {
            method: name(setting).unwrap_or_default(),
            network,
        })
        .collect()
    }

    fn labels(&self) -> Vec<Labels> {
        self.target.labels.clone()
    }

    fn conditions(&self, row: usize, labels: Labels) -> Vec<Condition> {
        vec![self.target.condition(row, labels)]
    }

    fn estimate(&self, row: usize, labels: Labels, metric: &Metric) -> Option<Estimate> {
        let condition = self.target.condition(row, labels);
        let found = self.target.study.estimate(condition, metric);
        found.map(|(estimate, _)| estimate)
    }

    fn difference(
        &mut self,
        pair: [usize; 2],
        labels: Labels,
        metric: &Metric,
    ) -> Option<Estimate> {
        let [first, second] = pair.map(|row| self.target.condition(row, labels));
        let (study, opened) = (self.target.study, &mut self.opened);
        let found = self.found.entry((first, second));
        let found = found.or_insert_with(|| paired(study, first, second, opened));
        let at = COMPARED
            .iter()
            .position(|own| own.column == metric.column)?;
        let difference = (*found.as_ref()?.differences.get(at)?)?;
        Some(difference.estimate)
    }
}
