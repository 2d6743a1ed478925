//! How long baselines take on features of a whole data set. Items are the rows that are classified, or fitted on.

use rut_adapt::{Baseline, LabelledFeatures};
use rut_record::FeatureType;

use divan::Bencher;
use divan::counter::ItemsCount;

mod rows;

use rows::{CLASSES, data};

fn main() {
    divan::main();
}

const WIDTH: usize = 2048;
const TRAIN: usize = 50_000;
const QUERIES: usize = 10_000;

fn nearest(bencher: Bencher<'_, '_>, kept: FeatureType) {
    let baseline = Baseline::Knn {
        neighbours: 20,
        temperature: 0.07,
    };
    let (train, queries) = splits(kept);
    let head = baseline.fit(train, CLASSES).unwrap();
    bencher
        .counter(ItemsCount::new(QUERIES))
        .bench_local(|| head.logits(&queries).unwrap());
}

fn splits(kept: FeatureType) -> (LabelledFeatures, LabelledFeatures) {
    (data(TRAIN, WIDTH, kept), data(QUERIES, WIDTH, kept))
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn knn_f32(bencher: Bencher<'_, '_>) {
    nearest(bencher, FeatureType::F32);
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn knn_f16(bencher: Bencher<'_, '_>) {
    nearest(bencher, FeatureType::F16);
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn ridge(bencher: Bencher<'_, '_>) {
    let (train, _) = splits(FeatureType::F32);
    let baseline = Baseline::Ridge { alpha: 1.0 };
    bencher
        .counter(ItemsCount::new(TRAIN))
        .with_inputs(|| train.clone())
        .bench_local_values(|train| baseline.fit(train, CLASSES).unwrap());
}
