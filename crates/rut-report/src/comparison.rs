//! Differences that have a p-value: of a compressed network and its dense one, and of what few labels add to that. Which of them
//! decide a claim is said by `claims`.

use std::collections::BTreeMap;

use rut_record::Labels;

use crate::metric::COMPARED;
use crate::pair::{Difference, Pair};
use crate::study::Study;

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
        let both = pair.conditions();
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

/// What compression costs on the fewest training images of a setting, minus what it costs on the most, paired by seed; in the
/// figure at `at` of [`COMPARED`].
pub(crate) fn few_labels<'a>(
    study: &Study,
    pairs: impl Iterator<Item = &'a Pair>,
    at: usize,
) -> Vec<Comparison> {
    let mut groups: BTreeMap<(usize, usize, usize), Vec<&Pair>> = BTreeMap::new();
    for pair in pairs.filter(|pair| pair.paired.seeds > 1) {
        let group = groups.entry((pair.setting, pair.compressed, pair.dense));
        group.or_default().push(pair);
    }
    let images = |pair: &&&Pair| {
        let [dense, _] = pair.conditions();
        let runs = study.at(dense).into_iter();
        runs.map(|run| run.record.data.labels_used).min()
    };
    let compared = |own: Vec<&Pair>| {
        let (fewest, most) = (
            own.iter().min_by_key(images)?,
            own.iter().max_by_key(images)?,
        );
        if fewest.labels == most.labels {
            return None;
        }
        // Both are dense minus compressed.
        let many = most.paired.by_seed.get(at)?.as_ref()?;
        let both = fewest.paired.by_seed.get(at)?.as_ref()?.iter();
        let both = both.filter_map(|(seed, few)| Some(many.get(seed)? - few));
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
