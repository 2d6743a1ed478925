//! The reproduction card: what each defect of the reference does to the figures of a study, and to what one would conclude
//! from them. For the defects, see `published`; the runs are ordinary ones.

mod figures;
mod table;

pub use figures::{
    Card, CardDifference, CardFigures, CardInterval, CardRow, CardSetting, Conclusion,
};

use std::collections::HashMap;
use std::path::Path;

use rut_record::{Labels, OUTSIDE_IDENTITY, RunDir, RunSpec, fields, logits_archive};

use crate::error::Result;
use crate::sweep::{Combination, Study, StudyRuns};
use rut_run::{SWITCHES, Switch, as_published, published_ece};
use table::{Figures, Table};

/// The variant without any switch.
const NONE: &str = "none";

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

impl Variant {
    /// Whether it changes only how an ECE is taken.
    fn is_formula(&self) -> bool {
        let fields = self.switches.iter().flat_map(|switch| switch.fields);
        let mut formula = fields.map(|(field, _)| field.starts_with("ece_"));
        !self.switches.is_empty() && formula.all(|formula| formula)
    }
}

/// All variants, in the order of the card.
pub fn variants() -> Vec<Variant> {
    let none = Variant {
        name: NONE,
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
    /// All of them, each once, in the order in which they are run.
    pub study_runs: StudyRuns,
    /// Of every variant, the run of each of the study's combinations, by its place in `study_runs`.
    runs: Vec<(Variant, Vec<usize>)>,
}

impl CardRuns {
    /// Those of `study`.
    ///
    /// # Errors
    /// As [`Study::runs`].
    pub fn of(study: &Study) -> Result<Self> {
        let (base, locations) = study.combinations()?;
        let variants = variants();
        let trained = variants.iter().filter(|variant| !variant.is_formula());
        let mut all = Vec::new();
        for variant in trained.clone() {
            for combination in &base {
                all.push(Combination {
                    spec: as_published(&combination.spec, &variant.switches)?,
                    values: combination.values.clone(),
                });
            }
        }
        let (mut study_runs, of_all) = study.runs_of(all, locations)?;
        // The study itself has a plan of its own.
        study_runs.heading.study.push_str("-card");
        let names = trained.map(|variant| variant.name);
        let own: HashMap<&str, &[usize]> = names.zip(of_all.chunks(base.len().max(1))).collect();
        let runs = variants.iter().map(|variant| {
            // A formula scores the runs without any switch.
            let name = if variant.is_formula() {
                NONE
            } else {
                variant.name
            };
            let own = own.get(name).copied().unwrap_or_default();
            (variant.clone(), own.to_vec())
        });
        let runs = runs.collect();
        Ok(Self { study_runs, runs })
    }

    /// The card of those that are finished in `results`.
    ///
    /// # Errors
    /// If a specification has no form in JSON, or a finished run's logits cannot be read.
    pub fn card(&self, results: &Path) -> Result<Card> {
        let planned = &self.study_runs.runs;
        let figures = self.figures(results)?;
        let Some((_, base)) = self.runs.first() else {
            return Ok(Card::default());
        };
        let (mut groups, mut positions) = (Vec::<Vec<usize>>::new(), HashMap::new());
        for (combination, &run) in base.iter().enumerate() {
            let Some(planned) = planned.get(run) else {
                continue;
            };
            let key = setting(&planned.run.spec)?;
            let place = *positions.entry(key).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(members) => members.push(combination),
                None => groups.push(vec![combination]),
            }
        }
        let settings = groups.iter().map(|members| {
            let table = Table {
                runs: self,
                figures: &figures,
                members,
            };
            table.setting(self.title(members))
        });
        Ok(Card {
            settings: settings.collect(),
        })
    }

    /// Of every variant, the figures of its finished runs, by their places in `study_runs`.
    fn figures(&self, results: &Path) -> Result<Vec<HashMap<usize, Figures>>> {
        let formulas = self.runs.iter().filter(|(variant, _)| variant.is_formula());
        let formulas: Vec<&Variant> = formulas.map(|(variant, _)| variant).collect();
        let scored: &[usize] = self.runs.first().map_or(&[], |(_, runs)| runs);
        let (mut usual, mut by_formula) = (HashMap::new(), HashMap::new());
        for (place, planned) in self.study_runs.runs.iter().enumerate() {
            let dir = RunDir::at(results.join(&planned.run.run_id));
            let Ok(record) = dir.read_record() else {
                continue;
            };
            let raw = &record.test.raw;
            let published = record.published_ece.map(|published| published.ece);
            let figures = Figures {
                accuracy: raw.accuracy,
                ece: published.unwrap_or(raw.ece),
                test_images: record.data.test_images,
            };
            usual.insert(place, figures);
            if formulas.is_empty() || !scored.contains(&place) {
                continue;
            }
            dir.check_files(&record)?;
            let Some(test) = logits_archive::read(&dir.logits(), Some("test"))?.into_split() else {
                continue;
            };
            for variant in &formulas {
                let spec = as_published(&record.spec, &variant.switches)?;
                if let Some(published) = published_ece(&spec, &test)? {
                    let ece = published.ece;
                    by_formula.insert((variant.name, place), Figures { ece, ..figures });
                }
            }
        }
        let of = |(variant, runs): &(Variant, Vec<usize>)| {
            let figures = |&run: &usize| {
                let found = if variant.is_formula() {
                    by_formula.get(&(variant.name, run))
                } else {
                    usual.get(&run)
                };
                Some((run, *found?))
            };
            runs.iter().filter_map(figures).collect()
        };
        Ok(self.runs.iter().map(of).collect())
    }

    /// What the runs at `members` share, in words.
    fn title(&self, members: &[usize]) -> String {
        let run = || {
            let (_, base) = self.runs.first()?;
            self.study_runs.runs.get(*base.get(*members.first()?)?)
        };
        let planned = run();
        planned.map_or_else(String::new, |planned| title(&planned.run.spec))
    }
}

/// Data set, method and number of labels.
fn title(spec: &RunSpec) -> String {
    let method = spec.method_title(" ");
    let labels = Labels::of(spec).name();
    let precision = spec.network.precision_suffix();
    format!(
        "{} · {} · {method} · {labels}{precision}",
        spec.data.dataset, spec.network.model
    )
}

/// Everything but network and seed.
fn setting(spec: &RunSpec) -> Result<String> {
    let mut rest = fields(spec)?;
    for field in OUTSIDE_IDENTITY.into_iter().chain(["seed", "masking"]) {
        rest.remove(field);
    }
    Ok(serde_json::Value::Object(rest).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_none_each_and_all() {
        let variants = variants();
        assert_eq!(variants.len(), SWITCHES.len() + 2);
        assert_eq!(variants[0].switches.len(), 0);
        let formulas = variants.iter().filter(|variant| variant.is_formula());
        let formulas: Vec<&str> = formulas.map(|variant| variant.name).collect();
        assert_eq!(formulas, ["ece=logits", "ece=batch-sum", "ece=batch-mean"]);
        assert!(variants[variants.len() - 1].switches.len() >= 6);
    }
}
