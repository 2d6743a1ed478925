//! A setting's rows: figures of every network in every variant, and dense minus ticket.

use std::collections::{BTreeMap, HashMap};

use rut_record::{Masking, NetworkKind, RunSpec};

use super::CardRuns;
use super::figures::{CardDifference, CardFigures, CardInterval, CardRow, CardSetting, Conclusion};
use rut_metrics::Estimate;

/// The runs of a setting.
pub(super) struct Table<'a> {
    /// Of the whole study.
    pub(super) runs: &'a CardRuns,
    /// Of every variant, the figures of its finished runs.
    pub(super) figures: &'a [HashMap<usize, Figures>],
    /// The setting's combinations.
    pub(super) members: &'a [usize],
}

/// A run's accuracy, and its ECE as the variant takes it.
#[derive(Clone, Copy)]
pub(super) struct Figures {
    pub(super) accuracy: f64,
    pub(super) ece: f64,
    pub(super) test_images: usize,
}

/// Means over seeds of one network and variant, and the figures by seed.
struct Cell {
    /// Which network it is: two may be called the same.
    network: String,
    label: String,
    dense: bool,
    by_seed: BTreeMap<u64, Figures>,
}

impl Table<'_> {
    pub(super) fn setting(&self, title: String) -> CardSetting {
        let without = self.cells(0);
        let networks = without.iter().map(|cell| cell.label.clone()).collect();
        let images = self.members.iter().filter_map(|&member| {
            let figures = self.figures(0, member)?;
            Some(figures.test_images)
        });
        let test_images = images.max().unwrap_or(0);
        let rows = self.runs.runs.iter().enumerate();
        let rows = rows
            .filter(|(index, _)| *index == 0 || self.concerns(*index))
            .map(|(index, (variant, _))| {
                let cells = self.cells(index);
                CardRow {
                    switch: variant.name,
                    defect: variant.defect,
                    figures: cells.iter().map(Cell::figures).collect(),
                    differences: differences(&cells, &without),
                }
            });
        CardSetting {
            title,
            networks,
            test_images,
            rows: rows.collect(),
        }
    }

    fn run(&self, variant: usize, member: usize) -> Option<usize> {
        let (_, runs) = self.runs.runs.get(variant)?;
        runs.get(member).copied()
    }

    fn figures(&self, variant: usize, member: usize) -> Option<Figures> {
        let run = self.run(variant, member)?;
        self.figures.get(variant)?.get(&run).copied()
    }

    fn concerns(&self, variant: usize) -> bool {
        let members = self.members.iter();
        if self
            .runs
            .runs
            .get(variant)
            .is_some_and(|(variant, _)| variant.is_formula())
        {
            return true;
        }
        members
            .copied()
            .any(|member| self.run(variant, member) != self.run(0, member))
    }

    /// The networks in the order of the study.
    fn cells(&self, variant: usize) -> Vec<Cell> {
        let mut cells: Vec<Cell> = Vec::new();
        for &member in self.members {
            let Some(planned) = self
                .run(0, member)
                .and_then(|run| self.runs.study_runs.runs.get(run))
            else {
                continue;
            };
            let spec = &planned.run.spec;
            let network = identity(spec);
            let place = cells.iter().position(|cell| cell.network == network);
            let place = place.unwrap_or_else(|| {
                cells.push(Cell {
                    label: unlike(&cells, title(spec)),
                    network,
                    dense: spec.network.kind == NetworkKind::Dense,
                    by_seed: BTreeMap::new(),
                });
                cells.len() - 1
            });
            let figures = self.figures(variant, member);
            if let (Some(cell), Some(figures)) = (cells.get_mut(place), figures) {
                cell.by_seed.insert(spec.training.seed, figures);
            }
        }
        cells
    }
}

impl Cell {
    fn figures(&self) -> CardFigures {
        let mean = |part: fn(&Figures) -> f64| {
            let values: Vec<f64> = self.by_seed.values().map(part).collect();
            Estimate::over_seeds(&values).map(|estimate| estimate.mean)
        };
        CardFigures {
            seeds: self.by_seed.len(),
            accuracy: mean(|figures| figures.accuracy),
            ece: mean(|figures| figures.ece),
        }
    }
}

/// Every dense network minus every ticket, compared with the same pair in `without`, cell by cell.
fn differences(cells: &[Cell], without: &[Cell]) -> Vec<CardDifference> {
    let both: Vec<(&Cell, &Cell)> = cells.iter().zip(without).collect();
    let (dense, tickets): (Vec<_>, Vec<_>) = both.into_iter().partition(|(cell, _)| cell.dense);
    let pairs = dense
        .iter()
        .flat_map(|control| tickets.iter().map(move |ticket| (control, ticket)));
    pairs
        .map(|(control, ticket)| {
            let interval = |part: fn(&Figures) -> f64| {
                let now = difference(control.0, ticket.0, part)?;
                let before = difference(control.1, ticket.1, part);
                Some(CardInterval {
                    mean: now.mean,
                    interval: now.interval,
                    conclusion: Conclusion::of(&now, before.as_ref()),
                })
            };
            let common = |seed: &&u64| ticket.0.by_seed.contains_key(seed);
            CardDifference {
                dense: control.0.label.clone(),
                ticket: ticket.0.label.clone(),
                seeds: control.0.by_seed.keys().filter(common).count(),
                accuracy: interval(|figures| figures.accuracy),
                ece: interval(|figures| figures.ece),
            }
        })
        .collect()
}

