//! Maps in bfloat16 for tests: numbers, how they are written into rows, and how near a rounded one has to be.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of this module"
)]
#![allow(
    clippy::allow_attributes,
    reason = "an `expect` would be unfulfilled in the files that use all of it"
)]
#![expect(
    clippy::print_stdout,
    reason = "an instruction set that is skipped is said to be"
)]

use rut_kernels::ConvShape;
use rut_kernels::bf16::{Bf16Isa, CHANNELS, Layout, Row, round, widen};

/// A stream of numbers.
pub struct Numbers(pub u64);

impl Numbers {
    /// Between -1 and 1, exact in bfloat16.
    pub fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        widen(round((self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0))
    }

    /// So many of them.
    pub fn take(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// The instruction sets of this processor; says which it lacks.
pub fn isas() -> Vec<Bf16Isa> {
    let (here, missing): (Vec<_>, Vec<_>) =
        Bf16Isa::ALL.into_iter().partition(|isa| isa.is_available());
    for isa in missing {
        println!("skipped: this processor has no {}", isa.name());
    }
    here
}

/// A convolution that keeps the size, or divides it by the stride.
pub const fn shape(channels: [usize; 2], kernel: usize, stride: usize) -> ConvShape {
    ConvShape {
        in_channels: channels[0],
        out_channels: channels[1],
        kernel,
        stride,
        padding: kernel / 2,
    }
}

/// `[channels, area]` of one image into its layout.
pub fn fill(layout: &Layout, values: &[f32], rows: &mut [Row]) {
    let area = layout.area;
    for channel in 0..layout.channels {
        for y in 0..area.height {
            for x in 0..area.width {
                let row = layout.row(area.top + y, area.left + x);
                let at = channel / CHANNELS * layout.plane() + row;
                let value = values[(channel * area.height + y) * area.width + x];
                rows[at].0[channel % CHANNELS] = round(value);
            }
        }
    }
}

/// The row of an element, and its value.
pub fn element(layout: &Layout, rows: &[Row], [channel, y, x]: [usize; 3]) -> (usize, f32) {
    let at = channel / CHANNELS * layout.plane() + layout.row(y, x);
    (at, widen(rows[at].0[channel % CHANNELS]))
}

/// Half a unit of the last place of a bfloat16 number.
pub fn half_ulp(value: f64) -> f64 {
    let exponent = if value == 0.0 {
        -126
    } else {
        value.abs().log2().floor() as i32
    };
    2.0_f64.powi(exponent.max(-126) - 8)
}
