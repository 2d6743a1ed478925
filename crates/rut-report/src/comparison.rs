//! Differences that have a p-value: of a compressed network and its dense one, and of what few labels add to that. Which of them
//! decide a claim is said by `claims`.

use std::collections::BTreeMap;

use rut_record::Labels;

use crate::metric::{COMPARED, Metric};
use crate::pair::{Difference, Pair, by_seed};
use crate::study::{Condition, Study};

/// A difference that counts for a claim.
pub(crate) struct Comparison {
    /// Index of the setting.
    pub(crate) setting: usize,
    /// Number of labels.
    pub(crate) labels: Labels,
    /// Whose difference is subtracted, if one is.
    pub(crate) most: Option<Labels>,
    /// Index of the dense network.
    pub(crate) dense: usize,
    /// Index of the compressed network.
    pub(crate) compressed: usize,
    /// Seeds that both have.
    pub(crate) seeds: usize,
    /// Test images.
    pub(crate) images: usize,
    /// Compressed minus dense.
    pub(crate) difference: Difference,
    /// Of Student's t test.
    pub(crate) p: f64,
    /// The same, adjusted for all comparisons of a family.
    pub(crate) adjusted: f64,
    /// Whether the fitted temperature of a run is in doubt.
    pub(crate) doubtful: bool,
}

impl Comparison {
    /// In the figure at `at` of [`COMPARED`]; `None` without a p-value, and of scores that are no probabilities.
    pub(crate) fn of(study: &Study, pair: &Pair, at: usize) -> Option<Self> {
        let found = (*pair.paired.differences.get(at)?)?;
        let condition = |network| Condition {
            setting: pair.setting,
            labels: pair.labels,
            network,
        };
        let both = [condition(pair.dense), condition(pair.compressed)];
        let of_none = COMPARED.get(at)?.of_probabilities;
        let runs = both.iter().flat_map(|condition| study.at(*condition));
        if of_none && runs.into_iter().any(|run| run.has_no_probabilities()) {
            return None;
        }
        let p = found.p?;
        Some(Self {
            setting: pair.setting,
            labels: pair.labels,
            most: None,
            dense: pair.dense,
            compressed: pair.compressed,
            seeds: pair.paired.seeds,
            images: pair.paired.images,
            difference: Difference {
                estimate: found.of_compressed(),
                ..found
            },
            p,
            adjusted: p,
            doubtful: study.doubtful(&both).0 > 0,
        })
    }
}

/// What compression costs on the fewest training images of a setting, minus what it costs on the most, paired by seed.
pub(crate) fn few_labels<'a>(
    study: &Study,
    pairs: impl Iterator<Item = &'a Pair>,
    metric: &'static Metric,
) -> Vec<Comparison> {
    let mut groups: BTreeMap<(usize, usize, usize), Vec<&Pair>> = BTreeMap::new();
    for pair in pairs {
        let group = groups.entry((pair.setting, pair.compressed, pair.dense));
        group.or_default().push(pair);
    }
    let cost = |pair: &Pair| -> Option<BTreeMap<u64, f64>> {
        let values = |network| {
            let condition = Condition {
                setting: pair.setting,
                labels: pair.labels,
                network,
            };
            let runs = by_seed(study, condition).into_iter();
            let values = runs.map(|(seed, run)| Some((seed, (metric.of)(&run.record)?)));
            values.collect::<Option<BTreeMap<u64, f64>>>()
        };
        let (dense, compressed) = (values(pair.dense)?, values(pair.compressed)?);
        let both = compressed.into_iter();
        Some(
            both.filter_map(|(seed, value)| Some((seed, value - dense.get(&seed)?)))
                .collect(),
        )
    };
    let images = |pair: &Pair| {
        let condition = Condition {
            setting: pair.setting,
            labels: pair.labels,
            network: pair.dense,
        };
        let runs = study.at(condition).into_iter();
        runs.map(|run| run.record.data.labels_used).min()
    };
    let compared = |own: Vec<&Pair>| {
        let own = || own.iter().filter(|pair| pair.paired.seeds > 1);
        let fewest = own().min_by_key(|pair| images(pair))?;
        let most = own().max_by_key(|pair| images(pair))?;
        if fewest.labels == most.labels {
            return None;
        }
        let (few, many) = (cost(fewest)?, cost(most)?);
        let both = few
            .iter()
            .filter_map(|(seed, few)| Some(few - many.get(seed)?));
        let values: Vec<f64> = both.collect();
        let difference = Difference::over_seeds(&values)?;
        let p = difference.p?;
        Some(Comparison {
            setting: fewest.setting,
            labels: fewest.labels,
            most: Some(most.labels),
            dense: fewest.dense,
            compressed: fewest.compressed,
            seeds: values.len(),
            images: fewest.paired.images,
            difference,
            p,
            adjusted: p,
            doubtful: false,
        })
    };
    groups.into_values().filter_map(compared).collect()
}
