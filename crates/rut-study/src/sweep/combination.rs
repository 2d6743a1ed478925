//! From a study's axes to specifications: all combinations, without those that are left out and
//! those that come to the same run. For whether a run can run, see `study_run`.

use std::collections::HashSet;

use rut_record::{ALTERNATIVES, Locations, RunSpec, fields};
use rut_run::{
    all_fields, canonical_value, canonicalize, drop_unused_options, expand_preset, unused_fields,
};
use serde_json::Value as Json;
use toml::{Table, Value};

use super::study::{MOST, Study};
use crate::error::Result;

/// A run of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Combination {
    /// What is run. Fields of which it makes no use have their defaults.
    pub spec: RunSpec,
    /// For each axis, which of its values, from 0. Of several combinations that come to one run, the first.
    pub values: Vec<usize>,
}

impl Study {
    /// The study's runs, in the order of the file, the last axis varying fastest; and where they read and write.
    ///
    /// # Errors
    /// If an exclusion leaves out nothing, no run is left, or there are far too many.
    pub fn combinations(&self) -> Result<(Vec<Combination>, Locations)> {
        let locations = self.locations()?;
        let (base, _) = self.base.clone().spec_table(&all_fields())?;
        let total = self.total()?;
        let (mut runs, mut seen) = (Vec::new(), HashSet::new());
        let mut used = vec![false; self.exclusions.len()];
        for index in 0..total {
            let values = self.values(index);
            let mut table = self.table(&base, &values);
            expand_preset(&mut table).map_err(|error| self.problem(error.to_string()))?;
            if self.is_excluded(&table, &mut used)? {
                continue;
            }
            let spec = self.useful(table)?;
            if seen.insert(Json::Object(fields(&spec)?).to_string()) {
                runs.push(Combination { spec, values });
            }
        }
        let unused = self.exclusions.iter().zip(&used).find(|(_, used)| !**used);
        if let Some((exclusion, _)) = unused {
            let text = &exclusion.text;
            return Err(self.problem(format!(
                "exclude {{ {text} }} leaves out nothing: no combination of the axes agrees with all of it"
            )));
        }
        if runs.is_empty() {
            return Err(self.problem("no run is left: [[exclude]] leaves out every combination"));
        }
        Ok((runs, locations))
    }

    fn total(&self) -> Result<usize> {
        let counts = self.axes.iter().map(|axis| axis.values.len());
        let total = counts.clone().try_fold(1usize, |product, count| {
            product.checked_mul(count).filter(|total| *total <= MOST)
        });
        total.ok_or_else(|| {
            let counts: Vec<String> = counts.map(|count| count.to_string()).collect();
            self.problem(format!(
                "expected at most {MOST} combinations, found {}",
                counts.join(" × ")
            ))
        })
    }

    /// The values of combination `index`, one of each axis.
    fn values(&self, mut index: usize) -> Vec<usize> {
        let mut values: Vec<usize> = self
            .axes
            .iter()
            .rev()
            .map(|axis| {
                let count = axis.values.len().max(1);
                let value = index % count;
                index /= count;
                value
            })
            .collect();
        values.reverse();
        values
    }

    fn table(&self, base: &Table, values: &[usize]) -> Table {
        let mut table = base.clone();
        let chosen = self.axes.iter().zip(values);
        for value in chosen.filter_map(|(axis, &value)| axis.values.get(value)) {
            for (one, other) in ALTERNATIVES.into_iter().flat_map(|(a, b)| [(a, b), (b, a)]) {
                if value.fields.contains_key(one) && !value.fields.contains_key(other) {
                    table.remove(other);
                }
            }
            table.extend(value.fields.clone());
        }
        table
    }

    fn is_excluded(&self, table: &Table, used: &mut [bool]) -> Result<bool> {
        if self.exclusions.is_empty() {
            return Ok(false);
        }
        let mut spec = self.spec(table.clone())?;
        canonicalize(&mut spec);
        let mut fields = fields(&spec)?;
        // What the run has no use for is part of the combination all the same.
        let unused = unused_fields(&spec);
        for (key, value) in table
            .iter()
            .filter(|(key, _)| unused.contains(&key.as_str()))
        {
            let value = canonical_value(key, value).map_err(|problem| self.problem(problem))?;
            fields.insert(key.clone(), value);
        }
        let mut excluded = false;
        for (exclusion, used) in self.exclusions.iter().zip(used) {
            let covers = exclusion.covers(&fields);
            *used |= covers;
            excluded |= covers;
        }
        Ok(excluded)
    }

    /// The specification of a table, without fields of which it makes no use.
    fn useful(&self, mut table: Table) -> Result<RunSpec> {
        let mut spec = self.spec(table.clone())?;
        for field in unused_fields(&spec) {
            table.remove(field);
        }
        spec = self.spec(table)?;
        drop_unused_options(&mut spec);
        canonicalize(&mut spec);
        Ok(spec)
    }

    fn spec(&self, table: Table) -> Result<RunSpec> {
        // A plan is JSON, which has no word for them: it could not be read again.
        if let Some((field, value)) = table.iter().find(|(_, value)| !is_finite(value)) {
            return Err(self.problem(format!("`{field}`: expected finite numbers, found {value}")));
        }
        RunSpec::of_useful(table).map_err(|error| self.problem(error.to_string()))
    }
}

/// Whether no number in `value` is infinite or none at all.
fn is_finite(value: &Value) -> bool {
    match value {
        Value::Float(number) => number.is_finite(),
        Value::Array(values) => values.iter().all(is_finite),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn study(text: &str) -> Study {
        Study::parse(text, Path::new("study.toml")).unwrap()
    }

    #[test]
    fn what_an_axis_sets_takes_the_place_of_what_the_base_has_instead() {
        let study =
            study("[base]\nsteps = 10\nfraction = 0.5\n[axes]\nepochs = [1, 2]\nn_shot = [1, 4]");
        let (runs, _) = study.combinations().unwrap();
        let options = runs.iter().map(|run| {
            (
                run.spec.training.epochs,
                run.spec.training.steps,
                run.spec.labels.fraction,
            )
        });
        let options: Vec<_> = options.collect();
        let want = [1, 1, 2, 2].map(|epochs| (epochs, None, None));
        assert_eq!(options, want);
    }

    #[test]
    fn a_number_that_no_plan_can_hold_is_refused_wherever_it_stands() {
        for text in [
            "[axes]\nlr = [0.1, nan]",
            "[base]\nlr = inf",
            "[base]\nmethod = 'lp'\n[axes]\nlr_grid = [[0.1], [0.1, -inf]]",
        ] {
            let error = study(text).combinations().unwrap_err().to_string();
            assert!(error.contains("finite"), "{error}");
            assert!(error.contains("study.toml"), "{error}");
        }
    }

    /// So many that anything but work in proportion to their number would not end.
    #[test]
    fn a_hundred_thousand_combinations_are_laid_out() {
        let seeds: Vec<String> = (0..100_000).map(|seed| seed.to_string()).collect();
        let study = study(&format!("[axes]\nseed = [{}]", seeds.join(",")));
        let (runs, _) = study.combinations().unwrap();
        assert_eq!(runs.len(), 100_000);
        assert_eq!(runs.last().unwrap().spec.training.seed, 99_999);
    }
}
