//! Epochs of softmax regression on request, for a comparison side by side (`benchmarks/head_step.py`): for each line read, an
//! epoch is trained on pseudo-random features and its seconds are written.
//!
//! `head_epochs ROWS WIDTH CLASSES BATCH [f32|f16] [HEADS]`

use std::io::{BufRead, Write};
use std::time::Instant;

use candle_core::{DType, Device};
use rut_adapt::{FeatureMatrix, HeadRates, LabelledFeatures, LinearHead, Seed, SoftmaxRegression};
use rut_data::{Order, batches};
use rut_record::FeatureType;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().collect();
    let number = |index: usize, default: usize| {
        words
            .get(index)
            .map_or(Ok(default), |word| word.parse::<usize>())
    };
    let (rows, width) = (number(1, 50_000)?, number(2, 2_048)?);
    let (classes, batch) = (number(3, 10)?, number(4, 128)?);
    let kept = match words.get(5).map(String::as_str) {
        Some("f16") => FeatureType::F16,
        _ => FeatureType::F32,
    };
    let heads = number(6, 1)?;
    let mut stream = Seed(4).stream("features");
    let mut features = FeatureMatrix::new(width, kept);
    let mut row = vec![0.0; width];
    for _ in 0..rows {
        row.iter_mut()
            .for_each(|value| *value = stream.uniform() as f32);
        features.push(&row)?;
    }
    let labels = (0..rows).map(|row| (row % classes) as u32).collect();
    let data = LabelledFeatures { features, labels };
    let head = LinearHead::init(width, classes, Seed(4), DType::F32, &Device::Cpu)?;
    let mut training = SoftmaxRegression::new(&head, heads)?;
    let rates: Vec<HeadRates> = (0..heads)
        .map(|head| HeadRates {
            learning_rate: 0.01 / (1 + head) as f64,
            weight_decay: 0.0,
        })
        .collect();
    let (mut scored, mut epoch) = (Vec::new(), 0);
    let mut out = std::io::stdout();
    writeln!(out, "ready")?;
    for line in std::io::stdin().lock().lines() {
        line?;
        let start = Instant::now();
        let order = Order::Shuffled {
            seed: Seed(4),
            epoch,
        };
        let (mut loss, mut seen) = (0.0, 0);
        for indices in batches(rows, batch, order) {
            training.step(&data, &indices, &rates, &mut scored)?;
            loss += scored[0].loss * indices.len() as f64;
            seen += indices.len();
        }
        let seconds = start.elapsed().as_secs_f64();
        writeln!(out, "{seconds} {}", loss / seen as f64)?;
        epoch += 1;
    }
    Ok(())
}
