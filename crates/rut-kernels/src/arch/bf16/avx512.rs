//! AVX512_BF16: a register of 16 outputs takes two products for each of them at once.

use core::arch::x86_64::*;

use super::{Finish, ROW_BYTES, Sum, Table};
use crate::bf16::{Bf16End, CHANNELS, Row};
use crate::finish::Start;

/// 12 rows × 2 registers of sums, two of weights and one of values fill 27 of the 32.
const ROWS: usize = 12;
/// Rows of weights of a tile.
const PAIRS: usize = CHANNELS / 2;

pub(super) static TABLE: Table = Table {
    rows: ROWS,
    unit: 1,
    begin: |_| {},
    sum,
    finish,
    end: || {},
};

fn sum(mut job: Sum<'_>) {
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn run(job: &mut Sum<'_>) {
        macro_rules! by_rows {
            ($step:literal: $($rows:literal)*) => {
                // SAFETY: the job was checked for this many rows, and where the step is no constant it is the job's.
                unsafe {
                    match job.rows {
                        $($rows => rows::<$rows, $step>(job),)*
                        _ => rows::<ROWS, $step>(job),
                    }
                }
            };
        }
        if job.step == ROW_BYTES {
            by_rows!(64: 1 2 3 4 5 6 7 8 9 10 11);
        } else {
            by_rows!(0: 1 2 3 4 5 6 7 8 9 10 11);
        }
    }
    job.check(ROWS);
    // SAFETY: `Table::of` gives this row only to a processor with these features.
    unsafe { run(&mut job) }
}

/// `R` rows, `STEP` bytes apart; 0 where the job says how many.
///
/// # Safety
///
/// The job was checked, and has `R` rows.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn rows<const R: usize, const STEP: usize>(job: &mut Sum<'_>) {
    let step = if STEP == 0 { job.step } else { STEP };
    // SAFETY: the farthest value of the last row, and the last step's weights, lie in their slices; sums take `R` rows.
    unsafe {
        let source = job.source.as_ptr().cast::<u8>().add(job.first);
        let weights = job.weights.as_ptr();
        let mut sums = [[_mm512_setzero_ps(); 2]; R];
        for entry in &job.list.steps {
            let mut value = source.add(entry.source as usize).cast::<i32>();
            let mut weight: *const Row = weights.add(entry.weights as usize * 2 * PAIRS);
            for _ in 0..job.pairs {
                let tiles = [load(weight), load(weight.add(PAIRS))];
                for (row, [low, high]) in sums.iter_mut().enumerate() {
                    // Instructions and not intrinsics: the compiler would load the pairs of all rows first, for which
                    // there are not enough registers.
                    core::arch::asm!(
                        "vpbroadcastd {pair}, dword ptr [{value}]",
                        "vdpbf16ps {low}, {pair}, {tile_low}",
                        "vdpbf16ps {high}, {pair}, {tile_high}",
                        value = in(reg) value.byte_add(row * step),
                        pair = out(zmm_reg) _,
                        low = inout(zmm_reg) *low,
                        high = inout(zmm_reg) *high,
                        tile_low = in(zmm_reg) tiles[0],
                        tile_high = in(zmm_reg) tiles[1],
                        options(pure, readonly, nostack, preserves_flags)
                    );
                }
                value = value.add(1);
                weight = weight.add(1);
            }
        }
        let to = job.sums.as_mut_ptr();
        for (row, sums) in sums.iter().enumerate() {
            _mm512_storeu_ps(to.add(row * CHANNELS), sums[0]);
            _mm512_storeu_ps(to.add(row * CHANNELS + 16), sums[1]);
        }
    }
}

/// # Safety
///
/// The row is valid.
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn load(row: *const Row) -> __m512i {
    // SAFETY: rows are aligned to 64 bytes.
    unsafe { _mm512_load_si512(row.cast()) }
}

pub(super) fn finish(mut job: Finish<'_>) {
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn run(job: &mut Finish<'_>) {
        // SAFETY: the job was checked.
        unsafe {
            match job.start {
                Start::Fresh => finish_rows::<false>(job),
                Start::Add => finish_rows::<true>(job),
            }
        }
    }
    job.check();
    // SAFETY: as above.
    unsafe { run(&mut job) }
}

/// # Safety
///
/// The job was checked.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn finish_rows<const ADD: bool>(job: &mut Finish<'_>) {
    // SAFETY: every row that is written, and its bits, lie in their slices.
    unsafe {
        let bias = job.bias.as_ptr();
        let bias = [_mm512_loadu_ps(bias), _mm512_loadu_ps(bias.add(16))];
        let zero = _mm512_setzero_ps();
        for row in 0..job.rows {
            if job.valid >> row & 1 == 0 {
                continue;
            }
            let at = job.first + row * job.step;
            let sums = job.sums.as_ptr().add(row * CHANNELS);
            let mut low = _mm512_add_ps(_mm512_loadu_ps(sums), bias[0]);
            let mut high = _mm512_add_ps(_mm512_loadu_ps(sums.add(16)), bias[1]);
            let target = job.target.as_mut_ptr().add(at);
            if ADD {
                let there = _mm512_load_si512(target.cast());
                low = _mm512_add_ps(low, widened(_mm512_castsi512_si256(there)));
                high = _mm512_add_ps(high, widened(_mm512_extracti64x4_epi64::<1>(there)));
            }
            let mut kept = u32::MAX;
            match &mut job.end {
                Bf16End::Store => {}
                Bf16End::Mask(bits) => kept = *bits.get_unchecked(at),
                Bf16End::Relu | Bf16End::ReluRecord(_) => {
                    // Not at most zero: above it, or NaN.
                    let not_below = |value| _mm512_cmp_ps_mask::<_CMP_NLE_UQ>(value, zero);
                    kept = u32::from(not_below(low)) | u32::from(not_below(high)) << 16;
                }
            }
            if let Bf16End::ReluRecord(bits) = &mut job.end {
                let above = |value| _mm512_cmp_ps_mask::<_CMP_GT_OQ>(value, zero);
                *bits.get_unchecked_mut(at) = u32::from(above(low)) | u32::from(above(high)) << 16;
            }
            let rounded: __m512i = core::mem::transmute(_mm512_cvtne2ps_pbh(high, low));
            _mm512_store_si512(target.cast(), _mm512_maskz_mov_epi16(kept, rounded));
        }
    }
}

#[target_feature(enable = "avx512f")]
fn widened(bits: __m256i) -> __m512 {
    _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(bits)))
}
