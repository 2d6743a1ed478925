//! What must not change a figure: the size of the batches, the type that the values are stored in, a constant added to
//! logits, whether it is computed alone or in a summary, a trip through JSON.

use rut_metrics::{
    Accumulator, Binning, BootstrapOptions, EqualMass, Logits, Outcomes, Probs, Reliability,
    Summary, Temperature, TopLabel, accuracy, bootstrap, brier, classwise_ece, nll,
    per_class_accuracy, top_k_accuracy,
};

use close::{Tolerance, assert_close};
use draws::Draws;

mod close;
mod draws;

const ROWS: usize = 1009;
const CLASSES: usize = 7;

fn logits_and_labels() -> (Vec<f64>, Vec<u32>) {
    let mut draws = Draws::new(1);
    // Multiples of 1/4, so that there are ties within rows and between confidences.
    let logits = draws
        .between(-6.0, 6.0, ROWS * CLASSES)
        .iter()
        .map(|value| (value * 4.0).round() / 4.0)
        .collect();
    let labels = draws
        .between(0.0, CLASSES as f64, ROWS)
        .iter()
        .map(|&value| value as u32)
        .collect();
    (logits, labels)
}

fn summary_of(logits: &[f64], labels: &[u32]) -> Summary {
    Summary::of(Logits::new(logits, CLASSES).unwrap(), labels).unwrap()
}

/// All numbers of a summary.
fn numbers(summary: &Summary) -> Vec<f64> {
    let s = summary;
    let mut all = vec![
        s.accuracy,
        s.top5,
        s.nll,
        s.brier,
        s.mean_confidence,
        s.ece,
        s.rmsce,
        s.mce,
    ];
    all.extend([
        s.adaptive_ece,
        s.classwise_ece,
        s.debiased_ece_squared,
        s.ks,
    ]);
    all.extend(s.per_class.iter().filter_map(|class| class.accuracy));
    all.extend(s.bins.iter().filter_map(|bin| bin.confidence));
    all
}

#[test]
fn batches_change_not_one_bit() {
    let (logits, labels) = logits_and_labels();
    let whole = summary_of(&logits, &labels);
    for batch in [1, 2, 3, 64, 128, 1000, ROWS, 5000] {
        let mut accumulator = Accumulator::new(CLASSES).unwrap();
        for (logits, labels) in logits.chunks(batch * CLASSES).zip(labels.chunks(batch)) {
            accumulator
                .push(Logits::new(logits, CLASSES).unwrap(), labels)
                .unwrap();
        }
        let streamed = accumulator.finish().unwrap();
        let bits = |summary: &Summary| {
            numbers(summary)
                .iter()
                .map(|value| value.to_bits())
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(&streamed), bits(&whole), "batches of {batch}");
        assert_eq!(streamed, whole, "batches of {batch}");
    }
}

#[test]
fn a_constant_added_to_a_row_changes_nothing() {
    let (logits, labels) = logits_and_labels();
    let whole = summary_of(&logits, &labels);
    for constant in [-1000.0, 3.5, 1e6] {
        let moved: Vec<f64> = logits.iter().map(|value| value + constant).collect();
        // Exact: the logits are multiples of 1/4.
        assert_eq!(summary_of(&moved, &labels), whole, "plus {constant}");
    }
}

#[test]
fn single_and_double_precision_agree_on_the_same_values() {
    let (logits, labels) = logits_and_labels();
    let single: Vec<f32> = logits.iter().map(|&value| value as f32).collect();
    assert_eq!(
        Summary::of(Logits::new(&single, CLASSES).unwrap(), &labels).unwrap(),
        summary_of(&logits, &labels)
    );
}

#[test]
fn probabilities_and_logits_agree() {
    let (logits, labels) = logits_and_labels();
    let softmax = |row: &[f64]| {
        let sum: f64 = row.iter().map(|value| value.exp()).sum();
        row.iter()
            .map(|value| value.exp() / sum)
            .collect::<Vec<_>>()
    };
    let probs: Vec<f64> = logits.chunks(CLASSES).flat_map(softmax).collect();
    let got = Summary::of(Probs::new(&probs, CLASSES).unwrap(), &labels).unwrap();
    // The adaptive error is left out: rounding parts confidences that are equal.
    let tolerance = Tolerance {
        abs: 1e-12,
        rel: 0.0,
    };
    let some = |s: &Summary| {
        vec![
            s.accuracy,
            s.top5,
            s.nll,
            s.brier,
            s.mean_confidence,
            s.ece,
            s.classwise_ece,
            s.ks,
        ]
    };
    assert_close(
        "probs",
        &some(&got),
        &some(&summary_of(&logits, &labels)),
        tolerance,
    );
}

