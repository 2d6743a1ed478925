//! Every error: bad input is refused with the place, what was expected and what to do.

use rut_metrics::{
    Accumulator, Binning, BootstrapOptions, EqualMass, Error, Logits, Outcomes, Probs, Reliability,
    Result, Summary, Temperature, TemperatureOptions, TopLabel, accuracy, bootstrap,
    bootstrap_difference, brier, fit_temperature, nll, top_k_accuracy,
};

#[track_caller]
fn assert_message<T>(result: Result<T>, want: &str) {
    match result {
        Ok(_) => panic!("expected the error {want:?}"),
        Err(error) => assert_eq!(error.to_string(), want),
    }
}

const NOT_FINITE: &str = "expected finite (magnitude at most 1e300)";

#[test]
fn logits_that_are_not_finite() {
    let remedy = "look for a diverged run, a division by zero or the logarithm of a probability of 0 upstream";
    let values = [0.0f32, 1.0, 2.0, 3.0, 4.0, f32::NAN];
    assert_message(
        Logits::new(&values, 3),
        &format!("logits at row 1, column 2: {NOT_FINITE}, found NaN; {remedy}"),
    );
    let values = [0.0, f64::NEG_INFINITY];
    assert_message(
        Logits::new(&values, 2),
        &format!("logits at row 0, column 1: {NOT_FINITE}, found -inf; {remedy}"),
    );
    assert!(matches!(
        Logits::new(&[1e301], 1),
        Err(Error::NotFinite {
            row: 0,
            column: 0,
            ..
        })
    ));
}

#[test]
fn shapes() {
    assert_message(
        Logits::new(&[0.0; 7], 3),
        "logits has 7 values: expected a multiple of classes = 3; check the order and width of the rows",
    );
    let empty = "is empty: expected at least one sample; check that the split has images";
    assert_message(Logits::new::<f32>(&[], 3), &format!("logits {empty}"));
    assert_message(Probs::new::<f32>(&[], 3), &format!("probs {empty}"));
    assert_message(
        Accumulator::new(3).unwrap().finish(),
        &format!("accumulator {empty}"),
    );
    assert_message(
        TopLabel::new(vec![], vec![]),
        &format!("confidence {empty}"),
    );
    let no_classes = "classes is 0: expected at least 1; pass the width of one row";
    assert_message(Probs::new(&[1.0], 0), no_classes);
    assert_message(Accumulator::new(0), no_classes);
}

#[test]
fn probabilities_that_are_none() {
    assert_message(
        Probs::new(&[0.5, 0.5, 1.5, -0.5], 2),
        "probs at row 1, column 0: expected finite in [0, 1], found 1.5; if these are logits, take them as such",
    );
    assert!(matches!(
        Probs::new(&[0.5, f32::NAN], 2),
        Err(Error::NotProbability {
            row: 0,
            column: 1,
            ..
        })
    ));
    assert_message(
        Probs::new(&[0.5, 0.5, 0.5, 0.25], 2),
        "probs at row 1: expected a sum of 1 within 1e-3, found 0.75; normalise the rows, or, if these are logits, take them as such",
    );
    assert!(Probs::new(&[0.5, 0.5005], 2).is_ok());
}

#[test]
fn labels() {
    let logits = Logits::new(&[0.0, 1.0, 1.0, 0.0], 2).unwrap();
    let count = "labels has 1 entries: expected 2, one per row of the predictions";
    assert_message(accuracy(logits, &[0]), count);
    assert_message(nll(logits, &[0]), count);
    assert_message(Summary::of(logits, &[0]), count);
    let label = "label at index 1: expected less than classes = 2, found 2; labels count from 0";
    assert_message(accuracy(logits, &[0, 2]), label);
    assert_message(brier(logits, &[0, 2]), label);
    assert_message(TopLabel::of(logits, &[0, 2]), label);
    assert_message(Outcomes::of(logits, &[0, 2]), label);
    assert_message(
        fit_temperature(logits, &[0, 2], &TemperatureOptions::default()),
        label,
    );
}

#[test]
fn a_true_class_of_probability_zero() {
    let probs = Probs::new(&[1.0, 0.0, 1.0, 0.0], 2).unwrap();
    let infinite = "probs at row 1: expected more than 0 for the true class 1, found 0, whose nll is infinite; take the logits that these were made from";
    assert_message(nll(probs, &[0, 1]), infinite);
    assert_message(Summary::of(probs, &[0, 1]), infinite);
    // What needs no likelihood works.
    assert_eq!(brier(probs, &[0, 1]), Ok(1.0));
}

