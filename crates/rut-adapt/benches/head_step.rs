//! How long an epoch of softmax regression takes: one head, a grid of heads, and half-precision features. Items are rows.

use candle_core::{DType, Device};
use rut_adapt::{HeadRates, LinearHead, Seed, SoftmaxRegression};
use rut_data::{Order, batches};
use rut_record::FeatureType;

use divan::Bencher;
use divan::counter::ItemsCount;

mod rows;

use rows::{CLASSES, data};

fn main() {
    divan::main();
}

const BATCH: usize = 128;

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