#[test]
fn a_summary_holds_what_each_metric_says_alone() {
    let (values, labels) = logits_and_labels();
    let logits = Logits::new(&values, CLASSES).unwrap();
    let summary = summary_of(&values, &labels);
    assert_eq!(summary.accuracy, accuracy(logits, &labels).unwrap());
    assert_eq!(summary.top5, top_k_accuracy(logits, &labels, 5).unwrap());
    assert_eq!(
        summary.per_class,
        per_class_accuracy(logits, &labels).unwrap()
    );
    assert_eq!(summary.nll, nll(logits, &labels).unwrap());
    assert_eq!(summary.brier, brier(logits, &labels).unwrap());
    assert_eq!(
        summary.classwise_ece,
        classwise_ece(logits, &labels, &Binning::default()).unwrap()
    );
    let top = TopLabel::of(logits, &labels).unwrap();
    assert_eq!(summary.mean_confidence, top.mean_confidence());
    assert_eq!(summary.ks, top.ks());
    let reliability = Reliability::equal_width(&top, &Binning::default()).unwrap();
    assert_eq!(summary.bins, reliability.bins());
    assert_eq!(
        [
            summary.ece,
            summary.rmsce,
            summary.mce,
            summary.debiased_ece_squared
        ],
        [
            reliability.ece(),
            reliability.rmsce(),
            reliability.mce(),
            reliability.debiased_ece_squared()
        ]
    );
    let equal_mass = Reliability::equal_mass(&top, &EqualMass::default()).unwrap();
    assert_eq!(summary.adaptive_ece, equal_mass.ece());
    let outcomes = Outcomes::of(logits, &labels).unwrap();
    let intervals = bootstrap(
        &outcomes,
        &BootstrapOptions {
            resamples: 2,
            ..Default::default()
        },
    )
    .unwrap();
    let estimates = [
        intervals.accuracy,
        intervals.ece,
        intervals.nll,
        intervals.brier,
    ]
    .map(|i| i.estimate);
    assert_eq!(
        estimates,
        [summary.accuracy, summary.ece, summary.nll, summary.brier]
    );
}

#[test]
fn a_temperature_is_a_division_of_the_logits() {
    let (values, labels) = logits_and_labels();
    let halved: Vec<f64> = values.iter().map(|value| value / 2.0).collect();
    let logits = Logits::new(&values, CLASSES)
        .unwrap()
        .at_temperature(Temperature::new(2.0).unwrap());
    assert_eq!(
        Summary::of(logits, &labels).unwrap(),
        summary_of(&halved, &labels)
    );
}

#[test]
fn equal_mass_bins_hold_every_sample() {
    let (values, labels) = logits_and_labels();
    let top = TopLabel::of(Logits::new(&values, CLASSES).unwrap(), &labels).unwrap();
    for bins in [1, 2, 15, 100, 2000] {
        let options = EqualMass {
            bins,
            ..EqualMass::default()
        };
        let reliability = Reliability::equal_mass(&top, &options).unwrap();
        let bins = reliability.bins();
        assert_eq!(bins.iter().map(|bin| bin.count).sum::<u64>(), ROWS as u64);
        // Ties together: no confidence is in two bins.
        assert!(bins.windows(2).all(|pair| pair[0].hi < pair[1].lo));
    }
}

#[test]
fn a_summary_survives_json() {
    let (logits, labels) = logits_and_labels();
    let summary = summary_of(&logits, &labels);
    let json = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<Summary>(&json).unwrap(), summary);
    let extended = json.replacen('{', "{\"surprise\": 1, ", 1);
    let error = serde_json::from_str::<Summary>(&extended)
        .unwrap_err()
        .to_string();
    assert!(error.contains("unknown field `surprise`"), "{error}");
}

#[test]
fn one_class_is_always_right() {
    let summary = Summary::of(Logits::new(&[3.0, -2.0], 1).unwrap(), &[0, 0]).unwrap();
    assert_eq!(
        (
            summary.accuracy,
            summary.top5,
            summary.nll,
            summary.ece,
            summary.ks
        ),
        (1.0, 1.0, 0.0, 0.0, 0.0)
    );
}
