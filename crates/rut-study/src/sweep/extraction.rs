//! Features that several probes of a plan share, extracted once into the cache, before the probes run. A probe whose
//! features are not there extracts them itself: nothing but time depends on this.

use std::collections::{BTreeSet, HashMap};

use rut_data::ImageSet;
use rut_record::{Locations, NetworkSpec, Plan, RunSpec, ValidationFrom};

use crate::error::Result;
use rut_adapt::Observer;
use rut_run::{Features, InputCache, LoadOptions, check_among, is_on_features, load_checked};

/// Probes of one network on one data set, whatever their shots and seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Extraction {
    /// Their names.
    pub run_ids: Vec<String>,
    specs: Vec<RunSpec>,
}

impl Extraction {
    /// Those of `plan`, in its order. A probe that shares with no other is one, too.
    pub fn of(plan: &Plan) -> Vec<Self> {
        let (mut found, mut positions) = (Vec::<Self>::new(), HashMap::new());
        for run in &plan.runs {
            if !is_on_features(&run.spec) {
                continue;
            }
            let key = shared(&run.spec);
            let (run_id, spec) = (run.run_id.clone(), run.spec.clone());
            let place = *positions.entry(key).or_insert(found.len());
            match found.get_mut(place) {
                Some(group) => {
                    group.run_ids.push(run_id);
                    group.specs.push(spec);
                }
                None => {
                    let (run_ids, specs) = (vec![run_id], vec![spec]);
                    found.push(Self { run_ids, specs });
                }
            }
        }
        found
    }

    /// What it is about, in words.
    pub fn title(&self) -> String {
        let spec = self.specs.first();
        spec.map_or_else(String::new, |spec| {
            let network = &spec.network;
            let weights = network.weights_title();
            let precision = network.precision_suffix();
            format!(
                "features of {} by {} ({weights}){precision}",
                spec.data.dataset, network.model
            )
        })
    }

    /// Extracts every image that one of the probes will ask for, each once, unless it is in the cache. Gives how many there
    /// are. Probes that cannot run are left to say so themselves.
    ///
    /// # Errors
    /// If no probe can run, an image cannot be read, the network fails, or `observer` stops it; what was extracted by then
    /// is kept.
    pub fn extract(&self, locations: &Locations, observer: &mut dyn Observer) -> Result<usize> {
        let mut input_cache = InputCache::new(locations);
        let (mut train, mut own) = (BTreeSet::new(), BTreeSet::new());
        let (mut first, mut failure) = (None, None);
        for spec in &self.specs {
            match check_among(spec.clone(), &mut input_cache) {
                Ok(run) => {
                    let validation = match run.spec.labels.validation {
                        Some(ValidationFrom::Own) => &mut own,
                        _ => &mut train,
                    };
                    validation.extend(run.draw.validation.iter().copied());
                    train.extend(run.draw.train.iter().copied());
                    first.get_or_insert(run);
                }
                Err(error) => failure = Some(error),
            }
        }
        let Some(run) = first else {
            return failure.map_or(Ok(0), |error| Err(error.into()));
        };
        let select = |set: &ImageSet, wanted: BTreeSet<usize>| {
            set.select(&wanted.into_iter().collect::<Vec<_>>())
        };
        let dataset = &run.dataset;
        let train = select(&dataset.train, train);
        let own = select(&dataset.own_validation(), own);
        let network = load_checked(&run, LoadOptions::of(&run.spec))?;
        let mut features = Features::new(&run, &network, locations);
        let stopped = |error| match error {
            rut_run::Error::Adapt(rut_adapt::Error::Stopped { .. }) => rut_run::Error::Stopped {
                dir: locations.cache_dir.clone(),
            },
            error => error,
        };
        let sets = [&train, &own, &dataset.test];
        for set in sets.into_iter().filter(|set| !set.is_empty()) {
            features.of(set, observer).map_err(stopped)?;
        }
        for note in features.notes() {
            tracing::info!("{note}");
        }
        Ok(sets.iter().map(|set| set.len()).sum())
    }
}

/// What decides whether features can be shared: all fields that say which network, which images and how they are kept.
fn shared(spec: &RunSpec) -> String {
    // Words for readers change no feature.
    let network = NetworkSpec {
        recipe: None,
        ..spec.network.clone()
    };
    let probe = spec.probe().cloned().unwrap_or_default();
    let transform = (probe.first_resize, probe.resize, probe.crop);
    let data = (&spec.data.dataset, &spec.data.split, &spec.data.classes);
    format!("{network:?} {data:?} {transform:?} {:?}", probe.cache_dtype)
}

#[cfg(test)]
mod tests {
    use rut_record::{Heading, PlannedRun};

    use super::*;

    #[test]
    fn probes_share_what_shots_and_seeds_do_not_change() {
        let run = |id: &str, toml: &str| PlannedRun {
            run_id: id.into(),
            spec: RunSpec::from_toml(toml).unwrap(),
        };
        let plan = Plan {
            heading: Heading::default(),
            runs: vec![
                run("a", "method = 'lp'\nn_shot = 1"),
                run("b", "method = 'vp'"),
                run("c", "method = 'lp'\nnetwork = 'dense'"),
                run("d", "method = 'lp'\nn_shot = 4\nseed = 5\nlr = 0.1"),
            ],
        };
        let groups: Vec<_> = Extraction::of(&plan)
            .into_iter()
            .map(|group| group.run_ids)
            .collect();
        assert_eq!(groups, [vec!["a", "d"], vec!["c"]]);
    }
}
