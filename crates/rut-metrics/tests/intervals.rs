//! Bootstrap intervals: fixed by the seed, about as wide as they claim, and paired where runs are compared.

use rut_metrics::{
    Binning, BootstrapOptions, Convention, Interval, Outcomes, Probs, bootstrap,
    bootstrap_difference,
};

use close::{Tolerance, assert_close};
use draws::Draws;

mod close;
mod draws;

/// Two classes, class 0 said with probability `said`, true with probability `rate`.
fn outcomes(draws: &mut Draws, n: usize, said: f64, rate: f64) -> Outcomes {
    let labels: Vec<u32> = (0..n).map(|_| u32::from(draws.uniform() >= rate)).collect();
    Outcomes::of(
        Probs::new(&[said, 1.0 - said].repeat(n), 2).unwrap(),
        &labels,
    )
    .unwrap()
}

/// 500 samples, 0.9 and 0.8 sure in turn, every fifth wrong.
fn pinned() -> Outcomes {
    let probs: Vec<f64> = (0..500)
        .flat_map(|index| {
            if index % 2 == 0 {
                [0.9, 0.1]
            } else {
                [0.8, 0.2]
            }
        })
        .collect();
    let labels: Vec<u32> = (0..500).map(|index| u32::from(index % 5 == 0)).collect();
    Outcomes::of(Probs::new(&probs, 2).unwrap(), &labels).unwrap()
}

#[test]
fn a_seed_fixes_every_bit() {
    let options = BootstrapOptions {
        resamples: 200,
        ..BootstrapOptions::default()
    };
    let first = bootstrap(&pinned(), &options).unwrap();
    assert_eq!(bootstrap(&pinned(), &options).unwrap(), first);
    let other = BootstrapOptions { seed: 1, ..options };
    assert_ne!(bootstrap(&pinned(), &other).unwrap(), first);
}

#[test]
fn a_separate_implementation_finds_the_same_ends() {
    // numpy 2.4.6's `quantile` over the figures of the same draws, from a ChaCha8 written out in Python.
    let options = BootstrapOptions {
        resamples: 200,
        ..BootstrapOptions::default()
    };
    let got = bootstrap(&pinned(), &options).unwrap();
    let close = Tolerance {
        abs: 1e-12,
        rel: 0.0,
    };
    let ends = |interval: Interval| [interval.lo, interval.hi];
    assert_close("accuracy", &ends(got.accuracy), &[0.76595, 0.84], close);
    assert_close(
        "ece",
        &ends(got.ece),
        &[0.03417500000000002, 0.08602999999999997],
        close,
    );
    assert_close(
        "nll",
        &ends(got.nll),
        &[0.455453178343826, 0.5830764380404937],
        close,
    );
}

#[test]
fn intervals_cover_about_as_often_as_they_claim() {
    let mut draws = Draws::new(8);
    let options = BootstrapOptions {
        resamples: 300,
        level: 0.9,
        ..BootstrapOptions::default()
    };
    let truth = [
        0.7,
        0.7 * -(0.6f64.ln()) + 0.3 * -(0.4f64.ln()),
        0.7 * 0.32 + 0.3 * 0.72,
    ];
    let mut covered = [0; 3];
    for seed in 0..300 {
        let outcomes = outcomes(&mut draws, 200, 0.6, 0.7);
        let got = bootstrap(&outcomes, &BootstrapOptions { seed, ..options }).unwrap();
        for (count, (interval, truth)) in covered
            .iter_mut()
            .zip([got.accuracy, got.nll, got.brier].iter().zip(truth))
        {
            *count += u32::from(interval.lo <= truth && truth <= interval.hi);
        }
    }
    // 270 expected, with a standard deviation of 5.
    assert!(
        covered.iter().all(|count| (250..=290).contains(count)),
        "{covered:?}"
    );
}

#[test]
fn a_wider_level_holds_the_narrower() {
    let outcomes = outcomes(&mut Draws::new(9), 300, 0.8, 0.7);
    let at = |level| {
        bootstrap(
            &outcomes,
            &BootstrapOptions {
                level,
                ..Default::default()
            },
        )
        .unwrap()
    };
    let (narrow, wide) = (at(0.5), at(0.99));
    let holds = |wide: Interval, narrow: Interval| {
        wide.lo < narrow.lo && narrow.hi < wide.hi && narrow.lo < narrow.hi
    };
    assert!(holds(wide.accuracy, narrow.accuracy) && holds(wide.ece, narrow.ece));
    assert!(holds(wide.nll, narrow.nll) && holds(wide.brier, narrow.brier));
}

#[test]
fn pairing_cancels_what_both_runs_share() {
    let n = 400;
    let labels: Vec<u32> = Draws::new(10)
        .between(0.0, 2.0, n)
        .iter()
        .map(|&value| value as u32)
        .collect();
    // Both runs are right on the same samples; the second is a little less sure everywhere.
    let run = |right: f64| {
        let row = |(index, &label): (usize, &u32)| {
            let p = if index % 4 == 0 { 1.0 - right } else { right };
            if label == 0 {
                [p, 1.0 - p]
            } else {
                [1.0 - p, p]
            }
        };
        let probs: Vec<f64> = labels.iter().enumerate().flat_map(row).collect();
        Outcomes::of(Probs::new(&probs, 2).unwrap(), &labels).unwrap()
    };
    let (sure, less) = (run(0.8), run(0.78));
    let options = BootstrapOptions::default();
    let difference = bootstrap_difference(&sure, &less, &options).unwrap();
    assert_eq!([difference.accuracy.lo, difference.accuracy.hi], [0.0, 0.0]);
    let width = |interval: Interval| interval.hi - interval.lo;
    assert!(width(difference.nll) < 0.2 * width(bootstrap(&sure, &options).unwrap().nll));
    let back = bootstrap_difference(&less, &sure, &options).unwrap();
    let close = Tolerance {
        abs: 1e-12,
        rel: 0.0,
    };
    assert_close(
        "mirrored",
        &[back.nll.lo, back.nll.hi],
        &[-difference.nll.hi, -difference.nll.lo],
        close,
    );
}

#[test]
fn the_convention_of_the_ece_is_an_option() {
    let outcomes = Outcomes::of(Probs::new(&[0.5, 0.5, 0.6, 0.4], 2).unwrap(), &[1, 0]).unwrap();
    let ece = |convention| {
        let binning = Binning {
            convention,
            bins: 2,
        };
        bootstrap(
            &outcomes,
            &BootstrapOptions {
                binning,
                ..Default::default()
            },
        )
        .unwrap()
        .ece
        .estimate
    };
    // Apart: (|0 − 0.5| + |1 − 0.6|) / 2; together: |0.5 − 0.55|.
    let close = Tolerance {
        abs: 1e-15,
        rel: 0.0,
    };
    assert_close(
        "ece",
        &[ece(Convention::Guo), ece(Convention::Netcal)],
        &[0.45, 0.05],
        close,
    );
}
