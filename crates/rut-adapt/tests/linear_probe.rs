//! Linear probing against PyTorch's trajectory (`golden/lp_trajectory.*`), and going on after a stop.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use rut_adapt::{
    Error, FeatureMatrix, LabelledFeatures, LinearHead, LoopOptions, ProbeSplits, ScheduleOptions,
    Seed, linear_probe,
};

use rut_testkit::close;
mod listen;
use rut_testkit::place;
use rut_testkit::weights_rule;

use rut_record::{Event, Select, Shuffle};

use close::{Tolerance, assert_close};
use listen::Listener;

/// PyTorch's trajectory is f32 throughout: rounding differs by a few units in the last place and is carried on.
const F32: Tolerance = Tolerance {
    abs: 2e-6,
    rel: 2e-6,
};

fn golden() -> (BTreeMap<String, Tensor>, serde_json::Value) {
    let tensors =
        candle_core::safetensors::load(place::golden("lp_trajectory.safetensors"), &Device::Cpu)
            .unwrap();
    let json = std::fs::read_to_string(place::golden("lp_trajectory.json")).unwrap();
    (
        tensors.into_iter().collect(),
        serde_json::from_str(&json).unwrap(),
    )
}

fn features(tensors: &BTreeMap<String, Tensor>) -> LabelledFeatures {
    let labels = tensors["labels"].to_vec1::<i64>().unwrap();
    let (_, width) = tensors["features"].dims2().unwrap();
    let values = tensors["features"]
        .flatten_all()
        .unwrap()
        .to_vec1()
        .unwrap();
    LabelledFeatures {
        features: FeatureMatrix::from_f32(values, width).unwrap(),
        labels: labels.into_iter().map(|label| label as u32).collect(),
    }
}

/// `fc.weight` [6, 64] and `fc.bias` [6] by the weight rule.
fn head() -> LinearHead {
    let weight = weights_rule::uniform("fc.weight", 6 * 64)
        .map(|u| (2.0 * u - 1.0) * (3.0f64 / 64.0).sqrt());
    let bias = weights_rule::uniform("fc.bias", 6).map(|u| (2.0 * u - 1.0) * 0.1);
    let tensor = |values: Vec<f64>, shape: &[usize]| {
        Tensor::from_vec(values, shape, &Device::Cpu)
            .unwrap()
            .to_dtype(DType::F32)
            .unwrap()
    };
    LinearHead {
        weight: tensor(weight.collect(), &[6, 64]),
        bias: tensor(bias.collect(), &[6]),
    }
}

fn options() -> LoopOptions {
    LoopOptions {
        epochs: 10,
        steps: None,
        batch_size: 32,
        learning_rate: 0.01,
        schedule: ScheduleOptions::default(),
        seed: Seed(4),
        shuffle: Shuffle::Off,
        select: Select::Last,
        eval_every: 0,
    }
}

fn splits(data: &LabelledFeatures) -> ProbeSplits<'_> {
    ProbeSplits {
        train: data,
        validation: Some(data),
        test: data,
    }
}

