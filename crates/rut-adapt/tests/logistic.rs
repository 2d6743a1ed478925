//! L-BFGS against scikit-learn's optimum (`golden/logistic.safetensors`), and its stationarity.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use rut_adapt::{
    Error, FeatureMatrix, LabelledFeatures, LinearHead, LogisticOptions, ProbeSplits,
    RELATIVE_GRADIENT, Silent, Stopping, logistic_probe,
};

use rut_testkit::close;
mod listen;
use rut_testkit::place;

use close::{Tolerance, assert_close};
use listen::Listener;

/// The head is rounded to f32.
const OPTIMUM: Tolerance = Tolerance {
    abs: 1e-6,
    rel: 1e-6,
};

/// The gradient that runs ask for is a millionth of the first one, not zero, and biases lie in a flat valley.
const AS_RUNS: Tolerance = Tolerance {
    abs: 5e-4,
    rel: 5e-4,
};

fn load(name: &str) -> BTreeMap<String, Tensor> {
    let tensors = candle_core::safetensors::load(place::golden(name), &Device::Cpu).unwrap();
    tensors.into_iter().collect()
}

fn data() -> LabelledFeatures {
    let tensors = load("lp_trajectory.safetensors");
    let values = tensors["features"]
        .flatten_all()
        .unwrap()
        .to_vec1()
        .unwrap();
    let labels = tensors["labels"].to_vec1::<i64>().unwrap();
    LabelledFeatures {
        features: FeatureMatrix::from_f32(values, 64).unwrap(),
        labels: labels.into_iter().map(|label| label as u32).collect(),
    }
}

fn splits(data: &LabelledFeatures) -> ProbeSplits<'_> {
    ProbeSplits {
        train: data,
        validation: Some(data),
        test: data,
    }
}

fn options(weight_decays: &[f64]) -> LogisticOptions {
    LogisticOptions {
        classes: 6,
        weight_decays: weight_decays.to_vec(),
        stopping: stopping(RELATIVE_GRADIENT, 1000),
    }
}

fn stopping(relative_gradient: f64, iterations: u32) -> Stopping {
    Stopping {
        relative_gradient,
        iterations,
    }
}

fn values(tensor: &Tensor) -> Vec<f64> {
    let wide = tensor.to_dtype(DType::F64).unwrap();
    wide.flatten_all().unwrap().to_vec1().unwrap()
}

/// Only differences of biases mean something.
fn centred(mut values: Vec<f64>) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter_mut().for_each(|value| *value -= mean);
    values
}

#[test]
fn the_optimum_is_scikit_learn_s() {
    let (data, golden) = (data(), load("logistic.safetensors"));
    for (decay, name) in [(0.1, "0.1"), (0.01, "0.01"), (0.001, "0.001")] {
        for (relative, tolerance) in [(1e-10, OPTIMUM), (RELATIVE_GRADIENT, AS_RUNS)] {
            let options = LogisticOptions {
                stopping: stopping(relative, 1000),
                ..options(&[decay])
            };
            let fitted = logistic_probe(splits(&data), &options, &mut Silent).unwrap();
            let fit = &fitted.fits[0];
            assert!(fit.solved.converged, "{:?}", fit.solved);
            assert!(fit.solved.gradient_norm <= relative * fit.solved.first_gradient_norm);
            let LinearHead { weight, bias } = &fit.head;
            let want = |part: &str| values(&golden[&format!("{name}.{part}")]);
            assert_close("weight", &values(weight), &want("weight"), tolerance);
            assert_close("bias", &centred(values(bias)), &want("bias"), tolerance);
            assert_close("loss", &[fit.loss], &want("loss"), tolerance);
        }
    }
}

