//! The weights' transform, in f64 and rounded once.

use crate::arch::{Arch, POINTS, POSITIONS, READ};
use crate::conv::block::Weights;
use crate::conv::phase::Tap;

/// G: each point's powers over the product of its distances from the other points; the last row is infinity.
fn rows() -> [[f64; 3]; READ] {
    let [a, b] = POINTS.map(f64::from);
    let points = [0.0, a, -a, b, -b];
    let mut rows = [[0.0, 0.0, 1.0]; READ];
    for (row, &point) in rows.iter_mut().zip(&points) {
        let others = points.iter().filter(|&&other| other != point);
        let distances: f64 = others.map(|other| point - other).product();
        *row = [1.0, point, point * point].map(|power| power / distances);
    }
    rows
}

/// `[position][group][read][rows of a group]`, for taps that stand in the order in which pixels are met.
pub(super) fn transform(
    arch: &Arch,
    weights: &Weights<'_>,
    [read, written]: [usize; 2],
    taps: &[Tap],
) -> Vec<f32> {
    let groups = written.div_ceil(arch.rows);
    let position_len = groups * read * arch.rows;
    let mut all = vec![0.0; POSITIONS * position_len];
    let g = rows();
    for out in 0..written {
        for channel in 0..read {
            let kernel: [f64; 9] =
                std::array::from_fn(|tap| weights.at(out, channel, &taps[tap]).into());
            let at = (out / arch.rows * read + channel) * arch.rows + out % arch.rows;
            for position in 0..POSITIONS {
                let [vertical, horizontal] = [g[position / READ], g[position % READ]];
                let sum: f64 = (0..9)
                    .map(|tap| vertical[tap / 3] * horizontal[tap % 3] * kernel[tap])
                    .sum();
                all[position * position_len + at] = sum as f32;
            }
        }
    }
    all
}
