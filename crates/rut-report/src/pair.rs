//! Paired differences, dense minus compressed among them: what is left when both see the same images from the same seed. Says how
//! sure a difference is, and by what; `statement` puts it into words.

use std::collections::BTreeSet;

use rut_metrics::{BootstrapOptions, Estimate, Intervals, Outcomes, Spread, bootstrap_difference};
use rut_record::Labels;
use rut_record::logits_archive::{self, ArchivedLogits};

use crate::by_seed::BySeed;
use crate::metric::{COMPARED, Metric};
use crate::run::Run;
use crate::study::{Condition, Study};
use crate::unread::{Unread, without_path};

/// The most pairs of runs whose logits are opened.
const MOST_OPENED: usize = 48;

/// A dense control and a compressed network in one setting, on the same number of labels.
pub(crate) struct Pair {
    /// Index of the setting.
    pub(crate) setting: usize,
    /// Number of labels.
    pub(crate) labels: Labels,
    /// Index of the dense network.
    pub(crate) dense: usize,
    /// Index of the network with fewer weights or bits.
    pub(crate) compressed: usize,
    /// Dense minus compressed.
    pub(crate) paired: Paired,
}

impl Pair {
    /// Where the runs of the dense network are, and those of the compressed one.
    pub(crate) fn conditions(&self) -> [Condition; 2] {
        [self.dense, self.compressed].map(|network| Condition {
            setting: self.setting,
            labels: self.labels,
            network,
        })
    }
}

/// The runs of one condition minus those of another, seed by seed.
pub(crate) struct Paired {
    /// Seeds that both have.
    pub(crate) seeds: usize,
    /// Test images.
    pub(crate) images: usize,
    /// The differences by seed, for each of [`COMPARED`] that all runs have.
    pub(crate) by_seed: Vec<Option<BySeed>>,
    /// Over all seeds, for each of [`COMPARED`].
    pub(crate) differences: Vec<Option<Difference>>,
    /// Why an interval is missing, if one is.
    pub(crate) note: Option<String>,
    /// Logits that could not be read.
    pub(crate) unread: Vec<Unread>,
}

/// A difference of two figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Difference {
    /// Mean over seeds, and its interval.
    pub(crate) estimate: Estimate,
    /// What the interval allows for.
    pub(crate) spread: Option<Spread>,
}

impl Difference {
    /// Of the differences of pairs, one for each seed. `None` without one.
    pub(crate) fn over_seeds(values: &[f64]) -> Option<Self> {
        let estimate = Estimate::over_seeds(values)?;
        Some(Self {
            estimate,
            spread: estimate.interval.map(|_| Spread::Seeds),
        })
    }

    /// Compressed minus dense: what a sentence about the compressed network says.
    pub(crate) fn of_compressed(&self) -> Estimate {
        let Estimate { mean, interval } = self.estimate;
        Estimate {
            mean: -mean,
            interval: interval.map(|(lo, hi)| (-hi, -lo)),
        }
    }
}

/// All pairs of a study, against every dense control of the compressed network's model.
pub(crate) fn pairs(study: &Study) -> Vec<Pair> {
    let mut opened = 0;
    let mut pairs = Vec::new();
    for &condition in study.cells.keys() {
        let Some(compressed) = study.networks.get(condition.network) else {
            continue;
        };
        if compressed.dense {
            continue;
        }
        let controls = study
            .networks
            .iter()
            .enumerate()
            .filter(|(_, control)| control.dense && control.key.model == compressed.key.model);
        for (control, _) in controls {
            let dense = Condition {
                network: control,
                ..condition
            };
            pairs.extend(
                paired(study, dense, condition, &mut opened).map(|paired| Pair {
                    setting: condition.setting,
                    labels: condition.labels,
                    dense: control,
                    compressed: condition.network,
                    paired,
                }),
            );
        }
    }
    pairs
}

/// The runs at `first` minus those at `second`, which have the same test images; `opened` counts the pairs whose logits were
/// opened. `None` if they have no seed in common.
pub(crate) fn paired(
    study: &Study,
    first: Condition,
    second: Condition,
    opened: &mut usize,
) -> Option<Paired> {
    let others = study.by_seed(second);
    let common: Vec<(&Run, &Run)> = study
        .by_seed(first)
        .iter()
        .filter_map(|(seed, run)| Some((*run, *others.get(seed)?)))
        .collect();
    let (first, _) = common.first()?;
    let of = |metric: &Metric, (a, b): &(&Run, &Run)| {
        let difference = (metric.of)(&a.record)? - (metric.of)(&b.record)?;
        Some((a.record.spec.training.seed, difference))
    };
    let of = |metric: &&Metric| common.iter().map(|runs| of(metric, runs)).collect();
    let by_seed: Vec<Option<BySeed>> = COMPARED.iter().map(of).collect();
    let over_seeds = |values: &Option<BySeed>| {
        let values: Vec<f64> = values.as_ref()?.values().copied().collect();
        Difference::over_seeds(&values)
    };
    let mut paired = Paired {
        seeds: common.len(),
        images: first.record.data.test_images,
        differences: by_seed.iter().map(over_seeds).collect(),
        by_seed,
        note: None,
        unread: Vec::new(),
    };
    paired.fill_in(&common, opened);
    Some(paired)
}

