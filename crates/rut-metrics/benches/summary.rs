//! How long a full summary, a likelihood alone and the intervals take. Bytes are those of the logits read.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use rut_metrics::{
    BootstrapOptions, Logits, Outcomes, Summary, TemperatureOptions, bootstrap, fit_temperature,
    nll,
};

fn main() {
    divan::main();
}

/// Pseudo-random logits [rows, classes] and labels [rows], about normal in shape.
fn data(rows: usize, classes: usize) -> (Vec<f32>, Vec<u32>) {
    let mut state = 1u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    let logits = (0..rows * classes)
        .map(|_| 4.0 * (next() + next() + next() - 1.5))
        .collect();
    let labels = (0..rows)
        .map(|_| (next() * classes as f32) as u32)
        .collect();
    (logits, labels)
}

#[divan::bench(args = [(10_000, 10), (10_000, 1000), (1_000_000, 100)], sample_count = 5)]
fn summary(bencher: Bencher<'_, '_>, (rows, classes): (usize, usize)) {
    let (logits, labels) = data(rows, classes);
    bencher
        .counter(ItemsCount::new(rows))
        .counter(BytesCount::of_slice(&logits))
        .bench(|| Summary::of(Logits::new(black_box(&logits), classes).unwrap(), &labels).unwrap());
}

#[divan::bench(args = [(1_000_000, 100)], sample_count = 5)]
fn likelihood(bencher: Bencher<'_, '_>, (rows, classes): (usize, usize)) {
    let (logits, labels) = data(rows, classes);
    bencher
        .counter(ItemsCount::new(rows))
        .bench(|| nll(Logits::new(black_box(&logits), classes).unwrap(), &labels).unwrap());
}

#[divan::bench(args = [(10_000, 100)], sample_count = 5)]
fn temperature(bencher: Bencher<'_, '_>, (rows, classes): (usize, usize)) {
    let (logits, labels) = data(rows, classes);
    let logits = Logits::new(&logits, classes).unwrap();
    bencher.bench(|| {
        fit_temperature(black_box(logits), &labels, &TemperatureOptions::default()).unwrap()
    });
}

#[divan::bench(args = [10_000], sample_count = 5)]
fn intervals(bencher: Bencher<'_, '_>, rows: usize) {
    let (logits, labels) = data(rows, 10);
    let outcomes = Outcomes::of(Logits::new(&logits, 10).unwrap(), &labels).unwrap();
    bencher.bench(|| bootstrap(black_box(&outcomes), &BootstrapOptions::default()).unwrap());
}
