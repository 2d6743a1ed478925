//! Runs, arranged for comparison: by setting, number of labels and network, seeds together. For differences, see `pair`.

use std::collections::BTreeMap;

use rut_metrics::{Estimate, Spread};
use rut_record::{Labels, UpstreamRecord};

use crate::UnusedFields;
use crate::gather::{Conflict, Gathered, RunStatus, Unfinished};
use crate::metric::Metric;
use crate::network::{Network, NetworkKey, networks};
use crate::run::Run;
use crate::setting::{Setting, settings};
use crate::table::Value;
use crate::unread::Unread;

/// All that a report tells.
pub(crate) struct Study {
    /// What it is called, if a plan says so.
    pub(crate) title: Option<String>,
    /// What it asks, if a plan says so.
    pub(crate) about: Option<String>,
    /// Finished runs in the order of setting, labels, network and seed.
    pub(crate) runs: Vec<Run>,
    /// Of each of them, its condition.
    pub(crate) conditions: Vec<Condition>,
    /// What is compared, in order.
    pub(crate) settings: Vec<Setting>,
    /// The networks, in order.
    pub(crate) networks: Vec<Network>,
    /// Runs that differ in nothing but the seed.
    pub(crate) cells: BTreeMap<Condition, Vec<usize>>,
    /// What is not finished.
    pub(crate) unfinished: Vec<Unfinished>,
    /// Records that contradict each other.
    pub(crate) conflicts: Vec<Conflict>,
    /// Networks on their own source data.
    pub(crate) upstream: Vec<UpstreamRecord>,
    /// What could not be read, beside the records of runs.
    pub(crate) unread: Vec<Unread>,
}

/// Where a run belongs, seeds apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Condition {
    /// Index of its setting.
    pub(crate) setting: usize,
    /// Its number of labels.
    pub(crate) labels: Labels,
    /// Index of its network.
    pub(crate) network: usize,
}

impl Study {
    /// Arranges what was gathered.
    pub(crate) fn of(gathered: Gathered, unused: UnusedFields) -> Self {
        let networks = networks(&gathered.runs);
        let (settings, of_runs) = settings(&gathered.runs, unused);
        let index: BTreeMap<&NetworkKey, usize> = networks
            .iter()
            .enumerate()
            .map(|(at, network)| (&network.key, at))
            .collect();
        let mut placed: Vec<(Condition, Run)> = gathered
            .runs
            .into_iter()
            .zip(of_runs)
            .map(|(run, setting)| {
                let key = NetworkKey::of(&run.record);
                let condition = Condition {
                    setting,
                    labels: Labels::of(&run.record.spec),
                    network: index.get(&key).copied().unwrap_or_default(),
                };
                (condition, run)
            })
            .collect();
        placed.sort_by(|(a, run), (b, other)| {
            let key = |run: &Run| (run.record.spec.training.seed, run.record.run_id.clone());
            a.cmp(b).then_with(|| key(run).cmp(&key(other)))
        });
        let (conditions, runs): (Vec<Condition>, Vec<Run>) = placed.into_iter().unzip();
        let mut cells: BTreeMap<Condition, Vec<usize>> = BTreeMap::new();
        for (run, condition) in conditions.iter().enumerate() {
            cells.entry(*condition).or_default().push(run);
        }
        Self {
            title: gathered.title,
            about: gathered.about,
            runs,
            conditions,
            settings,
            networks,
            cells,
            unfinished: gathered.unfinished,
            conflicts: gathered.conflicts,
            upstream: gathered.upstream,
            unread: gathered.unread,
        }
    }

    /// How many runs have `status`.
    pub(crate) fn count(&self, status: RunStatus) -> usize {
        self.unfinished
            .iter()
            .filter(|run| run.status == status)
            .count()
    }

    /// What the method of a condition is called, without what else sets its runs apart.
    pub(crate) fn method_name(&self, condition: Condition) -> String {
        let setting = self.settings.get(condition.setting);
        setting.map(Setting::method_name).unwrap_or_default()
    }