impl Paired {
    /// Where seeds give no interval, the paired bootstrap of the first seed does.
    fn fill_in(&mut self, common: &[(&Run, &Run)], opened: &mut usize) {
        let lacking = |difference: &Option<Difference>| {
            difference.is_some_and(|difference| difference.spread.is_none())
        };
        let Some(&(one, other)) = common.first() else {
            return;
        };
        if !self.differences.iter().any(lacking) {
            return;
        }
        if *opened == MOST_OPENED {
            let note = format!("no interval: logits are opened for the first {MOST_OPENED} pairs");
            self.note = Some(note);
            return;
        }
        *opened += 1;
        let (first, second) = match (logits(one), logits(other)) {
            (Ok(first), Ok(second)) => (first, second),
            (first, second) => {
                self.unread
                    .extend([first.err(), second.err()].into_iter().flatten());
                let reasons: Vec<&str> = self.unread.iter().map(|one| &*one.reason).collect();
                let reasons = reasons.join("; ");
                self.note = Some(format!("no interval: the logits cannot be read: {reasons}"));
                return;
            }
        };
        match bootstraps(one, &first, other, &second) {
            Ok(found) => {
                for (difference, found) in self.differences.iter_mut().zip(found) {
                    if let Some(estimate) = found.filter(|_| lacking(difference)) {
                        let spread = Some(Spread::TestImages);
                        *difference = Some(Difference { estimate, spread });
                    }
                }
            }
            Err(error) => {
                let reason = without_path(error);
                self.note = Some(format!("no interval: the logits cannot be used: {reason}"));
            }
        }
    }
}

/// The test logits of `run`.
fn logits(run: &Run) -> Result<ArchivedLogits, Unread> {
    let path = run.dir.logits();
    let read = logits_archive::read(&path, Some("test"));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    read.map_err(|error| Unread::new(format!("{}/{name}", run.folder), error))
}

/// Of two runs on the same test images, for each of [`COMPARED`].
fn bootstraps(
    one: &Run,
    first: &ArchivedLogits,
    other: &Run,
    second: &ArchivedLogits,
) -> rut_record::Result<Vec<Option<Estimate>>> {
    let difference = || -> rut_metrics::Result<(Intervals, Option<Intervals>)> {
        let options = BootstrapOptions::default();
        let raw = |archive: &ArchivedLogits| Outcomes::of(archive.logits()?, &archive.labels);
        let plain = bootstrap_difference(&raw(first)?, &raw(second)?, &options)?;
        let fits = (&one.record.temperature, &other.record.temperature);
        let (Some(a), Some(b)) = fits else {
            return Ok((plain, None));
        };
        let a = first.logits()?.at_temperature(a.temperature);
        let b = second.logits()?.at_temperature(b.temperature);
        let a = Outcomes::of(a, &first.labels)?;
        let b = Outcomes::of(b, &second.labels)?;
        Ok((plain, Some(bootstrap_difference(&a, &b, &options)?)))
    };
    let (plain, scaled) = difference().map_err(|source| rut_record::Error::Metrics {
        what: "the test logits of a pair".into(),
        source,
    })?;
    let found = [
        Some(plain.accuracy),
        Some(plain.ece),
        scaled.map(|scaled| scaled.ece),
        Some(plain.nll),
    ];
    Ok(found.map(|found| found.map(Estimate::of)).to_vec())
}

/// What a study's comparisons come to.
pub(crate) struct Comparisons {
    /// Intervals of differences.
    pub(crate) intervals: usize,
    /// Those that exclude 0.
    pub(crate) excluding: usize,
}

impl Comparisons {
    /// Of `pairs`.
    pub(crate) fn of(pairs: &[Pair]) -> Self {
        let all = pairs
            .iter()
            .flat_map(|pair| &pair.paired.differences)
            .flatten();
        let with = all.filter(|difference| difference.spread.is_some());
        let excluding = with.clone().filter(|d| d.estimate.excludes_zero()).count();
        Self {
            intervals: with.count(),
            excluding,
        }
    }
}

/// The settings that pairs are of.
pub(crate) fn compared_settings(pairs: &[Pair]) -> BTreeSet<usize> {
    pairs.iter().map(|pair| pair.setting).collect()
}