/// Written out slowly, in f64, from the head that was returned.
#[test]
fn the_gradient_at_the_end_is_nearly_zero() {
    let data = data();
    let exact = LogisticOptions {
        stopping: stopping(1e-9, 1000),
        ..options(&[0.01])
    };
    let fitted = logistic_probe(splits(&data), &exact, &mut Silent).unwrap();
    let head = &fitted.fits[0].head;
    let (weight, bias) = (values(&head.weight), values(&head.bias));
    let gradient = |weight: &[f64], bias: &[f64]| {
        let n = data.labels.len() as f64;
        let mut gradient: Vec<f64> = weight.iter().map(|w| 0.01 * w).chain([0.0; 6]).collect();
        for (row, &label) in data.features.to_f32().chunks(64).zip(&data.labels) {
            let logit = |class: usize| {
                let own = &weight[class * 64..(class + 1) * 64];
                own.iter()
                    .zip(row)
                    .map(|(w, x)| w * f64::from(*x))
                    .sum::<f64>()
                    + bias[class]
            };
            let odds: Vec<f64> = (0..6).map(|class| logit(class).exp()).collect();
            let sum: f64 = odds.iter().sum();
            for class in 0..6 {
                let hit = f64::from(u8::from(class == label as usize));
                let residual = (odds[class] / sum - hit) / n;
                for (i, x) in row.iter().enumerate() {
                    gradient[class * 64 + i] += residual * f64::from(*x);
                }
                gradient[6 * 64 + class] += residual;
            }
        }
        gradient.iter().map(|g| g * g).sum::<f64>().sqrt()
    };
    let first = gradient(&[0.0; 6 * 64], &[0.0; 6]);
    let end = gradient(&weight, &bias);
    assert!(end <= 1e-6 * first, "{end} against {first}");
}

#[test]
fn threads_change_no_bit_and_iterations_are_told_at_the_end() {
    let data = data();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut listener = Listener::default();
            let fitted = logistic_probe(splits(&data), &options(&[0.01]), &mut listener).unwrap();
            let solved = fitted.fits[0].solved;
            assert_eq!(listener.events.len() as u32, solved.iterations);
            assert_eq!(listener.asked as u32, solved.evaluations);
            (solved, values(&fitted.fits[0].head.weight))
        })
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn the_best_weight_decay_is_kept_and_a_stop_tells_nothing() {
    let data = data();
    let decays = [10.0, 0.001, 0.1];
    let fitted = logistic_probe(splits(&data), &options(&decays), &mut Silent).unwrap();
    assert_eq!((fitted.fits.len(), fitted.chosen), (3, 1));
    for (fit, decay) in fitted.fits.iter().zip(decays) {
        let alone = logistic_probe(splits(&data), &options(&[decay]), &mut Silent).unwrap();
        assert_eq!(values(&alone.fits[0].head.weight), values(&fit.head.weight));
    }
    let mut listener = Listener::stopping_at(5);
    let stopped = logistic_probe(splits(&data), &options(&decays), &mut listener);
    assert!(matches!(stopped, Err(Error::Stopped { .. })));
    assert!(listener.events.is_empty());
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let data = data();
    let blind = ProbeSplits {
        validation: None,
        ..splits(&data)
    };
    let fewer = LogisticOptions {
        classes: 5,
        ..options(&[0.1])
    };
    let none = LogisticOptions {
        stopping: stopping(RELATIVE_GRADIENT, 0),
        ..options(&[0.1])
    };
    for (splits, options, text) in [
        (splits(&data), options(&[]), "one weight decay"),
        (blind, options(&[0.1, 1.0]), "`val_shots`"),
        (splits(&data), options(&[-0.1]), "0 or more"),
        (splits(&data), fewer, "below 5"),
        (splits(&data), none, "at least 1"),
    ] {
        let error = logistic_probe(splits, &options, &mut Silent)
            .unwrap_err()
            .to_string();
        assert!(error.contains(text), "{error}");
    }
    let mut poisoned = data.clone();
    let mut features = poisoned.features.to_f32();
    features[7] = f32::NAN;
    poisoned.features = FeatureMatrix::from_f32(features, 64).unwrap();
    let error = logistic_probe(splits(&poisoned), &options(&[0.1]), &mut Silent).unwrap_err();
    assert!(error.to_string().contains("the loss is NaN"), "{error}");
}
