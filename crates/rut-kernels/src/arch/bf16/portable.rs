//! Plain Rust: the oracle of the other kernels, and what runs where there are none.

use super::{Finish, ROW_BYTES, SCRATCH, Sum, Table};
use crate::bf16::{Bf16End, CHANNELS, Row, STEP_ROWS, round, widen};
use crate::finish::Start;

pub(super) static TABLE: Table = Table {
    rows: 8,
    unit: 1,
    begin: |_| {},
    sum,
    finish,
    end: || {},
};

fn sum(job: Sum<'_>) {
    job.check(TABLE.rows);
    let Sum { source, sums, .. } = job;
    sums[..job.rows * CHANNELS].fill(0.0);
    for step in &job.list.steps {
        let weights = &job.weights[step.weights as usize * STEP_ROWS..][..STEP_ROWS];
        for (row, sums) in sums.chunks_exact_mut(CHANNELS).take(job.rows).enumerate() {
            let values = values(source, job.first + row * job.step + step.source as usize);
            for pair in 0..job.pairs {
                let (a, b) = (widen(values[2 * pair]), widen(values[2 * pair + 1]));
                for (tile, sums) in sums.chunks_exact_mut(CHANNELS / 2).enumerate() {
                    let weights = &weights[tile * CHANNELS / 2 + pair].0;
                    for (sum, weight) in sums.iter_mut().zip(weights.chunks_exact(2)) {
                        *sum += a * widen(weight[0]);
                        *sum += b * widen(weight[1]);
                    }
                }
            }
        }
    }
}

/// The 32 values that begin at a byte, which need not be the first of a row.
fn values(rows: &[Row], byte: usize) -> [u16; CHANNELS] {
    let (row, skipped) = (byte / ROW_BYTES, byte % ROW_BYTES / 2);
    std::array::from_fn(|at| {
        let at = at + skipped;
        rows[row + at / CHANNELS].0[at % CHANNELS]
    })
}

fn finish(job: Finish<'_>) {
    job.check();
    let Finish {
        sums,
        target,
        mut end,
        ..
    } = job;
    let sums: &[f32; SCRATCH] = sums;
    for (row, sums) in sums.chunks_exact(CHANNELS).take(job.rows).enumerate() {
        if job.valid >> row & 1 == 0 {
            continue;
        }
        let at = job.first + row * job.step;
        let mut bits = 0;
        for (channel, &sum) in sums.iter().enumerate() {
            let mut value = sum + job.bias[channel];
            if job.start == Start::Add {
                value += widen(target[at].0[channel]);
            }
            bits |= u32::from(value > 0.0) << channel;
            let keep = match &end {
                Bf16End::Store => true,
                // A NaN stays one.
                Bf16End::Relu | Bf16End::ReluRecord(_) => value > 0.0 || value.is_nan(),
                Bf16End::Mask(bits) => bits[at] >> channel & 1 == 1,
            };
            target[at].0[channel] = if keep { round(value) } else { 0 };
        }
        if let Bf16End::ReluRecord(record) = &mut end {
            record[at] = bits;
        }
    }
}
