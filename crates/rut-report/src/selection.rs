//! Which runs get figures of their own, when there are too many for all to have some.

use rut_record::Labels;

use crate::network::Network;
use crate::study::{Condition, Study};

/// The runs of one setting that get figures of their own.
pub(crate) struct SelectedRuns {
    /// Index of the setting.
    pub(crate) setting: usize,
    /// Their number of labels.
    pub(crate) labels: Labels,
    /// The runs, by index: the first seed of the first dense network and of the most compressed one.
    pub(crate) runs: Vec<usize>,
}

/// What was chosen, and of how many.
pub(crate) struct Selection {
    /// By setting.
    pub(crate) settings: Vec<SelectedRuns>,
    /// Runs that would have been chosen were there no limit.
    pub(crate) candidates: usize,
}

impl Selection {
    /// At most `most` runs of `study`: of each setting on its largest number of labels.
    pub(crate) fn of(study: &Study, most: usize) -> Self {
        let all: Vec<SelectedRuns> = (0..study.settings.len())
            .filter_map(|setting| SelectedRuns::of(study, setting))
            .collect();
        let candidates = all.iter().map(|chosen| chosen.runs.len()).sum();
        let mut left = most;
        let within = |mut chosen: SelectedRuns| {
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

impl SelectedRuns {
    fn of(study: &Study, setting: usize) -> Option<Self> {
        let labels = study
            .conditions_of(setting)
            .map(|condition| condition.labels)
            .max()?;
        let conditions: Vec<(Condition, &Network)> = study
            .conditions_of(setting)
            .filter(|condition| condition.labels == labels)
            .filter_map(|condition| Some((condition, study.networks.get(condition.network)?)))
            .collect();
        let dense = conditions.iter().find(|(_, network)| network.dense);
        let compressed = conditions.iter().filter(|(_, network)| !network.dense);
        let sparsest =
            compressed.min_by(|(_, a), (_, b)| a.share_of_bits().total_cmp(&b.share_of_bits()));
        let first =
            |(condition, _): &(Condition, &Network)| study.cells.get(condition)?.first().copied();
        let runs = [dense, sparsest].into_iter().flatten().filter_map(first);
        Some(Self {
            setting,
            labels,
            runs: runs.collect(),
        })
    }
}
