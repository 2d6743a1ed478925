//! Differences that have a p-value: of a compressed network and its dense one, of what few labels add to that, and their averages.
//! Which of them decide a claim is said by `claim`.

use std::collections::{BTreeMap, BTreeSet};

use rut_formats::counted;
use rut_metrics::{Estimate, holm, t_test};
use rut_record::Labels;

use crate::by_seed::{self, BySeed};
use crate::metric::COMPARED;
use crate::pair::Pair;
use crate::study::Study;

/// A difference by seed that counts for a claim.
pub(crate) struct Contrast {
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
    /// Test images.
    pub(crate) images: usize,
    /// Compressed minus dense, for each seed that both have.
    pub(crate) by_seed: BySeed,
    /// Whether the fitted temperature of a run is in doubt.
    pub(crate) doubtful: bool,
}

impl Contrast {
    /// Of the networks of `pair`, in the figure at `at` of [`COMPARED`]; `None` if a run lacks it, and of scores that are no
    /// probabilities.
    pub(crate) fn of(study: &Study, pair: &Pair, at: usize) -> Option<Self> {
        let both = pair.conditions();
        let of_none = COMPARED.get(at)?.of_probabilities;
        let runs = both.iter().flat_map(|condition| study.at(*condition));
        if of_none && runs.into_iter().any(|run| run.has_no_probabilities()) {
            return None;
        }
        // A pair is dense minus compressed.
        let by_seed = pair.paired.by_seed.get(at)?.as_ref()?.iter();
        Some(Self {
            setting: pair.setting,
            labels: pair.labels,
            most: None,
            dense: pair.dense,
            compressed: pair.compressed,
            images: pair.paired.images,
            by_seed: by_seed.map(|(seed, value)| (*seed, -value)).collect(),
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
) -> Vec<Contrast> {
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
        let many = Contrast::of(study, most, at)?;
        let few = Contrast::of(study, fewest, at)?;
        Some(Contrast {
            by_seed: by_seed::difference(&few.by_seed, &many.by_seed),
            most: Some(most.labels),
            doubtful: few.doubtful || many.doubtful,
            ..few
        })
    };
    groups.into_values().filter_map(compared).collect()
}

/// A mean difference over seeds that vary.
pub(crate) struct Tested {
    /// How many seeds.
    pub(crate) seeds: usize,
    /// The mean and its interval.
    pub(crate) difference: Estimate,
    /// Of Student's t test.
    pub(crate) p: f64,
    /// The same, adjusted for all comparisons of a family.
    pub(crate) adjusted: f64,
}

impl Tested {
    fn of(values: &[f64]) -> Option<Self> {
        let p = t_test(values)?;
        Some(Self {
            seeds: values.len(),
            difference: Estimate::over_seeds(values)?,
            p,
            adjusted: p,
        })
    }
}

/// Adjusts the p-values of a family by Holm's rule.
fn adjust<'a>(family: impl Iterator<Item = &'a mut Tested>) {
    let family: Vec<&mut Tested> = family.collect();
    let p: Vec<f64> = family.iter().map(|one| one.p).collect();
    for (one, adjusted) in family.into_iter().zip(holm(&p)) {
        one.adjusted = adjusted;
    }
}

/// One difference and what its test says.
pub(crate) struct Comparison {
    /// Of what.
    pub(crate) contrast: Contrast,
    /// Over seeds.
    pub(crate) tested: Tested,
}

/// Each of `contrasts` that has a p-value.
pub(crate) fn comparisons(contrasts: Vec<Contrast>) -> Vec<Comparison> {
    let compared = |contrast: Contrast| {
        let values: Vec<f64> = contrast.by_seed.values().copied().collect();
        let tested = Tested::of(&values)?;
        Some(Comparison { contrast, tested })
    };
    let mut found: Vec<Comparison> = contrasts.into_iter().filter_map(compared).collect();
    adjust(found.iter_mut().map(|one| &mut one.tested));
    found
}

/// What two networks differ by on average.
pub(crate) struct Average {
    /// Number of labels; `None` over all numbers.
    pub(crate) labels: Option<Labels>,
    /// Index of the dense network.
    pub(crate) dense: usize,
    /// Index of the compressed network.
    pub(crate) compressed: usize,
    /// Over how many conditions: settings, each on so many labels.
    pub(crate) conditions: usize,
    /// Of each seed's mean, over the seeds that all conditions have.
    pub(crate) tested: Tested,
}

impl Average {
    /// `48 conditions, 5 seeds`.
    pub(crate) fn over(&self) -> String {
        let conditions = counted(self.conditions, "condition");
        format!("{conditions}, {}", counted(self.tested.seeds, "seed"))
    }
}

/// Averages of `contrasts` of the same two networks over settings, at least two: over all that have several seeds, and, where
/// there are several numbers of labels, on each of them.
pub(crate) fn averages(contrasts: &[Contrast]) -> Vec<Average> {
    let several = || contrasts.iter().filter(|one| one.by_seed.len() > 1);
    // A difference between two numbers of labels is on none of them.
    let on_one = several().filter(|one| one.most.is_none());
    let numbers: BTreeSet<Labels> = on_one.map(|one| one.labels).collect();
    let mut groups: BTreeMap<(usize, usize, Option<Labels>), Vec<&Contrast>> = BTreeMap::new();
    for one in several() {
        let own = (one.most.is_none() && numbers.len() > 1).then_some(Some(one.labels));
        for labels in [Some(None), own].into_iter().flatten() {
            let group = groups.entry((one.compressed, one.dense, labels));
            group.or_default().push(one);
        }
    }
    let average =
        |(&(compressed, dense, labels), own): (&(_, _, Option<Labels>), &Vec<&Contrast>)| {
            let settings: BTreeSet<usize> = own.iter().map(|one| one.setting).collect();
            if settings.len() < 2 {
                return None;
            }
            let all: Vec<&BySeed> = own.iter().map(|one| &one.by_seed).collect();
            let values: Vec<f64> = by_seed::mean(&all).into_values().collect();
            Some(Average {
                labels,
                dense,
                compressed,
                conditions: own.len(),
                tested: Tested::of(&values)?,
            })
        };
    let mut found: Vec<Average> = groups.iter().filter_map(average).collect();
    adjust(found.iter_mut().map(|one| &mut one.tested));
    found
}
