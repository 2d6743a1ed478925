//! A perfectly calibrated predictor: what its calibration errors look like on few samples, and that the debiased one is fair.

use rut_metrics::{Binning, Logits, Reliability, Summary, TopLabel};

use close::{Tolerance, assert_close};
use draws::Draws;

mod close;
mod draws;

/// Confidences uniform in [0.1, 1), each right with exactly that probability.
fn calibrated(draws: &mut Draws, n: usize) -> TopLabel {
    let confidence = draws.between(0.1, 1.0, n);
    let correct = confidence.iter().map(|&p| draws.uniform() < p).collect();
    TopLabel::new(confidence, correct).unwrap()
}

fn mean(repeats: usize, figure: impl FnMut(usize) -> f64) -> f64 {
    (0..repeats).map(figure).sum::<f64>() / repeats as f64
}

/// Logits [n, classes], normal with a standard deviation of 2, and labels drawn from their softmax.
fn drawn_from_its_own_softmax(draws: &mut Draws, n: usize, classes: usize) -> (Vec<f64>, Vec<u32>) {
    let mut logits = Vec::with_capacity(n * classes);
    let mut labels = Vec::with_capacity(n);
    for _ in 0..n {
        let radii = draws.between(0.0, 1.0, classes);
        let angles = draws.between(0.0, std::f64::consts::TAU, classes);
        let normal = |(u, angle): (&f64, &f64)| 2.0 * (-2.0 * (1.0 - u).ln()).sqrt() * angle.cos();
        let row: Vec<f64> = radii.iter().zip(&angles).map(normal).collect();
        let mut left = draws.uniform() * row.iter().map(|value| value.exp()).sum::<f64>();
        let label = row.iter().position(|value| {
            left -= value.exp();
            left < 0.0
        });
        labels.push(label.unwrap_or(classes - 1) as u32);
        logits.extend(row);
    }
    (logits, labels)
}

#[test]
fn ece_is_biased_on_few_samples() {
    // From theory Σ_b √(2 n_b acc (1 − acc) / π) / N: it falls with √N, and depends a little on where the confidences lie.
    let mut draws = Draws::new(3);
    for (n, repeats, want) in [(128, 200, 0.09), (1000, 40, 0.03), (10_000, 8, 0.01)] {
        let ece = mean(repeats, |_| {
            let (logits, labels) = drawn_from_its_own_softmax(&mut draws, n, 100);
            Summary::of(Logits::new(&logits, 100).unwrap(), &labels)
                .unwrap()
                .ece
        });
        assert_close(
            &format!("{n} samples"),
            &[ece],
            &[want],
            Tolerance { abs: 0.0, rel: 0.2 },
        );
    }
}

#[test]
fn debiased_error_never_falls_below_zero_and_is_often_there() {
    let mut draws = Draws::new(4);
    let errors: Vec<f64> = (0..200)
        .map(|_| {
            Reliability::equal_width(&calibrated(&mut draws, 300), &Binning::default()).unwrap()
        })
        .map(|reliability| reliability.debiased_ece_squared())
        .collect();
    assert!(errors.iter().all(|&error| error >= 0.0));
    let clamped = errors.iter().filter(|&&error| error == 0.0).count();
    assert!((60..160).contains(&clamped), "{clamped} of 200 clamped");
}

#[test]
fn debiased_error_is_nearer_the_truth_than_the_plain_one() {
    // Always 0.8 sure and right 6 times in 10: the squared error is 0.04.
    let mut draws = Draws::new(5);
    let tops: Vec<TopLabel> = (0..400)
        .map(|_| {
            let correct = (0..60).map(|_| draws.uniform() < 0.6).collect();
            TopLabel::new(vec![0.8; 60], correct).unwrap()
        })
        .collect();
    let one_bin = Binning {
        bins: 1,
        ..Binning::default()
    };
    let of = |i: usize| Reliability::equal_width(&tops[i], &one_bin).unwrap();
    let debiased = mean(400, |i| of(i).debiased_ece_squared());
    let plain = mean(400, |i| of(i).rmsce().powi(2));
    assert_close(
        "debiased",
        &[debiased],
        &[0.04],
        Tolerance {
            abs: 0.003,
            rel: 0.0,
        },
    );
    // Its bias is 0.6 · 0.4 / 60.
    assert_close(
        "plain",
        &[plain],
        &[0.044],
        Tolerance {
            abs: 0.003,
            rel: 0.0,
        },
    );
    assert!(debiased < plain);
}

#[test]
fn ks_shrinks_with_the_samples() {
    let mut draws = Draws::new(6);
    assert!(calibrated(&mut draws, 100_000).ks() < 0.005);
    // Sure by 0.3 too much everywhere: the sum runs to 0.3.
    let top = TopLabel::new(vec![0.8; 10], [true, false].repeat(5)).unwrap();
    assert_close(
        "ks",
        &[top.ks()],
        &[0.3],
        Tolerance {
            abs: 1e-15,
            rel: 0.0,
        },
    );
}
