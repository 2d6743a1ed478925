//! The reproduction card: what each defect of the reference does to the figures of a study, and to what one would conclude
//! from them. Which defects there are is `published`'s; the runs are ordinary ones.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::error::Result;
use crate::published::{SWITCHES, Switch, as_published};
use crate::record::Record;
use crate::report::estimate::Estimate;
use crate::run_dir::RunDir;
use crate::spec::{Masking, NetworkKind, RunSpec};
use crate::sweep::{Combination, Prospects, Study};
use crate::unused::fields;

/// A way to run a study: as it is, with one switch on, or with all that are on together.
#[derive(Clone, Debug)]
pub struct Variant {
    /// `none`, the switch's name, or `all`.
    pub name: &'static str,
    /// Numbers of the defects.
    pub defect: &'static str,
    /// What is on.
    pub switches: Vec<&'static Switch>,
}

/// All variants, in the order of the card.
pub fn variants() -> Vec<Variant> {
    let none = Variant {
        name: "none",
        defect: "",
        switches: Vec::new(),
    };
    let one = |switch: &'static Switch| Variant {
        name: switch.name,
        defect: switch.defect,
        switches: vec![switch],
    };
    let all = Variant {
        name: "all",
        defect: "",
        switches: SWITCHES.iter().filter(|switch| switch.together).collect(),
    };
    std::iter::once(none)
        .chain(SWITCHES.iter().map(one))
        .chain([all])
        .collect()
}

/// The runs of a study in every variant.
#[derive(Clone, Debug)]
pub struct CardRuns {
    /// All of them, each once: those as they are first, so that the others may make use of them.
    pub prospects: Prospects,
    /// Of every variant, the run of each of the study's combinations, by its place in `prospects`.
    runs: Vec<(Variant, Vec<usize>)>,
}

impl CardRuns {
    /// Those of `study`.
    ///
    /// # Errors
    /// As [`Study::prospects`].
    pub fn of(study: &Study) -> Result<Self> {
        let (base, places) = study.combinations()?;
        let mut all = Vec::new();
        let variants = variants();
        for variant in &variants {
            for combination in &base {
                all.push(Combination {
                    spec: as_published(&combination.spec, &variant.switches)?,
                    values: combination.values.clone(),
                });
            }
        }
        let (prospects, of_all) = study.prospects_of(all, places)?;
        let runs = variants.into_iter().enumerate().map(|(index, variant)| {
            let own = of_all.iter().skip(index * base.len()).take(base.len());
            (variant, own.copied().collect())
        });
        let runs = runs.collect();
        Ok(Self { prospects, runs })
    }

    /// The card of those that are finished in `results`.
    ///
    /// # Errors
    /// If a specification has no form in JSON.
    pub fn card(&self, results: &Path) -> Result<Card> {
        let planned = &self.prospects.runs;
        let records: Vec<Option<Record>> = planned
            .iter()
            .map(|run| RunDir::at(results.join(&run.run.run_id)).read_record().ok())
            .collect();
        let Some((_, base)) = self.runs.first() else {
            return Ok(Card::default());
        };
        let mut groups: BTreeMap<usize, (String, Vec<usize>)> = BTreeMap::new();
        let mut keys: Vec<String> = Vec::new();
        for (combination, &run) in base.iter().enumerate() {
            let Some(planned) = planned.get(run) else {
                continue;
            };
            let key = setting(&planned.run.spec)?;
            let place = keys.iter().position(|known| *known == key);
            let place = place.unwrap_or_else(|| {
                keys.push(key);
                keys.len() - 1
            });
            let title = title(&planned.run.spec);
            let (_, members) = groups.entry(place).or_insert((title, Vec::new()));
            members.push(combination);
        }
        let settings = groups.into_values().map(|(title, members)| {
            let table = Table {
                runs: self,
                records: &records,
                members: &members,
            };
            table.setting(title)
        });
        Ok(Card {
            settings: settings.collect(),
        })
    }
}

/// What the switches do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Card {
    /// Runs that differ in network and seed only, together.
    pub settings: Vec<CardSetting>,
}

/// Runs that differ in network and seed only.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CardSetting {
    /// Data set, method and number of labels.
    pub title: String,
    /// Networks, in the order of the study.
    pub networks: Vec<String>,
    /// Test images.
    pub test_images: usize,
    /// A row for each variant that concerns one of the runs; the first is without any switch.
    pub rows: Vec<CardRow>,
}

/// One variant in one setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CardRow {
    /// Name of the variant.
    pub switch: &'static str,
    /// Numbers of the defects.
    pub defect: &'static str,
    /// Of every network.
    pub figures: Vec<CardFigures>,
    /// The first dense network minus each ticket.
    pub differences: Vec<CardDifference>,
}

