//! How long planned runs will take, before they run: images through each phase, times what an image takes there. An
//! estimate, rightly called so: half-done runs count as whole ones, and features that are in the cache as if they were not.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rut_adapt::label_map::Refresh;
use rut_record::{Method, Phase, Remap, RunSpec};

use super::prospect::{Extent, Prospect};
use super::rate::{Like, RateTable, Rates};
use rut_bench::Built;
use rut_run::grid::rates;
use rut_run::names::find_mapping;

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
        !rates.is_some_and(|rates| suffices(rates, spec.method))
    });
    let measured = measure(missing, options, tell);
    let mut sum = Sum::default();
    sum.estimate.unknown = runs.len() - planned.len();
    for (spec, extent) in planned {
        let like = Like::planned(spec, extent);
        let any = like.any_weights();
        let tables = [
            (recorded.get(&like), Source::Recorded),
            (measured.get(&like), Source::Measured),
            (recorded.get(&any), Source::Borrowed),
            (measured.get(&any), Source::Borrowed),
        ];
        let known = tables.into_iter().find_map(|(rates, source)| {
            let rates = rates.filter(|rates| suffices(rates, spec.method))?;
            Some((rates, source))
        });
        sum.add((spec, extent), known);
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
    fn add(&mut self, (spec, extent): (&RunSpec, &Extent), known: Option<(&Rates, Source)>) {
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
        estimate.thread_seconds += rates.rest() + seconds(&workload(spec, extent), rates);
        if spec.method == Method::Lp {
            let images = extent.test + extent.train + extent.validation;
            let own = seconds(&[(Phase::Extract, images as f64)], rates);
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
        tell(&format!("measuring {}, {}", spec.model, spec.method.name()));
        // A network that cannot be loaded has no rate; why, its runs will say.
        let found = measured.measure((spec, extent), options.built);
        if let Err(error) = found {
            tracing::info!(%error, "no rate");
        }
    }
    measured
}

/// Whether the phase that takes longest is known. A probe whose features came from the cache tells nothing of extraction.
fn suffices(rates: &Rates, method: Method) -> bool {
    let needed = match method {
        Method::Lp => Phase::Extract,
        Method::Vp => Phase::Train,
    };
    rates.of(needed).is_some()
}

fn seconds(work: &[(Phase, f64)], rates: &Rates) -> f64 {
    let of = |&(phase, images): &(Phase, f64)| images * rates.of(phase).unwrap_or(0.0);
    work.iter().map(of).sum()
}

/// Images that a run puts through its phases, but for extraction.
fn workload(spec: &RunSpec, extent: &Extent) -> Vec<(Phase, f64)> {
    let (train, validation) = (extent.train as f64, extent.validation as f64);
    let all_epochs = match spec.steps {
        Some(steps) => f64::from(steps) * spec.batch_size as f64 / train.max(1.0),
        None => f64::from(spec.epochs),
    };
    if spec.method == Method::Lp {
        return vec![(
            Phase::Train,
            all_epochs * train * rates(spec).len().max(1) as f64,
        )];
    }
    let refresh = find_mapping(&spec.mapping).map(|mapping| mapping.refresh);
    let again = spec.remap == Remap::On && matches!(refresh, Ok(Refresh::EveryEpoch));
    let maps = match refresh {
        Ok(Refresh::EveryEpoch) => all_epochs / f64::from(spec.mapping_interval.max(1)),
        Ok(Refresh::Once) => 1.0,
        _ => 0.0,
    };
    let remaps = if again { 1.0 } else { 0.0 };
    let validations = match spec.eval_interval(all_epochs.ceil() as u32) {
        0 => 0.0,
        every => all_epochs / f64::from(every),
    };
    vec![
        (Phase::Train, all_epochs * train),
        (Phase::Map, (maps + remaps) * train),
        (Phase::Validate, (validations + 1.0) * validation),
        (Phase::Test, (1.0 + remaps) * extent.test as f64),
    ]
}

/// What decides which features a probe needs, but for how many.
fn feature_set(spec: &RunSpec, extent: &Extent) -> String {
    let images = (&spec.dataset, &spec.split, &spec.classes, spec.cache_dtype);
    format!("{:?} {images:?}", Like::planned(spec, extent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent() -> Extent {
        Extent {
            content: rut_record::Content {
                checkpoint: "c".into(),
                mask: None,
                data: None,
                validation: None,
            },
            train: 100,
            validation: 10,
            test: 50,
            targets: 10,
            image_size: Some(16),
        }
    }

    #[test]
    fn a_prompt_s_work_is_counted_phase_by_phase() {
        let spec = RunSpec {
            epochs: 20,
            ..RunSpec::default()
        };
        let work = workload(&spec, &extent());
        let of = |phase| work.iter().find(|(p, _)| *p == phase).unwrap().1;
        assert_eq!(of(Phase::Train), 2000.0);
        assert_eq!(of(Phase::Map), 2100.0);
        assert_eq!(of(Phase::Validate), 30.0);
        assert_eq!(of(Phase::Test), 100.0);
        let random = RunSpec {
            mapping: "rlm".into(),
            steps: Some(10),
            batch_size: 50,
            ..spec
        };
        let work = workload(&random, &extent());
        assert_eq!(work[0].1, 500.0);
        assert_eq!((work[1].1, work[3].1), (0.0, 50.0));
    }

    #[test]
    fn a_probe_s_work_is_that_of_its_grid() {
        let spec = RunSpec {
            method: Method::Lp,
            epochs: 3,
            lr_grid: Some(vec![1.0, 0.1]),
            ..RunSpec::default()
        };
        assert_eq!(workload(&spec, &extent()), [(Phase::Train, 600.0)]);
    }
}
