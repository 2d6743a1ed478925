//! How sure a fitted temperature is: the ends that NumPy and SciPy find on the same draws, and what few samples show.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rut_metrics::{
    BootstrapOptions, Interval, Logits, TemperatureIntervals, TemperatureOptions,
    bootstrap_temperature, fit_temperature,
};
use safetensors::SafeTensors;
use serde::Deserialize;

use close::{Tolerance, assert_close};
use draws::Draws;

mod close;
mod draws;

/// The ends come from minimisers, which are known to the root of the precision of a minimum.
const MINIMISER: Tolerance = Tolerance {
    abs: 1e-9,
    rel: 1e-6,
};

#[derive(Deserialize)]
struct Golden {
    cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    n: usize,
    temperature: [f64; 3],
    gain: [f64; 3],
}

fn intervals(values: &[f64], classes: usize, labels: &[u32]) -> TemperatureIntervals {
    let logits = Logits::new(values, classes).unwrap();
    let options = TemperatureOptions::default();
    let fit = fit_temperature(logits, labels, &options).unwrap();
    let bootstrap = BootstrapOptions {
        resamples: 2000,
        ..BootstrapOptions::default()
    };
    bootstrap_temperature(logits, labels, &fit, &options, &bootstrap).unwrap()
}

fn three(interval: Interval) -> [f64; 3] {
    [interval.estimate, interval.lo, interval.hi]
}

/// Rows and labels of a set of `metrics.safetensors`.
fn set(name: &str) -> (Vec<f64>, usize, Vec<u32>) {
    let bytes = std::fs::read(golden("metrics.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let logits = file.tensor(&format!("{name}.logits")).unwrap();
    let labels = file.tensor(&format!("{name}.labels")).unwrap();
    let wide = |bytes: &[u8]| f64::from(f32::from_le_bytes(bytes.try_into().unwrap()));
    let whole = |bytes: &[u8]| i64::from_le_bytes(bytes.try_into().unwrap()) as u32;
    (
        logits.data().chunks(4).map(wide).collect(),
        logits.shape()[1],
        labels.data().chunks(8).map(whole).collect(),
    )
}

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../golden")
        .join(name)
}

/// The rows of `chosen`.
fn rows(values: &[f64], classes: usize, chosen: &[usize]) -> Vec<f64> {
    let row = |&at: &usize| &values[at * classes..(at + 1) * classes];
    chosen.iter().flat_map(row).copied().collect()
}

#[test]
fn a_separate_implementation_finds_the_same_ends() {
    let text = std::fs::read_to_string(golden("temperature.json")).unwrap();
    let golden: Golden = serde_json::from_str(&text).unwrap();
    assert!(golden.cases.len() > 9);
    for (name, case) in golden.cases {
        let (whole, _) = name.rsplit_once('.').unwrap();
        let one_wrong = whole == "one_wrong";
        let (values, classes, labels) = set(if one_wrong { "near_calibrated" } else { whole });
        let chosen: Vec<usize> = if one_wrong {
            let best = |at: usize| {
                let row = &values[at * classes..(at + 1) * classes];
                (0..classes)
                    .rev()
                    .max_by(|a, b| row[*a].total_cmp(&row[*b]))
                    .unwrap()
            };
            let (right, wrong): (Vec<usize>, Vec<usize>) =
                (0..labels.len()).partition(|&at| best(at) == labels[at] as usize);
            [&right[..11], &wrong[..1]].concat()
        } else {
            (0..case.n).collect()
        };
        let own: Vec<u32> = chosen.iter().map(|&at| labels[at]).collect();
        let got = intervals(&rows(&values, classes, &chosen), classes, &own);
        assert_eq!((got.n, got.resamples), (case.n as u64, 2000));
        assert_close(
            &format!("{name}: T"),
            &three(got.temperature),
            &case.temperature,
            MINIMISER,
        );
        assert_close(
            &format!("{name}: gain"),
            &three(got.gain),
            &case.gain,
            MINIMISER,
        );
    }
}

#[test]
fn the_draws_are_fixed_and_no_draw_gains_more_than_the_fit() {
    let (values, classes, labels) = set("near_calibrated");
    let (values, labels) = (&values[..300 * classes], &labels[..300]);
    let got = intervals(values, classes, labels);
    assert_eq!(got, intervals(values, classes, labels));
    assert!(got.gain.hi <= got.gain.estimate + 1e-12, "{got:?}");
}

#[test]
fn a_temperature_that_is_luck_shows_no_gain_about_as_often_as_it_should() {
    // Labels drawn from the softmax itself: T = 1 is right, and what is fitted is chance.
    let mut draws = Draws::new(12);
    let shown = (0..200)
        .filter(|_| {
            let values = draws.between(-2.0, 2.0, 80 * 4);
            let label = |row: &[f64]| {
                let mut left = draws.uniform() * row.iter().map(|v| v.exp()).sum::<f64>();
                let at = row.iter().position(|v| {
                    left -= v.exp();
                    left < 0.0
                });
                at.unwrap_or(3) as u32
            };
            let labels: Vec<u32> = values.chunks(4).map(label).collect();
            intervals(&values, 4, &labels).shows_a_gain()
        })
        .count();
    // 2.5 % where the bootstrap is exact; on 80 samples it is somewhat bold.
    assert!(shown <= 16, "{shown} of 200");
}

#[test]
fn bounds_and_logits_that_say_nothing() {
    // All right: every draw ends at the lower bound, and gains.
    let got = intervals(&[5.0, 0.0, 0.0, 5.0], 2, &[0, 1]);
    assert_eq!(three(got.temperature), [0.01; 3]);
    assert!(got.gain.lo > 0.0);
    let got = intervals(&[5.0, 0.0, 0.0, 5.0], 2, &[1, 0]);
    assert_eq!(three(got.temperature), [100.0; 3]);
    // Nothing changes what is equal, whether all rows are or those of a draw.
    let got = intervals(&[2.0, 2.0], 2, &[1]);
    assert_eq!(
        (three(got.temperature), three(got.gain)),
        ([1.0; 3], [0.0; 3])
    );
    assert!(!got.shows_a_gain());
    let got = intervals(&[2.0, 2.0, 1.0, 0.0], 2, &[1, 1]);
    assert_eq!((got.temperature.hi, got.temperature.lo), (100.0, 1.0));
    // One sample, one class, and logits as large as they may be.
    assert_eq!(intervals(&[3.0], 1, &[0]).gain.estimate, 0.0);
    let got = intervals(&[1e300, -1e300, 0.0, 1.0], 2, &[0, 0]);
    assert!(
        got.gain.lo.is_finite() && got.temperature.lo >= 0.01,
        "{got:?}"
    );
}