/// Figures of a network, means over seeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CardFigures {
    /// Finished runs.
    pub seeds: usize,
    /// Share of right predictions on the test images, 0–1.
    pub accuracy: Option<f64>,
    /// ECE as the variant takes it; of logits or summed over batches, of any magnitude.
    pub ece: Option<f64>,
}

/// A dense network minus a ticket.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CardDifference {
    /// The dense network.
    pub dense: String,
    /// The ticket.
    pub ticket: String,
    /// Seeds that both have.
    pub seeds: usize,
    /// Of accuracies.
    pub accuracy: Option<CardInterval>,
    /// Of ECEs.
    pub ece: Option<CardInterval>,
}

/// A mean over seeds, and what one would conclude.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CardInterval {
    /// The mean.
    pub mean: f64,
    /// Student's 95 % interval over seeds, where there are some.
    pub interval: Option<(f64, f64)>,
    /// What is concluded, held against what is concluded without any switch.
    pub conclusion: Conclusion,
}

/// What a difference says, held against what it says without any switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conclusion {
    /// The same.
    Same,
    /// An interval that held 0 does so no more.
    Gained,
    /// An interval that did not hold 0 does so now.
    Lost,
    /// The other sign, and no interval holds 0.
    Reversed,
    /// Nothing that could be held against anything: without intervals, none is drawn.
    Open,
}

impl Conclusion {
    fn of(now: &Estimate, without: Option<&Estimate>) -> Self {
        let side = |estimate: &Estimate| {
            estimate.interval.map(|_| match estimate.excludes_zero() {
                true => estimate.mean.signum(),
                false => 0.0,
            })
        };
        match (side(now), without.and_then(side)) {
            (Some(now), Some(before)) if now == before => Self::Same,
            (Some(_), Some(0.0)) => Self::Gained,
            (Some(0.0), Some(_)) => Self::Lost,
            (Some(_), Some(_)) => Self::Reversed,
            _ => Self::Open,
        }
    }
}

/// The runs of a setting.
struct Table<'a> {
    runs: &'a CardRuns,
    /// Of every prospect, if it is finished.
    records: &'a [Option<Record>],
    /// The setting's combinations.
    members: &'a [usize],
}

/// Means over seeds of one network and variant, and the figures by seed.
struct Cell {
    label: String,
    dense: bool,
    by_seed: BTreeMap<u64, (f64, f64)>,
}