#[test]
fn a_refused_batch_leaves_no_trace() {
    let mut accumulator = Accumulator::new(2).unwrap();
    accumulator
        .push(Logits::new(&[1.0, 0.0], 2).unwrap(), &[0])
        .unwrap();
    let before = accumulator.clone().finish().unwrap();
    let probs = Probs::new(&[0.5, 0.5, 1.0, 0.0], 2).unwrap();
    assert!(accumulator.push(probs, &[0, 1]).is_err());
    assert!(accumulator.push(probs, &[0, 9]).is_err());
    assert_message(
        accumulator.push(Logits::new(&[0.0; 3], 3).unwrap(), &[0]),
        "a batch has 3 classes: expected 2, as the accumulator was made with",
    );
    assert_eq!(accumulator.finish().unwrap(), before);
}

#[test]
fn top_label_parts() {
    assert_message(
        TopLabel::new(vec![0.5, 1.5], vec![true; 2]),
        "confidence at index 1: expected finite in [0, 1], found 1.5; softmax the logits first",
    );
    assert_message(
        TopLabel::new(vec![0.5, 0.5], vec![true]),
        "correct has 1 entries: expected 2, one per sample",
    );
}

#[test]
fn options() {
    let logits = Logits::new(&[0.0, 1.0], 2).unwrap();
    assert_message(
        top_k_accuracy(logits, &[0], 3),
        "k is 3: expected 1 to classes = 2",
    );
    assert_message(
        top_k_accuracy(logits, &[0], 0),
        "k is 0: expected 1 to classes = 2",
    );
    let top = TopLabel::of(logits, &[0]).unwrap();
    let binning = Binning {
        bins: 0,
        ..Default::default()
    };
    assert_message(
        Reliability::equal_width(&top, &binning),
        "bins is 0: expected 1 to 1048576",
    );
    let equal_mass = EqualMass {
        bins: 0,
        ..Default::default()
    };
    assert_message(
        Reliability::equal_mass(&top, &equal_mass),
        "bins is 0: expected at least 1",
    );
    assert_message(
        Temperature::new(f64::NAN),
        "temperature is NaN: expected finite in [1e-6, 1e6]",
    );
    let fit = |options| fit_temperature(logits, &[0], &options);
    let default = TemperatureOptions::default();
    assert_message(
        fit(TemperatureOptions { lo: 0.0, ..default }),
        "lo is 0: expected finite in [1e-6, 1e6]",
    );
    assert_message(
        fit(TemperatureOptions {
            hi: 0.001,
            ..default
        }),
        "hi is 0.001: expected more than lo",
    );
    assert_message(
        fit(TemperatureOptions {
            tolerance: 0.0,
            ..default
        }),
        "tolerance is 0: expected finite in [1e-12, 0.1]",
    );
    let outcomes = Outcomes::of(logits, &[0]).unwrap();
    let draw = |options| bootstrap(&outcomes, &options);
    let default = BootstrapOptions::default();
    assert_message(
        draw(BootstrapOptions {
            resamples: 1,
            ..default
        }),
        "resamples is 1: expected at least 2",
    );
    assert_message(
        draw(BootstrapOptions {
            level: 95.0,
            ..default
        }),
        "level is 95: expected between 0 and 1, such as 0.95",
    );
    assert_message(
        draw(BootstrapOptions { binning, ..default }),
        "bins is 0: expected 1 to 1048576",
    );
}

#[test]
fn runs_that_are_not_paired() {
    let of = |labels: &[u32]| {
        let values = [0.0, 1.0].repeat(labels.len());
        Outcomes::of(Logits::new(&values, 2).unwrap(), labels).unwrap()
    };
    let compare =
        |a: &[u32], b: &[u32]| bootstrap_difference(&of(a), &of(b), &BootstrapOptions::default());
    assert_message(
        compare(&[0, 1], &[0]),
        "second run has 1 entries: expected 2, one per sample",
    );
    assert_message(
        compare(&[0, 1], &[0, 0]),
        "labels of the two runs differ at index 1: expected 1 as in the first, found 0; \
         pair runs on one test set, in one order",
    );
}
