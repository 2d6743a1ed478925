//! Runs of a study before they run: their ids, and how much each has to do. `state` reads their status.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use rut_record::{
    Content, Heading, Locations, Plan, PlannedRun, RunDir, RunId, RunSpec, ValidationFrom, delete,
};

use super::combination::Combination;
use super::study::Study;
use crate::error::Result;
use rut_run::InputCache;
use rut_run::{CheckedRunSpec, check_among, identify, validation_from};

/// All runs of a study, each once.
#[derive(Clone, Debug)]
pub struct StudyRuns {
    /// What they share.
    pub heading: Heading,
    /// The runs, in the order of the study.
    pub runs: Vec<StudyRun>,
}

/// A planned run.
#[derive(Clone, Debug)]
pub struct StudyRun {
    /// What the plan says of it.
    pub run: PlannedRun,
    /// For each axis of the study, which of its values, from 0.
    pub values: Vec<usize>,
    /// How much there is to do; or why the run cannot run as things stand, which reads after "failed to". It is planned
    /// nevertheless, and what is missing may be there when its turn comes.
    pub extent: Result<Extent, String>,
}

/// How much a run has to do, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Network and images, by content.
    pub content: Content,
    /// Images trained on.
    pub train: usize,
    /// Images validated on.
    pub validation: usize,
    /// Test images.
    pub test: usize,
    /// Target classes.
    pub targets: usize,
    /// Side of the image on the canvas, or before the network's own size, pixels.
    pub image_size: Option<usize>,
}

impl Study {
    /// The study's runs with their ids. Data sets are opened and files digested once for all runs that name them.
    ///
    /// A run's id is the one that `rut lp` and `rut vp` give it, also where the run cannot run, as long as its network (and
    /// its images, if they are a user's own) is there to be digested; else it is [`RunId::stand_in`].
    ///
    /// # Errors
    /// As [`combinations`](Self::combinations).
    pub fn runs(&self) -> Result<StudyRuns> {
        let (combinations, locations) = self.combinations()?;
        let (runs, _) = self.runs_of(combinations, locations)?;
        Ok(runs)
    }

    /// `combinations` of the study as they were varied further, with their ids, each run once; and of each combination the
    /// place of its run.
    pub(crate) fn runs_of(
        &self,
        combinations: Vec<Combination>,
        locations: Locations,
    ) -> Result<(StudyRuns, Vec<usize>)> {
        let mut input_cache = InputCache::for_sizes(&locations);
        let drawn = began_drawn(&combinations, &mut input_cache);
        let (mut seen, mut of_all) = (HashMap::new(), Vec::new());
        let mut runs: Vec<StudyRun> = Vec::new();
        for mut combination in combinations {
            if drawn {
                let validation = &mut combination.spec.labels.validation;
                validation.get_or_insert(ValidationFrom::Drawn);
            }
            let study_run = StudyRun::of(combination, &mut input_cache)?;
            // The same weights under two names are one network.
            let place = *seen
                .entry(study_run.run.run_id.clone())
                .or_insert(runs.len());
            if place == runs.len() {
                runs.push(study_run);
            }
            of_all.push(place);
        }
        let heading = Heading {
            format_version: Plan::FORMAT_VERSION,
            title: self.title.clone(),
            about: self.about.clone(),
            study: self.mark(),
            locations,
        };
        Ok((StudyRuns { heading, runs }, of_all))
    }
}

impl StudyRuns {
    /// What is written down of them.
    pub fn plan(&self) -> Plan {
        Plan {
            heading: self.heading.clone(),
            runs: self.runs.iter().map(|run| run.run.clone()).collect(),
        }
    }

    /// Deletes the failures that runs of this study left behind under a stand-in's name, where they have their own by now.
    ///
    /// # Errors
    /// If one cannot be deleted.
    pub fn forget_stand_ins(&self) -> Result<()> {
        for StudyRun { run, .. } in &self.runs {
            let stand_in = RunId::stand_in(&run.spec)?;
            if stand_in.as_str() != run.run_id {
                forget(&self.heading.locations.results_path.join(stand_in.as_str()))?;
            }
        }
        Ok(())
    }
}

/// Whether one of these runs stands in the plan that lies beside the results and validates there on images kept from the
/// training images, though its data set has validation images of its own: a study that was begun so goes on so.
fn began_drawn(combinations: &[Combination], input_cache: &mut InputCache<'_>) -> bool {
    let own = |spec: &RunSpec, input_cache: &mut InputCache<'_>| {
        let from = validation_from(spec, input_cache);
        spec.labels.validation.is_none() && from.is_ok_and(|from| from == ValidationFrom::Own)
    };
    let open = combinations.iter().map(|combination| &combination.spec);
    let open: Vec<&RunSpec> = open.filter(|spec| own(spec, input_cache)).collect();
    let plan = if open.is_empty() {
        return false;
    } else {
        Plan::read_all(input_cache.results_path())
    };
    let runs = plan.map(|plan| plan.runs).unwrap_or_default();
    let drawn = |run: &&PlannedRun| run.spec.labels.validation == Some(ValidationFrom::Drawn);
    let begun: HashSet<&str> = runs.iter().filter(drawn).map(|run| &*run.run_id).collect();
    open.into_iter().any(|spec| {
        let validation = Some(ValidationFrom::Drawn);
        let mut spec = spec.clone();
        spec.labels.validation = validation;
        let id = identify(&spec, input_cache);
        id.is_ok_and(|id| begun.contains(id.as_str()))
    })
}

fn forget(folder: &Path) -> Result<()> {
    let failure = RunDir::at(folder).failure();
    if failure.exists() {
        delete(&failure)?;
        // A folder in which something else lies stays.
        let _ = std::fs::remove_dir(folder);
    }
    Ok(())
}

impl StudyRun {
    fn of(combination: Combination, input_cache: &mut InputCache<'_>) -> Result<Self> {
        let Combination { spec, values } = combination;
        let (run_id, spec, extent) = match check_among(spec.clone(), input_cache) {
            Ok(run) => {
                let extent = Extent::of(&run);
                (run.id, run.spec, Ok(extent))
            }
            Err(error) => {
                let id = identify(&spec, input_cache);
                let id = id.or_else(|_| RunId::stand_in(&spec))?;
                let mut spec = spec;
                // A plan without it would mean another run.
                spec.labels.validation.get_or_insert(ValidationFrom::Own);
                (id, spec, Err(error.to_string()))
            }
        };
        let run = PlannedRun {
            run_id: run_id.to_string(),
            spec,
        };
        Ok(Self {
            run,
            values,
            extent,
        })
    }
}

impl Extent {
    fn of(run: &CheckedRunSpec) -> Self {
        Self {
            content: run.content.clone(),
            train: run.draw.train.len(),
            validation: run.draw.validation.len(),
            test: run.dataset.test.len(),
            targets: run.targets(),
            image_size: run.image_size,
        }
    }
}