impl Table<'_> {
    fn setting(&self, title: String) -> CardSetting {
        let without = self.cells(0);
        let networks = without.iter().map(|cell| cell.label.clone()).collect();
        let images = self.members.iter().filter_map(|&member| {
            let record = self.record(0, member)?;
            Some(record.data.test_images)
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

    fn record(&self, variant: usize, member: usize) -> Option<&Record> {
        self.records.get(self.run(variant, member)?)?.as_ref()
    }

    fn concerns(&self, variant: usize) -> bool {
        let members = self.members.iter();
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
                .and_then(|run| self.runs.prospects.runs.get(run))
            else {
                continue;
            };
            let spec = &planned.run.spec;
            let label = network(spec);
            let place = cells.iter().position(|cell| cell.label == label);
            let place = place.unwrap_or_else(|| {
                cells.push(Cell {
                    label,
                    dense: spec.network == NetworkKind::Dense,
                    by_seed: BTreeMap::new(),
                });
                cells.len() - 1
            });
            if let (Some(cell), Some(record)) = (cells.get_mut(place), self.record(variant, member))
            {
                let ece = record.published_ece.map_or(record.test.raw.ece, |p| p.ece);
                cell.by_seed
                    .insert(spec.seed, (record.test.raw.accuracy, ece));
            }
        }
        cells
    }
}

impl Cell {
    fn figures(&self) -> CardFigures {
        let mean = |part: fn(&(f64, f64)) -> f64| {
            let values: Vec<f64> = self.by_seed.values().map(part).collect();
            Estimate::over_seeds(&values).map(|estimate| estimate.mean)
        };
        CardFigures {
            seeds: self.by_seed.len(),
            accuracy: mean(|figures| figures.0),
            ece: mean(|figures| figures.1),
        }
    }
}

fn differences(cells: &[Cell], without: &[Cell]) -> Vec<CardDifference> {
    let Some(dense) = cells.iter().position(|cell| cell.dense) else {
        return Vec::new();
    };
    let tickets = cells.iter().enumerate().filter(|(_, cell)| !cell.dense);
    let of = |ticket: usize| {
        let pair = |cells: &[Cell], part: fn(&(f64, f64)) -> f64| {
            let (dense, ticket) = (cells.get(dense)?, cells.get(ticket)?);
            let both = dense.by_seed.iter().filter_map(|(seed, figures)| {
                Some(part(figures) - part(ticket.by_seed.get(seed)?))
            });
            Estimate::over_seeds(&both.collect::<Vec<_>>())
        };
        let interval = |part: fn(&(f64, f64)) -> f64| {
            let now = pair(cells, part)?;
            Some(CardInterval {
                mean: now.mean,
                interval: now.interval,
                conclusion: Conclusion::of(&now, pair(without, part).as_ref()),
            })
        };
        (interval(|f| f.0), interval(|f| f.1))
    };
    tickets
        .filter_map(|(index, ticket)| {
            let control = cells.get(dense)?;
            let common = |seed: &&u64| ticket.by_seed.contains_key(seed);
            let (accuracy, ece) = of(index);
            Some(CardDifference {
                dense: control.label.clone(),
                ticket: ticket.label.clone(),
                seeds: control.by_seed.keys().filter(common).count(),
                accuracy,
                ece,
            })
        })
        .collect()
}

/// What a network is called.
fn network(spec: &RunSpec) -> String {
    let kind = match (spec.network, &spec.checkpoint) {
        (NetworkKind::Dense, _) => "dense".to_owned(),
        (NetworkKind::Ticket, None) => format!("state {}", spec.state()),
        (NetworkKind::Ticket, Some(path)) => path.file_stem().map_or_else(
            || "ticket".into(),
            |stem| stem.to_string_lossy().into_owned(),
        ),
    };
    let kind = spec.recipe.clone().unwrap_or(kind);
    match spec.masking {
        Masking::Applied => kind,
        Masking::Dropped => format!("{kind}, mask dropped"),
    }
}

/// Data set, method and number of labels.
fn title(spec: &RunSpec) -> String {
    let method = match spec.method {
        crate::spec::Method::Lp => "lp".to_owned(),
        crate::spec::Method::Vp => format!("vp {}", spec.mapping),
    };
    let labels = match (spec.fraction, spec.n_shot) {
        (Some(share), _) => format!("fraction {share}"),
        (None, rut_data::Budget::PerClass(rut_data::Shots(shots))) => format!("{shots} shots"),
        (None, _) => "all images".to_owned(),
    };
    format!("{} · {} · {method} · {labels}", spec.dataset, spec.model)
}

/// Everything but network and seed.
fn setting(spec: &RunSpec) -> Result<String> {
    let mut rest = fields(spec)?;
    for field in [
        "seed",
        "network",
        "sparsity",
        "checkpoint",
        "mask",
        "masking",
        "recipe",
        "pretrained_dir",
    ] {
        rest.remove(field);
    }
    Ok(serde_json::Value::Object(rest).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(mean: f64, half: f64) -> Estimate {
        Estimate {
            mean,
            interval: Some((mean - half, mean + half)),
        }
    }

    #[test]
    fn a_conclusion_is_held_against_the_one_without_switches() {
        let (up, down, none) = (estimate(2.0, 1.0), estimate(-2.0, 1.0), estimate(0.5, 1.0));
        let of = |now: &Estimate, without: &Estimate| Conclusion::of(now, Some(without));
        assert_eq!(of(&up, &up), Conclusion::Same);
        assert_eq!(of(&none, &none), Conclusion::Same);
        assert_eq!(of(&down, &up), Conclusion::Reversed);
        assert_eq!(of(&none, &up), Conclusion::Lost);
        assert_eq!(of(&up, &none), Conclusion::Gained);
        let single = Estimate {
            mean: 2.0,
            interval: None,
        };
        assert_eq!(of(&single, &up), Conclusion::Open);
        assert_eq!(Conclusion::of(&up, None), Conclusion::Open);
    }

    #[test]
    fn variants_are_none_each_and_all() {
        let variants = variants();
        assert_eq!(variants.len(), SWITCHES.len() + 2);
        assert_eq!(variants[0].switches.len(), 0);
        assert!(variants[variants.len() - 1].switches.len() >= 6);
    }

    /// Cells of a dense network and a ticket, with figures by seed.
    #[test]
    fn differences_are_paired_by_seed() {
        let cell = |label: &str, dense, figures: &[(u64, f64, f64)]| Cell {
            label: label.into(),
            dense,
            by_seed: figures.iter().map(|&(s, a, e)| (s, (a, e))).collect(),
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
}
