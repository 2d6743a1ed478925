//! How long an image takes in each phase of a run: from records of runs like it, or measured. What it comes to is
//! `estimate`'s.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rut_data::Seed;
use rut_record::{Method, Phase, Record, RunDir, RunSpec};

use super::prospect::Extent;
use crate::error::Result;
use rut_bench::{BenchOptions, Built, HeadShape, Measurement, Repeats, bench};
use rut_run::{find_engine, network_files, rates};

/// Images per pass where rates are measured.
const MEASURED_BATCH: usize = 16;
/// Rows of features where training of a head is measured.
const MEASURED_ROWS: usize = 2_000;

/// What rates depend on. A network is its weights: density follows from them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Like {
    model: String,
    method: Method,
    engine: String,
    image_size: Option<usize>,
    weights: Option<String>,
}

impl Like {
    fn new(spec: &RunSpec, image_size: Option<usize>, weights: (&str, Option<&str>)) -> Self {
        Self {
            model: spec.network.model.clone(),
            method: spec.method(),
            engine: spec.network.engine.clone(),
            image_size,
            weights: Some(format!("{weights:?} {:?}", spec.network.masking)),
        }
    }

    /// What a planned run is like.
    pub(super) fn planned(spec: &RunSpec, extent: &Extent) -> Self {
        let content = &extent.content;
        let weights = (content.checkpoint.as_str(), content.mask.as_deref());
        Self::new(spec, extent.image_size, weights)
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
    /// Seconds of a run outside the phases, and how many runs told.
    rest: (f64, f64),
}

impl Rates {
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
            let told = cost.seconds.get(name).zip(cost.images_per_second.get(name));
            let Some((seconds, rate)) = told else {
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
    /// Of the finished runs in `results`. Records that cannot be read tell nothing.
    pub(super) fn of_records(results: &Path) -> Self {
        let mut table = Self::default();
        for entry in std::fs::read_dir(results).into_iter().flatten().flatten() {
            let dir = RunDir::at(entry.path());
            if !dir.is_finished() {
                continue;
            }
            if let Ok(record) = dir.read_record() {
                let network = &record.network;
                let weights = (network.checkpoint.as_str(), network.mask.as_deref());
                let like = Like::new(&record.spec, record.data.image_size, weights);
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

    /// Measures what a run of `spec` spends its time on, on a few drawn images.
    ///
    /// # Errors
    /// If the network cannot be loaded.
    pub(super) fn measure(
        &mut self,
        (spec, extent): (&RunSpec, &Extent),
        built: Built<'_>,
    ) -> Result<()> {
        let (model, files) = network_files(spec)?;
        let classes = spec.network.source_classes.unwrap_or(model.classes);
        let prompted = spec.prompt().is_some();
        let rows = extent.train.clamp(1, MEASURED_ROWS);
        let options = BenchOptions {
            model: spec.network.model.clone(),
            checkpoint: Some(files.checkpoint),
            mask: files.mask,
            checkpoint_key: spec.network.checkpoint_key.clone(),
            source_classes: spec.network.source_classes,
            engine: find_engine(&spec.network.engine)?,
            batch_size: MEASURED_BATCH,
            windows: extent.image_size.filter(|_| prompted).into_iter().collect(),
            head: HeadShape {
                images: rows,
                width: (model.graph)(classes).width(),
                classes: extent.targets,
            },
            repeats: Repeats {
                warmup: 0,
                repeat: 1,
            },
            only: if prompted {
                vec![Measurement::Forward, Measurement::VpStep]
            } else {
                vec![Measurement::Extract, Measurement::Head]
            },
            seed: Seed(spec.training.seed),
            ..BenchOptions::default()
        };
        let report = bench(&options.check()?, built, &mut |_| {})?;
        let mut rates = Rates::default();
        for measured in &report.measurements {
            let seconds = measured.seconds.median * built.threads as f64;
            for &phase in phases(measured.name) {
                rates.add(phase, seconds, measured.images as f64);
            }
        }
        self.add(&Like::planned(spec, extent), &rates);
        Ok(())
    }
}

/// The phases of a run that a measurement stands for.
fn phases(measurement: &str) -> &'static [Phase] {
    match measurement.parse() {
        Ok(Measurement::Forward) => &[Phase::Map, Phase::Validate, Phase::Test],
        Ok(Measurement::VpStep | Measurement::Head) => &[Phase::Train],
        Ok(Measurement::Extract) => &[Phase::Extract],
        _ => &[],
    }
}
