//! How long planned runs will take, before they run: images through each phase, times what an image takes there. An
//! estimate, rightly called so: half-done runs count as whole ones, and features that are in the cache as if they were not.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rut_record::{Phase, RunSpec};

use super::prospect::{Extent, Prospect};
use super::rate::{Like, RateTable, Rates};
use rut_bench::Built;
use rut_run::{ImageCounts, Workload, workload};

/// What a set of runs will take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Seconds times threads.
    pub thread_seconds: f64,
    /// Runs whose rates are those of finished runs of the same network, method, image size and engine.
    pub recorded: usize,
    /// Runs whose rates were measured for the same.
    pub measured: usize,
    /// Runs whose rates are those of other weights of the same model.
    pub borrowed: usize,
    /// Runs of which nothing is known; they are not in the sum.
    pub unknown: usize,
}

/// Where rates come from.
#[derive(Clone, Copy, Debug)]
pub struct EstimateOptions<'a> {
    /// Folder of finished runs.
    pub results: &'a std::path::Path,
    /// No measurement begins after this time.
    pub patience: Duration,
    /// The program that measures, and its threads.
    pub built: Built<'a>,
}

/// What `runs` will take. `tell` hears of measurements.
pub fn estimate(
    runs: &[&Prospect],
    options: EstimateOptions<'_>,
    tell: &mut dyn FnMut(&str),
) -> Estimate {
    let planned: Vec<(&RunSpec, &Extent)> = runs
        .iter()
        .filter_map(|run| Some((&run.run.spec, run.outlook.as_ref().ok()?)))
        .collect();
    let recorded = RateTable::of_records(options.results);
    let missing = planned.iter().copied().filter(|(spec, extent)| {
        let rates = recorded.get(&Like::planned(spec, extent));
        !rates.is_some_and(|rates| suffices(rates, &work(spec, extent)))
    });
    let measured = measure(missing, options, tell);
    let mut sum = Sum::default();
    sum.estimate.unknown = runs.len() - planned.len();
    for (spec, extent) in planned {
        let like = Like::planned(spec, extent);
        let (any, work) = (like.any_weights(), work(spec, extent));
        let tables = [
            (recorded.get(&like), Source::Recorded),
            (measured.get(&like), Source::Measured),
            (recorded.get(&any), Source::Borrowed),
            (measured.get(&any), Source::Borrowed),
        ];
        let known = tables.into_iter().find_map(|(rates, source)| {
            let rates = rates.filter(|rates| suffices(rates, &work))?;
            Some((rates, source))
        });
        sum.add((spec, extent), &work, known);
    }
    sum.total()
}

/// Whose rates a run is estimated by.
#[derive(Clone, Copy)]
enum Source {
    Recorded,
    Measured,
    Borrowed,
}

#[derive(Default)]
struct Sum {
    estimate: Estimate,
    /// Thread-seconds by set of features.
    extractions: BTreeMap<String, f64>,
}

impl Sum {
    fn add(
        &mut self,
        (spec, extent): (&RunSpec, &Extent),
        work: &Workload,
        known: Option<(&Rates, Source)>,
    ) {
        let estimate = &mut self.estimate;
        let Some((rates, source)) = known else {
            estimate.unknown += 1;
            return;
        };
        *match source {
            Source::Recorded => &mut estimate.recorded,
            Source::Measured => &mut estimate.measured,
            Source::Borrowed => &mut estimate.borrowed,
        } += 1;
        estimate.thread_seconds += rates.rest() + seconds(&work.own, rates);
        if !work.shared.is_empty() {
            let own = seconds(&work.shared, rates);
            // Runs that share features share their extraction; the largest of them stands for all.
            let set = feature_set(spec, extent);
            let shared = self.extractions.entry(set).or_default();
            *shared = shared.max(own);
        }
    }

    fn total(mut self) -> Estimate {
        self.estimate.thread_seconds += self.extractions.values().sum::<f64>();
        self.estimate
    }
}

/// Measures one run of each kind, as long as there is time.
fn measure<'a>(
    missing: impl Iterator<Item = (&'a RunSpec, &'a Extent)>,
    options: EstimateOptions<'_>,
    tell: &mut dyn FnMut(&str),
) -> RateTable {
    let started = Instant::now();
    let mut measured = RateTable::default();
    let mut tried = std::collections::HashSet::new();
    for (spec, extent) in missing {
        if started.elapsed() > options.patience || !tried.insert(Like::planned(spec, extent)) {
            continue;
        }
        tell(&format!(
            "measuring {}, {}",
            spec.network.model,
            spec.method().name()
        ));
        // A network that cannot be loaded has no rate; why, its runs will say.
        let found = measured.measure((spec, extent), options.built);
        if let Err(error) = found {
            tracing::info!(%error, "no rate");
        }
    }
    measured
}

/// Whether the phase that takes longest is known.
fn suffices(rates: &Rates, work: &Workload) -> bool {
    rates.of(work.decisive).is_some()
}

fn work(spec: &RunSpec, extent: &Extent) -> Workload {
    let images = ImageCounts {
        train: extent.train,
        validation: extent.validation,
        test: extent.test,
    };
    workload(spec, images)
}

fn seconds(work: &[(Phase, f64)], rates: &Rates) -> f64 {
    let of = |&(phase, images): &(Phase, f64)| images * rates.of(phase).unwrap_or(0.0);
    work.iter().map(of).sum()
}

/// What decides which features a probe needs, but for how many.
fn feature_set(spec: &RunSpec, extent: &Extent) -> String {
    let dtype = spec.probe().map(|probe| probe.cache_dtype);
    format!(
        "{:?} {:?} {dtype:?}",
        Like::planned(spec, extent),
        spec.data
    )
}
