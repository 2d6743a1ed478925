//! How long planned runs will take, before they run: images through each phase, times what an image takes there. An
//! estimate, rightly called so: half-done runs count as whole ones, and features that are in the cache as if they were not.

use std::collections::BTreeMap;
use std::path::Path;

use rut_record::{Phase, RunSpec};

use super::rate::{Like, RateTable, Rates};
use super::study_run::{Extent, StudyRun};
use rut_run::{ImageCounts, Workload, workload};

/// What a set of runs will take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Seconds times threads.
    pub thread_seconds: f64,
    /// Runs whose rates are those of finished runs of the same network, method, image size, engine and precision.
    pub recorded: usize,
    /// Runs whose rates are those of other weights of the same model.
    pub borrowed: usize,
    /// Runs whose rates are assumed from the operations of their network: right within a factor of about three.
    pub assumed: usize,
    /// Runs of which nothing is known; they are not in the sum.
    pub unknown: usize,
}

/// What `runs` will take, by the finished runs in `results`.
pub fn estimate(runs: &[&StudyRun], results: &Path) -> Estimate {
    let recorded = RateTable::of_records(results);
    let mut sum = Sum::default();
    for run in runs {
        let Ok(extent) = &run.extent else {
            sum.estimate.unknown += 1;
            continue;
        };
        let spec = &run.run.spec;
        let (like, work) = (Like::planned(spec, extent), work(spec, extent));
        // A probe whose features came from the cache has no rate of extraction.
        let suffices = |rates: &&Rates| rates.of(work.decisive).is_some();
        let same = recorded.get(&like).filter(suffices);
        let model = recorded.get(&like.any_weights()).filter(suffices);
        let known = match (same, model) {
            (Some(rates), _) => Some((rates.clone(), Source::Recorded)),
            (None, Some(rates)) => Some((rates.clone(), Source::Borrowed)),
            (None, None) => Rates::assumed(spec, extent).map(|rates| (rates, Source::Assumed)),
        };
        let Some((rates, source)) = known else {
            sum.estimate.unknown += 1;
            continue;
        };
        sum.add(spec, extent, &work, &rates, source);
    }
    sum.total()
}

/// Whose rates a run is estimated by.
#[derive(Clone, Copy)]
enum Source {
    Recorded,
    Borrowed,
    Assumed,
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
        spec: &RunSpec,
        extent: &Extent,
        work: &Workload,
        rates: &Rates,
        source: Source,
    ) {
        let estimate = &mut self.estimate;
        *match source {
            Source::Recorded => &mut estimate.recorded,
            Source::Borrowed => &mut estimate.borrowed,
            Source::Assumed => &mut estimate.assumed,
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