    /// The runs of a condition, by seed.
    pub(crate) fn at(&self, condition: Condition) -> Vec<&Run> {
        let runs = self.cells.get(&condition).into_iter().flatten();
        runs.filter_map(|run| self.runs.get(*run)).collect()
    }

    /// The same, of several runs of a seed the first.
    pub(crate) fn by_seed(&self, condition: Condition) -> BTreeMap<u64, &Run> {
        let runs = self.at(condition).into_iter().rev();
        runs.map(|run| (run.record.spec.training.seed, run))
            .collect()
    }

    /// Places of one setting, in order of labels and network.
    pub(crate) fn conditions_of(&self, setting: usize) -> impl Iterator<Item = Condition> {
        let own = move |condition: &&Condition| condition.setting == setting;
        self.cells.keys().filter(own).copied()
    }

    /// The figure over the seeds of a condition, and what its interval allows for: seeds where they vary, else test images.
    pub(crate) fn estimate(
        &self,
        condition: Condition,
        metric: &Metric,
    ) -> Option<(Estimate, Option<Spread>)> {
        let over = self.over_seeds(condition, metric)?;
        if over.interval.is_some() {
            return Some((over, Some(Spread::Seeds)));
        }
        match self.bootstrap(condition, metric) {
            Some(found) => Some((found, Some(Spread::TestImages))),
            None => Some((over, None)),
        }
    }

    /// Whether `metric` of a run in one of `conditions` is of no probability.
    pub(crate) fn is_of_none(&self, conditions: &[Condition], metric: &Metric) -> bool {
        let mut runs = conditions.iter().flat_map(|own| self.at(*own));
        metric.of_probabilities && runs.any(Run::has_no_probabilities)
    }

    /// `value`, which is of `metric` in some conditions, marked where that is of no probability.
    pub(crate) fn marked(&self, conditions: &[Condition], metric: &Metric, value: Value) -> Value {
        if self.is_of_none(conditions, metric) {
            Value::Noted(Box::new(value))
        } else {
            value
        }
    }

    /// The figure over the seeds of a condition, with Student's interval.
    pub(crate) fn over_seeds(&self, condition: Condition, metric: &Metric) -> Option<Estimate> {
        let runs = self.at(condition);
        let values: Option<Vec<f64>> = runs.iter().map(|run| (metric.of)(&run.record)).collect();
        Estimate::over_seeds(&values?)
    }

    /// The figure over the seeds of a condition, with the mean bootstrap interval.
    pub(crate) fn bootstrap(&self, condition: Condition, metric: &Metric) -> Option<Estimate> {
        let of = metric.interval?;
        let intervals: Vec<_> = self
            .at(condition)
            .iter()
            .map(|run| of(&run.record))
            .collect();
        Estimate::of_bootstraps(&intervals)
    }

    /// Of how many runs with a fitted temperature among those of `conditions` it is in doubt, and how many there are.
    pub(crate) fn doubtful(&self, conditions: &[Condition]) -> (usize, usize) {
        let runs = conditions.iter().flat_map(|condition| self.at(*condition));
        let fitted: Vec<&Run> = runs
            .filter(|run| run.record.temperature.is_some())
            .collect();
        let doubted = |run: &&&Run| run.record.temperature_doubt().is_some();
        (fitted.iter().filter(doubted).count(), fitted.len())
    }

    /// `N = 797 test images, 3 seeds`, for a caption; the least and the most where they differ.
    pub(crate) fn counts(&self, conditions: &[Condition]) -> String {
        let images = conditions.iter().flat_map(|condition| self.at(*condition));
        let images = range(images.map(|run| run.record.data.test_images));
        let seeds = range(conditions.iter().map(|condition| self.at(*condition).len()));
        let noun = if seeds == "1" { "seed" } else { "seeds" };
        format!("N = {images} test images, {seeds} {noun}")
    }
}

/// The least and the most of some counts, or the one that they all are.
pub(crate) fn range(counts: impl Iterator<Item = usize>) -> String {
    let counts: Vec<usize> = counts.collect();
    match (counts.iter().min(), counts.iter().max()) {
        (Some(least), Some(most)) if least != most => format!("{least} to {most}"),
        (Some(all), _) => all.to_string(),
        _ => "0".into(),
    }
}
