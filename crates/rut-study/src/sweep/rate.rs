//! How long an image takes in each phase of a run: from records of runs like it, or assumed from the network's
//! operations. `estimate` adds it up.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rut_record::{Method, Phase, Record, RunDir, RunSpec};

use super::study_run::Extent;
use rut_models::find;
use rut_run::rates;

/// Multiply-adds of a network per second and thread, where no run has shown how many there are: a processor with AVX2 does
/// about so many.
const NETWORK_RATE: f64 = 4e10;
/// The same of a head trained by steps of Adam, which reads far more memory for each.
const HEAD_RATE: f64 = 2e9;

/// What rates depend on. A network is its weights: density follows from them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Like {
    model: String,
    method: Method,
    /// Prompt, optimiser and augmentation: what a step costs besides the network.
    prompt: Option<String>,
    engine: String,
    precision: String,
    image_size: Option<usize>,
    weights: Option<String>,
}

impl Like {
    fn new(
        spec: &RunSpec,
        image_size: Option<usize>,
        checkpoint: &str,
        mask: Option<&str>,
    ) -> Self {
        let masking = spec.network.masking;
        Self {
            model: spec.network.model.clone(),
            method: spec.method(),
            prompt: spec.prompt().map(|prompt| {
                let (name, optimizer) = (&prompt.prompt, prompt.optimizer);
                format!("{name} {optimizer:?} {:?}", prompt.augment)
            }),
            engine: spec.network.engine.clone(),
            precision: spec.network.precision.clone(),
            image_size,
            weights: Some(format!("{checkpoint} {mask:?} {masking:?}")),
        }
    }

    /// What a planned run is like.
    pub(super) fn planned(spec: &RunSpec, extent: &Extent) -> Self {
        let content = &extent.content;
        let mask = content.mask.as_deref();
        Self::new(spec, extent.image_size, &content.checkpoint, mask)
    }

    /// The same, whatever the weights.
    pub(super) fn any_weights(&self) -> Self {
        Self {
            weights: None,
            ..self.clone()
        }
    }
}

/// Thread-seconds of an image in each phase: seconds times the threads that computed.
#[derive(Clone, Debug, Default)]
pub(super) struct Rates {
    phases: BTreeMap<Phase, (f64, f64)>,
    /// Seconds of runs outside the phases, and the number of runs summed.
    rest: (f64, f64),
}

impl Rates {
    /// What the operations of `spec`'s network suggest. There is none for a model that is not known.
    pub(super) fn assumed(spec: &RunSpec, extent: &Extent) -> Option<Self> {
        let model = find(&spec.network.model)?;
        let graph = (model.graph)(spec.network.source_classes.unwrap_or(model.classes));
        let prompted = spec.prompt().is_some();
        let side = extent.image_size.filter(|_| !prompted);
        let side = side.unwrap_or(model.input_size as usize);
        let pass = graph.multiply_adds([3, side, side]).ok()? as f64 / NETWORK_RATE;
        // Forward for logits and features; forward and backward to the input, or to the head's weights, for a step.
        let step = if prompted {
            2.0 * pass
        } else {
            2.0 * (graph.width() * extent.targets) as f64 / HEAD_RATE
        };
        let mut rates = Self::default();
        for phase in Phase::ALL {
            rates.add(phase, if phase == Phase::Train { step } else { pass }, 1.0);
        }
        Some(rates)
    }

    fn add(&mut self, phase: Phase, thread_seconds: f64, images: f64) {
        if images > 0.0 && thread_seconds.is_finite() {
            let sum = self.phases.entry(phase).or_default();
            sum.0 += thread_seconds;
            sum.1 += images;
        }
    }

    fn add_record(&mut self, record: &Record) {
        let (cost, members) = (&record.cost, rates(&record.spec).len().max(1) as f64);
        let mut inside = 0.0;
        for phase in Phase::ALL {
            let name = phase.name();
            let measured = cost.seconds.get(name).zip(cost.images_per_second.get(name));
            let Some((seconds, rate)) = measured else {
                continue;
            };
            inside += seconds;
            // An image of a grid is trained on by each of its members.
            let times = if phase == Phase::Train { members } else { 1.0 };
            self.add(phase, seconds * cost.threads as f64, seconds * rate * times);
        }
        self.rest.0 += (cost.total_seconds - inside).max(0.0);
        self.rest.1 += 1.0;
    }

    /// Thread-seconds of an image in `phase`, if it is known.
    pub(super) fn of(&self, phase: Phase) -> Option<f64> {
        self.phases
            .get(&phase)
            .map(|(seconds, images)| seconds / images)
    }

    /// Seconds of a run outside its phases, where it is known.
    pub(super) fn rest(&self) -> f64 {
        let (seconds, runs) = self.rest;
        if runs > 0.0 { seconds / runs } else { 0.0 }
    }

    fn merge(&mut self, other: &Self) {
        for (&phase, &(seconds, images)) in &other.phases {
            self.add(phase, seconds, images);
        }
        self.rest.0 += other.rest.0;
        self.rest.1 += other.rest.1;
    }
}

/// Rates by what they depend on: for the weights themselves, and over all weights of a model.
#[derive(Clone, Debug, Default)]
pub(super) struct RateTable(HashMap<Like, Rates>);

impl RateTable {
    /// Of the finished runs in `results`. Records that cannot be read are skipped.
    pub(super) fn of_records(results: &Path) -> Self {
        let mut table = Self::default();
        for entry in std::fs::read_dir(results).into_iter().flatten().flatten() {
            let dir = RunDir::at(entry.path());
            if !dir.is_finished() {
                continue;
            }
            if let Ok(record) = dir.read_record() {
                let network = &record.network;
                let like = Like::new(
                    &record.spec,
                    record.data.image_size,
                    &network.checkpoint,
                    network.mask.as_deref(),
                );
                let mut rates = Rates::default();
                rates.add_record(&record);
                table.add(&like, &rates);
            }
        }
        table
    }

    fn add(&mut self, like: &Like, rates: &Rates) {
        for key in [like.clone(), like.any_weights()] {
            self.0.entry(key).or_default().merge(rates);
        }
    }

    pub(super) fn get(&self, like: &Like) -> Option<&Rates> {
        self.0.get(like)
    }
}