fn values(tensor: &Tensor) -> Vec<f64> {
    let wide = tensor.to_dtype(DType::F64).unwrap();
    wide.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn every_loss_and_the_end_are_pytorch_s() {
    let (tensors, json) = golden();
    let data = features(&tensors);
    let mut listener = Listener::default();
    let finished = linear_probe(splits(&data), head(), &options(), None, &mut listener).unwrap();
    let want: Vec<f64> = serde_json::from_value(json["losses"].clone()).unwrap();
    assert_eq!(want.len(), 40);
    assert_close("losses", &listener.losses(), &want, F32);
    let (weight, bias) = (&finished.trained.weight, &finished.trained.bias);
    let end = Tolerance {
        abs: 1e-5,
        rel: 1e-5,
    };
    assert_close("weight", &values(weight), &values(&tensors["weight"]), end);
    assert_close("bias", &values(bias), &values(&tensors["bias"]), end);
}

/// Four steps an epoch: forty steps are ten epochs, and their milestones fall on the same steps.
#[test]
fn steps_that_fill_epochs_are_those_epochs() {
    let (tensors, _) = golden();
    let data = features(&tensors);
    let losses = |options: &LoopOptions| {
        let mut listener = Listener::default();
        linear_probe(splits(&data), head(), options, None, &mut listener).unwrap();
        listener.events
    };
    let steps = LoopOptions {
        steps: Some(40),
        ..options()
    };
    assert_eq!(losses(&steps), losses(&options()));
}

#[test]
fn the_last_epoch_ends_where_the_steps_do() {
    let (tensors, _) = golden();
    let data = features(&tensors);
    let options = LoopOptions {
        epochs: LoopOptions::epochs_of(6, data.labels.len(), 32),
        steps: Some(6),
        eval_every: 1,
        ..options()
    };
    assert_eq!(options.epochs, 2);
    let mut listener = Listener::default();
    let finished = linear_probe(splits(&data), head(), &options, None, &mut listener).unwrap();
    assert_eq!((finished.steps, finished.epoch), (6, 1));
    let losses = listener.losses();
    assert_eq!(losses.len(), 6);
    let epochs = listener.events.iter().filter_map(|event| match event {
        Event::Epoch {
            loss,
            learning_rate,
            ..
        } => Some((*loss, *learning_rate)),
        _ => None,
    });
    let epochs: Vec<(f64, f64)> = epochs.collect();
    // Of the cut epoch, the mean over the images that were in it; the rate fell before the fourth step and before the fifth.
    assert!((epochs[1].0 - (losses[4] + losses[5]) / 2.0).abs() < 1e-12);
    assert!((epochs[0].1 - 1e-3).abs() < 1e-12, "{epochs:?}");
    assert!((epochs[1].1 - 1e-4).abs() < 1e-12, "{epochs:?}");
}

#[test]
fn a_run_stopped_anywhere_goes_on_to_the_same_bits() {
    for steps in [None, Some(18)] {
        stopped_anywhere(steps);
    }
}

fn stopped_anywhere(steps: Option<u32>) {
    let (tensors, _) = golden();
    let data = features(&tensors);
    let options = LoopOptions {
        epochs: steps.map_or(10, |steps| {
            LoopOptions::epochs_of(steps, data.labels.len(), 32)
        }),
        steps,
        shuffle: Shuffle::On,
        select: Select::BestVal,
        eval_every: 2,
        ..options()
    };
    let mut whole = Listener::default();
    let want = linear_probe(splits(&data), head(), &options, None, &mut whole).unwrap();
    for stop_after in 1..=whole.asked {
        let mut first = Listener::stopping_at(stop_after);
        let stopped = linear_probe(splits(&data), head(), &options, None, &mut first).unwrap_err();
        assert!(matches!(stopped, Error::Stopped { .. }), "{stopped}");
        let (state, events_before) = first.into_saved();
        let mut second = Listener::default();
        // Another start: everything must come from the state.
        let other = LinearHead::init(64, 6, Seed(1), DType::F32, &Device::Cpu).unwrap();
        let got = linear_probe(splits(&data), other, &options, Some(&state), &mut second).unwrap();
        let events: Vec<Event> = events_before.into_iter().chain(second.events).collect();
        assert_eq!(events, whole.events, "stopped after {stop_after}");
        assert_eq!(
            values(&got.trained.weight),
            values(&want.trained.weight),
            "stopped after {stop_after}"
        );
        assert_eq!(
            (got.epoch, got.selected_accuracy),
            (want.epoch, want.selected_accuracy)
        );
    }
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_and_names_the_step() {
    let (tensors, _) = golden();
    let mut data = features(&tensors);
    let mut values = data.features.to_f32();
    values[119 * 64..].fill(f32::NAN);
    data.features = FeatureMatrix::from_f32(values, 64).unwrap();
    let error = linear_probe(
        splits(&data),
        head(),
        &options(),
        None,
        &mut Listener::default(),
    )
    .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the loss is NaN at step 3 (epoch 0)"),
        "{error}"
    );
}

#[test]
fn a_state_of_another_run_is_refused_by_name() {
    let (tensors, _) = golden();
    let data = features(&tensors);
    let mut first = Listener::stopping_at(2);
    let _ = linear_probe(splits(&data), head(), &options(), None, &mut first);
    let (state, _) = first.into_saved();
    let other = LinearHead::init(64, 7, Seed(1), DType::F32, &Device::Cpu).unwrap();
    let error = linear_probe(
        splits(&data),
        other,
        &options(),
        Some(&state),
        &mut Listener::default(),
    )
    .unwrap_err();
    assert!(
        error.to_string().contains("trained.weight") && error.to_string().contains("[7, 64]"),
        "{error}"
    );
}

#[test]
fn best_val_without_validation_images_is_refused() {
    let (tensors, _) = golden();
    let data = features(&tensors);
    let options = LoopOptions {
        select: Select::BestVal,
        eval_every: 1,
        ..options()
    };
    let alone = ProbeSplits {
        validation: None,
        ..splits(&data)
    };
    let error = linear_probe(alone, head(), &options, None, &mut Listener::default()).unwrap_err();
    assert!(
        error.to_string().contains("best-val without validation"),
        "{error}"
    );
}