/// The mean of the differences of two networks' figures, seed by seed.
fn difference(dense: &Cell, ticket: &Cell, part: fn(&Figures) -> f64) -> Option<Estimate> {
    let both = dense
        .by_seed
        .iter()
        .filter_map(|(seed, figures)| Some(part(figures) - part(ticket.by_seed.get(seed)?)));
    Estimate::over_seeds(&both.collect::<Vec<_>>())
}

/// What distinguishes networks of one model.
fn identity(spec: &RunSpec) -> String {
    format!("{} {:?}", spec.network.weights_key(), spec.network.recipe)
}

/// `title`, numbered where another of `cells` has it.
fn unlike(cells: &[Cell], title: String) -> String {
    let taken = |label: &str| cells.iter().any(|cell| cell.label == label);
    let numbered = (2..).map(|number| format!("{title} ({number})"));
    let mut titles = std::iter::once(title.clone()).chain(numbered);
    titles.find(|label| !taken(label)).unwrap_or(title)
}

/// What a network is called.
fn title(spec: &RunSpec) -> String {
    let kind = match (spec.network.kind, &spec.network.checkpoint) {
        (NetworkKind::Dense, _) => "dense".to_owned(),
        (NetworkKind::Ticket, None) => format!("state {}", spec.network.state()),
        (NetworkKind::Ticket, Some(path)) => path.file_stem().map_or_else(
            || "ticket".into(),
            |stem| stem.to_string_lossy().into_owned(),
        ),
        (NetworkKind::Quantized, _) => spec.network.quantized_title(),
    };
    let kind = spec.network.recipe.clone().unwrap_or(kind);
    match spec.network.masking {
        Masking::Applied => kind,
        Masking::Dropped => format!("{kind}, mask dropped"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells of a dense network and a ticket, with figures by seed.
    #[test]
    fn differences_are_paired_by_seed() {
        let cell = |label: &str, dense, figures: &[(u64, f64, f64)]| Cell {
            network: label.into(),
            label: label.into(),
            dense,
            by_seed: figures
                .iter()
                .map(|&(s, accuracy, ece)| {
                    (
                        s,
                        Figures {
                            accuracy,
                            ece,
                            test_images: 797,
                        },
                    )
                })
                .collect(),
        };
        let cells = [
            cell(
                "dense",
                true,
                &[(1, 0.9, 0.1), (2, 0.8, 0.2), (3, 0.5, 0.5)],
            ),
            cell("state 8", false, &[(1, 0.8, 0.1), (2, 0.6, 0.3)]),
        ];
        let found = differences(&cells, &cells);
        let with_two: Vec<Cell> = [
            cell("V1", true, &[(1, 0.9, 0.1)]),
            cell("V2", true, &[(1, 0.7, 0.1)]),
            cell("state 8", false, &[(1, 0.8, 0.1)]),
        ]
        .into();
        let controls: Vec<String> = differences(&with_two, &with_two)
            .into_iter()
            .map(|difference| difference.dense)
            .collect();
        assert_eq!(controls, ["V1", "V2"]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].seeds, 2);
        let accuracy = found[0].accuracy.unwrap();
        assert!((accuracy.mean - 0.15).abs() < 1e-12);
        assert_eq!(accuracy.conclusion, Conclusion::Same);
        // Differences 0.1 and 0.2: their mean ± 12.706 · 0.05.
        let (lo, hi) = accuracy.interval.unwrap();
        assert!((hi - lo - 2.0 * 12.706_204_736 * 0.05).abs() < 1e-6);
        assert!((found[0].ece.unwrap().mean + 0.05).abs() < 1e-12);
    }

    #[test]
    fn networks_that_are_called_the_same_are_not_one() {
        let text =
            "[base]\nnetwork = 'dense'\n[axes]\ncheckpoint = ['v1.pth', 'v2.pth']\nseed = [1, 2]";
        let study = crate::sweep::Study::parse(text, "study.toml".as_ref()).unwrap();
        let results = tempfile::tempdir().unwrap();
        let card = CardRuns::of(&study).unwrap().card(results.path()).unwrap();
        assert_eq!(card.settings.len(), 1);
        assert_eq!(card.settings[0].networks, ["dense", "dense (2)"]);
    }
}
