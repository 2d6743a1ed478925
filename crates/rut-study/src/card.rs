//! The reproduction card: what each defect of the reference does to the figures of a study, and to what one would conclude
//! from them. Which defects there are is `published`'s; the runs are ordinary ones.

mod figures;
mod table;

pub use figures::{
    Card, CardDifference, CardFigures, CardInterval, CardRow, CardSetting, Conclusion,
};

use std::path::Path;

use crate::error::Result;
use crate::published::{SWITCHES, Switch, as_published};
use crate::record::Record;
use crate::run_dir::RunDir;
use crate::spec::{Method, RunSpec};
use crate::sweep::{Combination, Prospects, Study};
use crate::unused::fields;
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
        let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
        for (combination, &run) in base.iter().enumerate() {
            let Some(planned) = planned.get(run) else {
                continue;
            };
            let key = setting(&planned.run.spec)?;
            match groups.iter_mut().find(|(known, _)| *known == key) {
                Some((_, members)) => members.push(combination),
                None => groups.push((key, vec![combination])),
            }
        }
        let settings = groups.iter().map(|(_, members)| {
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
    let method = match spec.method {
        Method::Lp => "lp".to_owned(),
        Method::Vp => format!("vp {}", spec.mapping),
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

    #[test]
    fn variants_are_none_each_and_all() {
        let variants = variants();
        assert_eq!(variants.len(), SWITCHES.len() + 2);
        assert_eq!(variants[0].switches.len(), 0);
        assert!(variants[variants.len() - 1].switches.len() >= 6);
    }
}
