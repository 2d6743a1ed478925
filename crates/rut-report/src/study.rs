//! Runs, arranged for comparison: by setting, number of labels and network, seeds together. Differences are `pair`'s.

use std::collections::BTreeMap;

use rut_metrics::{Estimate, Spread};
use rut_record::{Labels, UpstreamRecord};

use crate::UnusedFields;
use crate::gather::{Conflict, Gathered, RunStatus, Unfinished};
use crate::metric::Metric;
use crate::network::{Network, NetworkKey, networks};
use crate::run::Run;
use crate::setting::{Setting, settings};
use crate::unread::Unread;

/// All that a report tells.
pub(crate) struct Study {
    /// What it is called, if a plan says so.
    pub(crate) title: Option<String>,
    /// What it asks, if a plan says so.
    pub(crate) about: Option<String>,
    /// Finished runs in the order of setting, labels, network and seed.
    pub(crate) runs: Vec<Run>,
    /// Of each of them, its place.
    pub(crate) places: Vec<Place>,
    /// What is compared, in order.
    pub(crate) settings: Vec<Setting>,
    /// The networks, in order.
    pub(crate) networks: Vec<Network>,
    /// Runs that differ in nothing but the seed.
    pub(crate) cells: BTreeMap<Place, Vec<usize>>,
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
pub(crate) struct Place {
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
        let mut placed: Vec<(Place, Run)> = gathered
            .runs
            .into_iter()
            .zip(of_runs)
            .map(|(run, setting)| {
                let key = NetworkKey::of(&run.record);
                let place = Place {
                    setting,
                    labels: Labels::of(&run.record.spec),
                    network: index.get(&key).copied().unwrap_or_default(),
                };
                (place, run)
            })
            .collect();
        placed.sort_by(|(a, run), (b, other)| {
            let key = |run: &Run| (run.record.spec.training.seed, run.record.run_id.clone());
            a.cmp(b).then_with(|| key(run).cmp(&key(other)))
        });
        let (places, runs): (Vec<Place>, Vec<Run>) = placed.into_iter().unzip();
        let mut cells: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
        for (run, place) in places.iter().enumerate() {
            cells.entry(*place).or_default().push(run);
        }
        Self {
            title: gathered.title,
            about: gathered.about,
            runs,
            places,
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

    /// The runs of a place, by seed.
    pub(crate) fn at(&self, place: Place) -> Vec<&Run> {
        let runs = self.cells.get(&place).into_iter().flatten();
        runs.filter_map(|run| self.runs.get(*run)).collect()
    }

    /// Places of one setting, in order of labels and network.
    pub(crate) fn places_of(&self, setting: usize) -> impl Iterator<Item = Place> {
        let own = move |place: &&Place| place.setting == setting;
        self.cells.keys().filter(own).copied()
    }

    /// The figure over the seeds of a place, and what its interval allows for: seeds where they vary, else test images.
    pub(crate) fn estimate(
        &self,
        place: Place,
        metric: &Metric,
    ) -> Option<(Estimate, Option<Spread>)> {
        let over = self.over_seeds(place, metric)?;
        if over.interval.is_some() {
            return Some((over, Some(Spread::Seeds)));
        }
        match self.bootstrap(place, metric) {
            Some(found) => Some((found, Some(Spread::TestImages))),
            None => Some((over, None)),
        }
    }

    /// The figure over the seeds of a place, with Student's interval.
    pub(crate) fn over_seeds(&self, place: Place, metric: &Metric) -> Option<Estimate> {
        let runs = self.at(place);
        let values: Option<Vec<f64>> = runs.iter().map(|run| (metric.of)(&run.record)).collect();
        Estimate::over_seeds(&values?)
    }

    /// The figure over the seeds of a place, with the mean bootstrap interval.
    pub(crate) fn bootstrap(&self, place: Place, metric: &Metric) -> Option<Estimate> {
        let of = metric.interval?;
        let intervals: Vec<_> = self.at(place).iter().map(|run| of(&run.record)).collect();
        Estimate::of_bootstraps(&intervals)
    }

    /// Of how many runs with a fitted temperature among those of `places` it is in doubt, and how many there are.
    pub(crate) fn doubtful(&self, places: &[Place]) -> (usize, usize) {
        let runs = places.iter().flat_map(|place| self.at(*place));
        let fitted: Vec<&Run> = runs
            .filter(|run| run.record.temperature.is_some())
            .collect();
        let doubted = |run: &&&Run| run.record.temperature_doubt().is_some();
        (fitted.iter().filter(doubted).count(), fitted.len())
    }

    /// `N = 797 test images, 3 seeds`, for a caption; the least and the most where they differ.
    pub(crate) fn counts(&self, places: &[Place]) -> String {
        let images = places.iter().flat_map(|place| self.at(*place));
        let images = range(images.map(|run| run.record.data.test_images));
        let seeds = range(places.iter().map(|place| self.at(*place).len()));
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
