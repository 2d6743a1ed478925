//! The reproduction card: what each defect of the reference does to the figures of a study, and to what one would conclude
//! from them. Which defects there are is `published`'s; the runs are ordinary ones.

mod figures;
mod table;

pub use figures::{
    Card, CardDifference, CardFigures, CardInterval, CardRow, CardSetting, Conclusion,
};

use std::collections::HashMap;
use std::path::Path;

use rut_record::{Labels, OUTSIDE_IDENTITY, Record, RunDir, RunSpec, fields};

use crate::error::Result;
use crate::sweep::{Combination, Prospects, Study};
use rut_run::{SWITCHES, Switch, as_published};
use table::Table;

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
    /// All of them, each once, in the order in which they are run.
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
        let variants = variants();
        // What is scored again comes after what it is made of, and long enough after for that to be finished.
        let (formulas, trained): (Vec<_>, Vec<_>) =
            variants.iter().partition(|variant| variant.is_formula());
        let mut all = Vec::new();
        for variant in trained.iter().chain(&formulas) {
            for combination in &base {
                all.push(Combination {
                    spec: as_published(&combination.spec, &variant.switches)?,
                    values: combination.values.clone(),
                });
            }
        }
        let (mut prospects, of_all) = study.prospects_of(all, places)?;
        // The study itself has a plan of its own.
        prospects.heading.study.push_str("-card");
        let names = trained.iter().chain(&formulas).map(|variant| variant.name);
        let own: HashMap<&str, &[usize]> = names.zip(of_all.chunks(base.len().max(1))).collect();
        let runs = variants.iter().map(|variant| {
            let own = own.get(variant.name).copied().unwrap_or_default();
            (variant.clone(), own.to_vec())
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
        let (mut groups, mut places) = (Vec::<Vec<usize>>::new(), HashMap::new());
        for (combination, &run) in base.iter().enumerate() {
            let Some(planned) = planned.get(run) else {
                continue;
            };
            let key = setting(&planned.run.spec)?;
            let place = *places.entry(key).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(members) => members.push(combination),
                None => groups.push(vec![combination]),
            }
        }
        let settings = groups.iter().map(|members| {
            let table = Table {
                runs: self,
                records: &records,
                members,
            };
            table.setting(self.title(members))
        });
        Ok(Card {
            settings: settings.collect(),
        })
    }

    /// What the runs at `members` share, in words.
    fn title(&self, members: &[usize]) -> String {
        let run = || {
            let (_, base) = self.runs.first()?;
            self.prospects.runs.get(*base.get(*members.first()?)?)
        };
        let planned = run();
        planned.map_or_else(String::new, |planned| title(&planned.run.spec))
    }
}

/// Data set, method and number of labels.
fn title(spec: &RunSpec) -> String {
    let method = spec.method_title(" ");
    let labels = Labels::of(spec).name();
    format!(
        "{} · {} · {method} · {labels}",
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
