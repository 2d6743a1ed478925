//! How long an epoch of softmax regression takes: one head, a grid of heads, and half-precision features. Items are rows.

use candle_core::{DType, Device};
use rut_adapt::{FeatureMatrix, HeadRates, LabelledFeatures, LinearHead, Seed, SoftmaxRegression};
use rut_data::{Order, batches};
use rut_record::FeatureType;

use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

const CLASSES: usize = 10;
const BATCH: usize = 128;

/// Pseudo-random features in [0, 1) [rows, width], and labels.
fn data(rows: usize, width: usize, kept: FeatureType) -> LabelledFeatures {
    let mut state = 1u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    let mut features = FeatureMatrix::new(width, kept);
    let mut row = vec![0.0; width];
    for _ in 0..rows {
        row.iter_mut().for_each(|value| *value = next());
        features.push(&row).unwrap();
    }
    let labels = (0..rows).map(|row| (row % CLASSES) as u32).collect();
    LabelledFeatures { features, labels }
}

fn epoch(bencher: Bencher<'_, '_>, kept: FeatureType, heads: usize, rows: usize) {
    let width = 2048;
    let data = data(rows, width, kept);
    let head = LinearHead::init(width, CLASSES, Seed(4), DType::F32, &Device::Cpu).unwrap();
    let mut training = SoftmaxRegression::new(&head, heads).unwrap();
    let rates: Vec<HeadRates> = (0..heads)
        .map(|head| HeadRates {
            learning_rate: 0.01 / (1 + head) as f64,
            weight_decay: 0.0,
        })
        .collect();
    let (mut scored, mut epoch) = (Vec::new(), 0);
    bencher.counter(ItemsCount::new(rows)).bench_local(|| {
        let order = Order::Shuffled {
            seed: Seed(4),
            epoch,
        };
        epoch += 1;
        for indices in batches(rows, BATCH, order) {
            training.step(&data, &indices, &rates, &mut scored).unwrap();
        }
    });
}

#[divan::bench(args = [50_000], sample_count = 10)]
fn one_head_f32(bencher: Bencher<'_, '_>, rows: usize) {
    epoch(bencher, FeatureType::F32, 1, rows);
}

#[divan::bench(args = [50_000], sample_count = 10)]
fn one_head_f16(bencher: Bencher<'_, '_>, rows: usize) {
    epoch(bencher, FeatureType::F16, 1, rows);
}

#[divan::bench(args = [10_000], sample_count = 10)]
fn eight_heads_f32(bencher: Bencher<'_, '_>, rows: usize) {
    epoch(bencher, FeatureType::F32, 8, rows);
}
