//! Baselines on features against scikit-learn and NumPy in f64 (`golden/methods/baselines.*`), and by hand.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use rut_adapt::{
    Baseline, Error, FeatureMatrix, LabelledFeatures, Pass, ProbeHead, Reporter, TrainingState,
    serialize,
};
use rut_record::{FeatureType, Phase};
use rut_testkit::close::{Tolerance, assert_close};
use rut_testkit::place;

mod listen;

use listen::Listener;

/// Products of features are summed in f32.
const SINGLE: Tolerance = Tolerance {
    abs: 2e-6,
    rel: 2e-6,
};

/// Divided by a temperature of 0.07.
const SHARP: Tolerance = Tolerance {
    abs: 5e-5,
    rel: 5e-6,
};

fn golden() -> BTreeMap<String, Tensor> {
    let path = place::golden("methods/baselines.safetensors");
    let tensors = candle_core::safetensors::load(path, &Device::Cpu).unwrap();
    tensors.into_iter().collect()
}

fn labelled(golden: &BTreeMap<String, Tensor>, x: &str, y: &str) -> LabelledFeatures {
    let width = golden[x].dims()[1];
    let values = golden[x].flatten_all().unwrap().to_vec1().unwrap();
    let labels = golden[y].to_vec1::<i64>().unwrap();
    LabelledFeatures {
        features: FeatureMatrix::from_f32(values, width).unwrap(),
        labels: labels.into_iter().map(|label| label as u32).collect(),
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

fn values(tensor: &Tensor) -> Vec<f64> {
    let tensor = tensor.to_dtype(DType::F64).unwrap();
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Logits of a file that was written and read again.
fn logits(head: &ProbeHead, split: &LabelledFeatures) -> Vec<f32> {
    let again = ProbeHead::from_bytes(&head.to_bytes().unwrap()).unwrap();
    assert_eq!(again.values(), head.values());
    let found = head.logits(split).unwrap();
    assert_eq!(again.logits(split).unwrap(), found);
    found.values
}

fn knn(neighbours: usize, temperature: f64) -> Baseline {
    Baseline::Knn {
        neighbours,
        temperature,
    }
}

/// Rows of 2 features.
fn rows(values: &[f32], labels: &[u32]) -> LabelledFeatures {
    LabelledFeatures {
        features: FeatureMatrix::from_f32(values.to_vec(), 2).unwrap(),
        labels: labels.to_vec(),
    }
}

fn half(split: &LabelledFeatures) -> LabelledFeatures {
    let mut features = FeatureMatrix::new(split.features.width(), FeatureType::F16);
    features.push(&split.features.to_f32()).unwrap();
    let labels = split.labels.clone();
    LabelledFeatures { features, labels }
}

#[test]
fn nearest_neighbours_are_scikit_learn_s() {
    let golden = golden();
    let (train, test) = (labelled(&golden, "x", "y"), labelled(&golden, "xv", "yv"));
    for (k, tau, name) in [
        (1, 0.07, "1.0.07"),
        (20, 0.07, "20.0.07"),
        (20, 1.0, "20.1.0"),
        (500, 0.5, "500.0.5"),
    ] {
        let head = knn(k, tau).fit(train.clone(), 5).unwrap();
        assert_eq!(head.values(), 67 * 25);
        let found = logits(&head, &test);
        let want = values(&golden[&format!("knn.{name}")]);
        assert_close(name, &wide(&found), &want, SHARP);
        for row in found.chunks(5) {
            let sum: f64 = row.iter().map(|&logit| f64::from(logit).exp()).sum();
            assert!((sum - 1.0).abs() < 1e-5, "{sum}");
        }
    }
}

#[test]
fn class_means_are_numpy_s() {
    let golden = golden();
    let (train, test) = (labelled(&golden, "x", "y"), labelled(&golden, "xv", "yv"));
    let head = Baseline::Prototype.fit(train, 5).unwrap();
    assert_eq!(head.values(), 5 * 24);
    let found = logits(&head, &test);
    assert_close(
        "prototype",
        &wide(&found),
        &values(&golden["prototype"]),
        SINGLE,
    );
}

#[test]
fn ridge_is_scikit_learn_s() {
    let golden = golden();
    let (train, test) = (labelled(&golden, "x", "y"), labelled(&golden, "xv", "yv"));
    let last = |rows: usize| {
        let start = (train.labels.len() - rows) * 24;
        let values = train.features.to_f32()[start..].to_vec();
        LabelledFeatures {
            features: FeatureMatrix::from_f32(values, 24).unwrap(),
            labels: train.labels[train.labels.len() - rows..].to_vec(),
        }
    };
    let mut two = train.clone();
    two.labels
        .iter_mut()
        .for_each(|label| *label = u32::from(*label > 1));
    for (name, train, classes) in [
        ("tall", train.clone(), 5),
        ("wide", last(20), 5),
        ("two", two, 2),
    ] {
        for (alpha, text) in [(0.1, "0.1"), (1.0, "1.0"), (100.0, "100.0")] {
            let head = Baseline::Ridge { alpha }
                .fit(train.clone(), classes)
                .unwrap();
            assert_eq!(head.values(), classes * 25);
            assert!(matches!(head, ProbeHead::Linear(_)));
            let want = values(&golden[&format!("ridge.{name}.{text}")]);
            assert_close(name, &wide(&logits(&head, &test)), &want, SINGLE);
        }
    }
}

#[test]
fn of_equal_cosines_the_first_image_counts() {
    let train = rows(&[0.0, 1.0, 5.0, 0.0, 1.0, 0.0], &[0, 1, 2]);
    let test = rows(&[2.0, 0.0], &[0]);
    let found = |k| logits(&knn(k, 1.0).fit(train.clone(), 3).unwrap(), &test);
    let e = f64::exp(1.0);
    let want = |weights: [f64; 3]| -> Vec<f64> {
        let sum: f64 = weights.iter().sum();
        weights
            .iter()
            .map(|w| ((w + 1.0 / 3.0) / (sum + 1.0)).ln())
            .collect()
    };
    assert_close("one", &wide(&found(1)), &want([0.0, e, 0.0]), SINGLE);
    assert_close("two", &wide(&found(2)), &want([0.0, e, e]), SINGLE);
    for k in [3, 4, 1000] {
        assert_close("all", &wide(&found(k)), &want([1.0, e, e]), SINGLE);
    }
}

#[test]
fn a_small_temperature_keeps_logits_finite() {
    let train = rows(&[1.0, 0.0, 0.0, 1.0], &[0, 1]);
    let found = logits(&knn(1, 1e-4).fit(train.clone(), 3).unwrap(), &train);
    let none = -1e4 - f64::ln(3.0);
    let want = [0.0, none, none, none, 0.0, none];
    assert_close("logits", &wide(&found), &want, SINGLE);
}

#[test]
fn zero_features_and_classes_without_images_give_numbers() {
    let train = rows(&[0.0, 0.0, 3.0, 4.0, 0.0, 0.0], &[0, 1, 1]);
    let test = rows(&[0.0, 0.0, 3.0, 4.0], &[0, 1]);
    let prototype = Baseline::Prototype.fit(train.clone(), 3).unwrap();
    assert_eq!(logits(&prototype, &test), [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    // Two zeros and a cosine of 0: the first two images.
    let found = logits(&knn(2, 1.0).fit(train.clone(), 3).unwrap(), &test);
    let third = f64::ln(1.0 / 9.0);
    let equal = f64::ln(4.0 / 9.0);
    assert_close("zeros", &wide(&found[..3]), &[equal, equal, third], SINGLE);
    let ridge = Baseline::Ridge { alpha: 1.0 }.fit(train, 3).unwrap();
    let found = logits(&ridge, &test);
    assert!(found.iter().all(|logit| logit.is_finite()), "{found:?}");
    assert_eq!((found[2], found[5]), (-1.0, -1.0));
}

/// Whatever is beside an image, and however many threads there are.
#[test]
fn threads_and_neighbours_in_a_batch_change_no_bit() {
    // More rows than any block, a width that is no multiple of a vector and is cut into slices.
    let width = 1605;
    let values = |rows: usize, from: usize| -> Vec<f32> {
        let at = |i: usize| (((i + from) * 7919) % 10_007) as f32 / 10_007.0;
        (0..rows * width).map(at).collect()
    };
    let split = |rows: usize, from: usize| LabelledFeatures {
        features: FeatureMatrix::from_f32(values(rows, from), width).unwrap(),
        labels: (0..rows).map(|row| (row % 7) as u32).collect(),
    };
    let (train, test) = (split(400, 0), split(83, 5));
    let heads = |train: &LabelledFeatures| {
        [
            knn(9, 0.07),
            Baseline::Prototype,
            Baseline::Ridge { alpha: 1.0 },
        ]
        .map(|baseline| baseline.fit(train.clone(), 7).unwrap())
    };
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let heads = heads(&train).map(|head| logits(&head, &test));
            let tall = Baseline::Ridge { alpha: 1.0 }
                .fit(narrow(&train), 7)
                .unwrap();
            (heads, tall.to_bytes().unwrap())
        })
    };
    let one = with(1);
    assert!(one == with(2));
    let alone = LabelledFeatures {
        features: FeatureMatrix::from_f32(values(1, 5), width).unwrap(),
        labels: vec![0],
    };
    for (head, all) in heads(&train).iter().zip(&one.0) {
        assert_eq!(head.logits(&alone).unwrap().values, all[..7]);
    }
}

/// The first features only: fewer than images.
fn narrow(split: &LabelledFeatures) -> LabelledFeatures {
    let values = split.features.to_f32();
    let rows = values.chunks(split.features.width());
    let values = rows.flat_map(|row| row[..150].to_vec()).collect();
    LabelledFeatures {
        features: FeatureMatrix::from_f32(values, 150).unwrap(),
        labels: split.labels.clone(),
    }
}

#[test]
fn nearest_neighbours_can_be_stopped() {
    let golden = golden();
    let (train, test) = (labelled(&golden, "x", "y"), labelled(&golden, "xv", "yv"));
    let head = knn(20, 0.07).fit(train, 5).unwrap();
    let pass = Pass {
        phase: Phase::Test,
        step: 0,
        state: &TrainingState::default,
    };
    let mut listener = Listener::default();
    let found = head.reported_logits(&test, &pass, &mut Reporter::new(&mut listener));
    assert_eq!(found.unwrap(), head.logits(&test).unwrap());
    assert_eq!(listener.asked, 1);
    let mut listener = Listener::stopping_at(1);
    let found = head.reported_logits(&test, &pass, &mut Reporter::new(&mut listener));
    assert!(matches!(found, Err(Error::Stopped { .. })));
}

#[test]
fn half_precision_features_are_the_same_features() {
    let golden = golden();
    let (train, test) = (labelled(&golden, "x", "y"), labelled(&golden, "xv", "yv"));
    let (train, test) = (half(&train), half(&test));
    let single = |split: &LabelledFeatures| LabelledFeatures {
        features: FeatureMatrix::from_f32(split.features.to_f32(), 24).unwrap(),
        labels: split.labels.clone(),
    };
    for baseline in [
        knn(20, 0.07),
        Baseline::Prototype,
        Baseline::Ridge { alpha: 1.0 },
    ] {
        let narrow = baseline.fit(train.clone(), 5).unwrap();
        let wide = baseline.fit(single(&train), 5).unwrap();
        assert_eq!(logits(&narrow, &test), logits(&wide, &single(&test)));
    }
    let size = |split: &LabelledFeatures| {
        let head = knn(20, 0.07).fit(split.clone(), 5).unwrap();
        head.to_bytes().unwrap().len()
    };
    assert_eq!(size(&single(&train)) - size(&train), 2 * 67 * 24);
}

#[test]
fn what_cannot_be_used_is_refused() {
    let train = rows(&[1.0, 0.0, 0.0, 1.0], &[0, 1]);
    let none = rows(&[], &[]);
    let poisoned = rows(&[1.0, 0.0, f32::NAN, 1.0], &[0, 1]);
    let ridge = |alpha| Baseline::Ridge { alpha };
    for (baseline, train, classes, texts) in [
        (knn(0, 0.07), &train, 2, ["neighbours = 0", "at least 1"]),
        (
            knn(1, 0.0),
            &train,
            2,
            ["knn_temperature = 0", "0.0001 or more"],
        ),
        (
            knn(1, f64::NAN),
            &train,
            2,
            ["knn_temperature = NaN", "a number"],
        ),
        (ridge(0.0), &train, 2, ["ridge_alpha = 0", "positive"]),
        (
            ridge(1.0),
            &poisoned,
            2,
            ["ridge_alpha = 1", "finite features"],
        ),
        (knn(1, 0.07), &poisoned, 2, ["finite numbers", "of image 1"]),
        (
            Baseline::Prototype,
            &poisoned,
            2,
            ["finite numbers", "of image 1"],
        ),
        (
            Baseline::Prototype,
            &none,
            2,
            ["training images", "0 and 0 labels"],
        ),
        (Baseline::Prototype, &train, 1, ["labels = 1", "below 1"]),
    ] {
        let error = baseline
            .fit(train.clone(), classes)
            .unwrap_err()
            .to_string();
        assert!(texts.iter().all(|text| error.contains(text)), "{error}");
    }
    for baseline in [knn(1, 0.07), Baseline::Prototype] {
        let head = baseline.fit(train.clone(), 2).unwrap();
        let other = LabelledFeatures {
            features: FeatureMatrix::from_f32(vec![1.0, 2.0, 3.0], 3).unwrap(),
            labels: vec![0],
        };
        let error = head.logits(&other).unwrap_err().to_string();
        assert!(error.contains("width = 3: expected 2"), "{error}");
    }
}

#[test]
fn files_that_hold_no_head_are_refused() {
    let file = |tensors: &[(&str, Tensor)], version: &str| {
        let named = tensors
            .iter()
            .map(|(name, tensor)| ((*name).to_owned(), tensor.clone()));
        serialize(&named.collect(), "rut.head", version).unwrap()
    };
    let new = |values: &[f64]| Tensor::new(values, &Device::Cpu).unwrap();
    let whole = |values: &[i64]| Tensor::new(values, &Device::Cpu).unwrap();
    let features = Tensor::new(&[[1.0f32, 0.0], [0.0, 1.0]], &Device::Cpu).unwrap();
    let with = |labels: &[i64], counts: &[i64], temperature: &[f64]| {
        let tensors = [
            ("features", features.clone()),
            ("labels", whole(labels)),
            ("neighbours_classes", whole(counts)),
            ("temperature", new(temperature)),
        ];
        file(&tensors, "knn version 1")
    };
    assert!(ProbeHead::from_bytes(&with(&[0, 1], &[1, 2], &[0.07])).is_ok());
    for (bytes, text) in [
        (file(&[], "knn version 2"), "knn version 2"),
        (file(&[], "knn version 1"), "features"),
        (file(&[], "prototype version 1"), "directions"),
        (
            file(&[("directions", new(&[1.0]))], "prototype version 1"),
            "[classes, width]",
        ),
        (with(&[0, -1], &[1, 2], &[0.07]), "labels"),
        (with(&[0, 2], &[1, 2], &[0.07]), "labels = 2"),
        (with(&[0], &[1, 2], &[0.07]), "1 labels"),
        (with(&[0, 1], &[1], &[0.07]), "2 and 1 values"),
        (with(&[0, 1], &[-1, 2], &[0.07]), "neighbours = 0"),
        (with(&[0, 1], &[1, 2], &[-1.0]), "knn_temperature"),
    ] {
        let error = ProbeHead::from_bytes(&bytes).unwrap_err().to_string();
        assert!(error.contains(text), "{text}: {error}");
    }
}
