//! The search for C against the published one on scikit-learn's fits (`golden/methods/baselines.json`, `trajectory.json`).

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use rut_adapt::{
    C_SEARCH_FITS, CSearch, Error, FeatureMatrix, LabelledFeatures, LogisticOptions, ProbeSplits,
    RELATIVE_GRADIENT, Silent, Stopping, logistic_probe, logistic_search,
};
use rut_testkit::close::{Tolerance, assert_close};
use rut_testkit::place;
use serde::Deserialize;

mod listen;

use listen::Listener;

/// Powers of ten, rounded in the last bits.
const C: Tolerance = Tolerance::rel(1e-12);

#[derive(Deserialize)]
struct Searches {
    searches: BTreeMap<String, Searched>,
}

#[derive(Deserialize)]
struct Searched {
    peak: f64,
    steps: Vec<[f64; 3]>,
    /// Every C that was asked for, and its accuracy.
    asked: Vec<[f64; 2]>,
}

#[derive(Deserialize)]
struct Trajectory {
    coop_c_search: Published,
}

#[derive(Deserialize)]
struct Published {
    steps: Vec<[f64; 3]>,
}

fn golden() -> Searches {
    let text = std::fs::read_to_string(place::golden("methods/baselines.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn flat(steps: &[[f64; 3]]) -> Vec<f64> {
    steps.iter().flatten().copied().collect()
}

fn steps(search: &CSearch) -> Vec<f64> {
    let steps = search.steps.iter();
    steps
        .flat_map(|step| [step.low, step.high, step.better])
        .collect()
}

/// Train and validation features of a file.
fn splits(file: &str, prefix: &str) -> [LabelledFeatures; 2] {
    let tensors = candle_core::safetensors::load(place::golden(file), &Device::Cpu).unwrap();
    let get = |name: String| tensors.get(&name).unwrap_or_else(|| panic!("{name}"));
    let split = |x: &str, y: &str| {
        let x: &Tensor = get(format!("{prefix}.{x}"));
        let values = x.to_dtype(DType::F32).unwrap().flatten_all().unwrap();
        let labels = get(format!("{prefix}.{y}")).to_vec1::<i64>().unwrap();
        LabelledFeatures {
            features: FeatureMatrix::from_f32(values.to_vec1().unwrap(), x.dims()[1]).unwrap(),
            labels: labels.into_iter().map(|label| label as u32).collect(),
        }
    };
    if prefix == "search" {
        [split("x", "y"), split("xv", "yv")]
    } else {
        [split("X", "y"), split("Xv", "yv")]
    }
}

fn of<'a>([train, validation]: &'a [LabelledFeatures; 2]) -> ProbeSplits<'a> {
    ProbeSplits {
        train,
        validation: Some(validation),
        test: validation,
    }
}

fn options(relative_gradient: f64) -> LogisticOptions {
    LogisticOptions {
        classes: 4,
        weight_decays: Vec::new(),
        stopping: Stopping {
            relative_gradient,
            iterations: 2000,
        },
    }
}

#[test]
fn the_search_takes_the_published_way() {
    for (name, golden) in golden().searches {
        let mut asked = Vec::new();
        let search = CSearch::new(|c| {
            asked.push(c);
            let known = golden
                .asked
                .iter()
                .find(|[at, _]| (at - c).abs() <= 1e-12 * c);
            Ok(known.unwrap_or_else(|| panic!("{name}: {c} was not asked for"))[1])
        });
        let search = search.unwrap();
        assert_eq!(search.peak, golden.peak, "{name}");
        assert_close(&name, &steps(&search), &flat(&golden.steps), C);
        assert_eq!(search.found(), search.steps[7].better);
        assert_eq!(asked.len(), 7 + 16);
        asked.sort_by(f64::total_cmp);
        asked.dedup();
        assert!(asked.len() == golden.asked.len() && asked.len() <= C_SEARCH_FITS);
    }
}

#[test]
fn an_accuracy_that_fails_ends_the_search() {
    let error = CSearch::new(|_| Err(Error::Stopped { step: 3 }));
    assert!(matches!(error, Err(Error::Stopped { step: 3 })));
}

/// The fits' own accuracies, in the order in which they were asked for, and the one that is kept.
#[test]
fn real_fits_lead_to_scikit_learn_s_c() {
    let splits = splits("methods/baselines.safetensors", "search");
    let golden = &golden().searches["fits"];
    let mut listener = Listener::default();
    let fitted = logistic_search(of(&splits), &options(1e-9), &mut listener).unwrap();
    assert_eq!(fitted.fits.len(), golden.asked.len());
    for (fit, [c, accuracy]) in fitted.fits.iter().zip(&golden.asked) {
        let decay = 1.0 / (c * splits[0].labels.len() as f64);
        assert_close("decay", &[fit.weight_decay], &[decay], C);
        // Where the penalty is next to nothing, the optimum is far away and nothing to compare.
        if *c <= 1.0 {
            assert_eq!(fit.validation.unwrap().accuracy, *accuracy, "C = {c}");
        }
    }
    let kept = &fitted.fits[fitted.chosen];
    let found = golden.steps[7][2] * splits[0].labels.len() as f64;
    assert_close("kept", &[kept.weight_decay], &[1.0 / found], C);
    assert_eq!(listener.events.len() as u32, kept.solved.iterations);
    // A fit of a search is the fit alone.
    let alone = LogisticOptions {
        weight_decays: vec![kept.weight_decay],
        ..options(1e-9)
    };
    let alone = logistic_probe(of(&splits), &alone, &mut Silent).unwrap();
    let weight = |weight: &Tensor| weight.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(
        weight(&alone.fits[0].head.weight),
        weight(&kept.head.weight)
    );
}

#[test]
fn the_trajectory_s_search_ends_where_the_published_one_does() {
    let text = std::fs::read_to_string(place::golden("methods/trajectory.json")).unwrap();
    let golden: Trajectory = serde_json::from_str(&text).unwrap();
    let splits = splits("methods/trajectory.safetensors", "probe");
    let fitted = logistic_search(of(&splits), &options(RELATIVE_GRADIENT), &mut Silent).unwrap();
    let kept = &fitted.fits[fitted.chosen];
    let want = 1.0 / (golden.coop_c_search.steps[7][2] * 60.0);
    assert_close("weight decay", &[kept.weight_decay], &[want], C);
}

#[test]
fn a_search_needs_validation_images() {
    let splits = splits("methods/baselines.safetensors", "search");
    let blind = ProbeSplits {
        validation: None,
        ..of(&splits)
    };
    let error = logistic_search(blind, &options(1e-6), &mut Silent).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("c_search") && text.contains("`val_shots`"),
        "{text}"
    );
    let mut listener = Listener::stopping_at(5);
    let stopped = logistic_search(of(&splits), &options(1e-6), &mut listener);
    assert!(matches!(stopped, Err(Error::Stopped { .. })));
    assert!(listener.events.is_empty());
}
