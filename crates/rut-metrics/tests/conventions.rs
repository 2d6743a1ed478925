//! The conventions of other libraries against the slow, obvious versions of their definitions.

use rut_metrics::{Binning, Convention, Reliability, TopLabel};

use close::{Tolerance, assert_close};
use draws::Draws;

mod close;
mod draws;

const SUMS: Tolerance = Tolerance {
    abs: 1e-13,
    rel: 0.0,
};

/// See `torchmetrics`.
const TORCH_EDGES: [u32; 11] = [
    0x0000_0000,
    0x3dcc_cccd,
    0x3e4c_cccd,
    0x3e99_999a,
    0x3ecc_cccd,
    0x3f00_0000,
    0x3f19_999a,
    0x3f33_3333,
    0x3f4c_cccd,
    0x3f66_6666,
    0x3f80_0000,
];

/// Confidences with every edge of ten bins, as it prints and as numpy makes it, and both ends of the interval.
fn samples() -> (Vec<f64>, Vec<bool>) {
    let mut draws = Draws::new(2);
    let mut confidence = draws.between(0.0, 1.0, 500);
    confidence.extend((0..=10).map(|index| f64::from(index) / 10.0));
    confidence.extend((0..=10).map(|index| (f64::from(index) * 0.1).min(1.0)));
    confidence.extend([1.0; 20]);
    let correct = confidence
        .iter()
        .map(|&p| draws.uniform() < 0.8 * p)
        .collect();
    (confidence, correct)
}

/// ECE and MCE with bin membership asked of every sample and bin.
fn naive(
    samples: &(Vec<f64>, Vec<bool>),
    bins: usize,
    inside: impl Fn(f64, usize) -> bool,
) -> [f64; 2] {
    let (confidence, correct) = samples;
    let (mut ece, mut mce) = (0.0, 0.0f64);
    for bin in 0..bins {
        let members: Vec<usize> = (0..confidence.len())
            .filter(|&index| inside(confidence[index], bin))
            .collect();
        if members.is_empty() {
            continue;
        }
        let count = members.len() as f64;
        let accuracy = members.iter().filter(|&&index| correct[index]).count() as f64 / count;
        let mean = members.iter().map(|&index| confidence[index]).sum::<f64>() / count;
        ece += count / confidence.len() as f64 * (accuracy - mean).abs();
        mce = mce.max((accuracy - mean).abs());
    }
    [ece, mce]
}

fn check(convention: Convention, bins: usize, want: [f64; 2]) {
    let (confidence, correct) = samples();
    let top = TopLabel::new(confidence, correct).unwrap();
    let got = Reliability::equal_width(&top, &Binning { convention, bins }).unwrap();
    assert_close(
        &format!("{convention:?}, {bins} bins"),
        &[got.ece(), got.mce()],
        &want,
        SUMS,
    );
}

#[test]
fn guo() {
    for bins in [1, 10, 15] {
        let edge = |index: usize| index as f64 / bins as f64;
        let inside = |p: f64, bin: usize| (p > edge(bin) || bin == 0) && p <= edge(bin + 1);
        check(Convention::Guo, bins, naive(&samples(), bins, inside));
    }
}

#[test]
fn netcal() {
    for bins in [1, 10, 15] {
        // numpy.linspace(0, 1, bins + 1)
        let edge = |index: usize| {
            if index == bins {
                1.0
            } else {
                index as f64 * (1.0 / bins as f64)
            }
        };
        let inside = |p: f64, bin: usize| p >= edge(bin) && (p < edge(bin + 1) || bin == bins - 1);
        check(Convention::Netcal, bins, naive(&samples(), bins, inside));
    }
}

#[test]
fn torchmetrics() {
    // torch.linspace(0, 1, 11) of PyTorch 2.15, in the bits of f32.
    let edges = TORCH_EDGES.map(|bits| f64::from(f32::from_bits(bits)));
    let (confidence, correct) = samples();
    let rounded = confidence.iter().map(|&p| f64::from(p as f32)).collect();
    // bucketize(right=True) − 1: the last edge that is not above; 1 is an edge too.
    let inside =
        |p: f64, bin: usize| p >= edges[bin] && edges.get(bin + 1).is_none_or(|&hi| p < hi);
    check(
        Convention::Torchmetrics,
        10,
        naive(&(rounded, correct), 11, inside),
    );
}

#[test]
fn on_an_edge_the_conventions_differ() {
    let top = TopLabel::new(vec![0.5, 1.0], vec![true, true]).unwrap();
    let counts = |convention| {
        let reliability = Reliability::equal_width(
            &top,
            &Binning {
                convention,
                bins: 2,
            },
        )
        .unwrap();
        reliability
            .bins()
            .iter()
            .map(|bin| bin.count)
            .collect::<Vec<_>>()
    };
    assert_eq!(counts(Convention::Guo), [1, 1]);
    assert_eq!(counts(Convention::Netcal), [0, 2]);
    assert_eq!(counts(Convention::Torchmetrics), [0, 1, 1]);
}
