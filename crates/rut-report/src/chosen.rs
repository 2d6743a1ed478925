//! Which runs get figures of their own, when there are too many for all to have some.

use rut_record::Labels;

use crate::network::Network;
use crate::study::{Place, Study};

/// The runs of one setting that get figures of their own.
pub(crate) struct Chosen {
    /// Index of the setting.
    pub(crate) setting: usize,
    /// Their number of labels.
    pub(crate) labels: Labels,
    /// The runs, by index: the first seed of the first dense network and of the sparsest ticket.
    pub(crate) runs: Vec<usize>,
}

/// What was chosen, and of how many.
pub(crate) struct Choice {
    /// By setting.
    pub(crate) settings: Vec<Chosen>,
    /// Runs that would have been chosen were there no limit.
    pub(crate) candidates: usize,
}

impl Choice {
    /// At most `most` runs of `study`: of each setting on its largest number of labels.
    pub(crate) fn of(study: &Study, most: usize) -> Self {
        let all: Vec<Chosen> = (0..study.settings.len())
            .filter_map(|setting| Chosen::of(study, setting))
            .collect();
        let candidates = all.iter().map(|chosen| chosen.runs.len()).sum();
        let mut left = most;
        let within = |mut chosen: Chosen| {
            chosen.runs.truncate(left);
            left -= chosen.runs.len();
            (!chosen.runs.is_empty()).then_some(chosen)
        };
        Self {
            settings: all.into_iter().filter_map(within).collect(),
            candidates,
        }
    }

    /// Runs that were chosen.
    pub(crate) fn runs(&self) -> usize {
        self.settings.iter().map(|chosen| chosen.runs.len()).sum()
    }
}

impl Chosen {
    fn of(study: &Study, setting: usize) -> Option<Self> {
        let labels = study.places_of(setting).map(|place| place.labels).max()?;
        let places: Vec<(Place, &Network)> = study
            .places_of(setting)
            .filter(|place| place.labels == labels)
            .filter_map(|place| Some((place, study.networks.get(place.network)?)))
            .collect();
        let dense = places.iter().find(|(_, network)| network.dense);
        let tickets = places.iter().filter(|(_, network)| !network.dense);
        let sparsest = tickets.min_by(|(_, a), (_, b)| a.body_density.total_cmp(&b.body_density));
        let first = |(place, _): &(Place, &Network)| study.cells.get(place)?.first().copied();
        let runs = [dense, sparsest].into_iter().flatten().filter_map(first);
        Some(Self {
            setting,
            labels,
            runs: runs.collect(),
        })
    }
}
