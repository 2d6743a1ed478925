//! AVX2 with FMA: two registers hold the sixteen lanes.

use core::arch::x86_64::*;

use super::gather::Gather;
use super::simd::Simd;
use super::tile::{DenseTile, MaxPixel, MaxPixelBack, SparseTile};
use super::winograd::{Patches, Squares};
use super::{Arch, body, transform};
use crate::isa::Isa;

/// 2 channels × 3 pixels of sums, in two registers each, leave 4 of the 16 registers.
const ROWS: usize = 2;

pub(super) static ARCH: Arch = Arch {
    isa: Isa::Avx2,
    rows: ROWS,
    dense_pixels: 3,
    sparse_pixels: 6,
    dense,
    sparse,
    gather,
    patches,
    squares,
    max_pool,
    max_pool_back,
};

struct Avx2;

// SAFETY: every method is AVX2 or FMA instructions on memory that the caller vouches for.
unsafe impl Simd for Avx2 {
    type Vector = [__m256; 2];
    type Mask = [__m256; 2];

    #[inline(always)]
    unsafe fn zero() -> Self::Vector {
        // SAFETY: the caller has AVX2.
        unsafe { [_mm256_setzero_ps(); 2] }
    }

    #[inline(always)]
    unsafe fn splat(value: *const f32) -> Self::Vector {
        // SAFETY: the caller has AVX2 and vouches for the pointer.
        unsafe { [_mm256_broadcast_ss(&*value); 2] }
    }

    #[inline(always)]
    unsafe fn spread(value: f32) -> Self::Vector {
        // SAFETY: the caller vouches for the instructions.
        unsafe { Self::splat(&raw const value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::Vector {
        // SAFETY: as above.
        unsafe { [_mm256_load_ps(from), _mm256_load_ps(from.add(8))] }
    }

    #[inline(always)]
    unsafe fn prefetch(from: *const f32) {
        // SAFETY: SSE is there wherever AVX2 is; no address is wrong for a prefetch.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, value: Self::Vector) {
        // SAFETY: as above.
        unsafe {
            _mm256_store_ps(to, value[0]);
            _mm256_store_ps(to.add(8), value[1]);
        }
    }

    #[inline(always)]
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        // SAFETY: the caller has FMA.
        unsafe {
            [
                _mm256_fmadd_ps(a[0], b[0], c[0]),
                _mm256_fmadd_ps(a[1], b[1], c[1]),
            ]
        }
    }

    #[inline(always)]
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        // SAFETY: the caller has AVX2.
        unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
    }

    #[inline(always)]
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        // SAFETY: the caller has AVX2.
        unsafe { [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])] }
    }

    #[inline(always)]
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        // SAFETY: the caller has AVX2.
        unsafe { [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])] }
    }

    #[inline(always)]
    unsafe fn relu(value: Self::Vector) -> Self::Vector {
        // SAFETY: the caller has AVX2. The second operand is given back where either is NaN.
        unsafe {
            let zero = _mm256_setzero_ps();
            [_mm256_max_ps(zero, value[0]), _mm256_max_ps(zero, value[1])]
        }
    }

    #[inline(always)]
    unsafe fn above_zero(value: Self::Vector) -> u16 {
        // SAFETY: the caller has AVX2.
        unsafe {
            let zero = _mm256_setzero_ps();
            let low = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(value[0], zero));
            let high = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(value[1], zero));
            (low | high << 8) as u16
        }
    }

    #[inline(always)]
    unsafe fn keep(value: Self::Vector, bits: u16) -> Self::Vector {
        // SAFETY: the caller has AVX2.
        unsafe {
            let places = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let spread = |bits: u16| {
                let here = _mm256_and_si256(_mm256_set1_epi32(i32::from(bits)), places);
                _mm256_castsi256_ps(_mm256_cmpeq_epi32(here, places))
            };
            [
                _mm256_and_ps(value[0], spread(bits)),
                _mm256_and_ps(value[1], spread(bits >> 8)),
            ]
        }
    }

    #[inline(always)]
    unsafe fn replaces(new: Self::Vector, old: Self::Vector) -> Self::Mask {
        // SAFETY: the caller has AVX2.
        unsafe {
            let one = |new, old| {
                let above = _mm256_cmp_ps::<_CMP_GT_OQ>(new, old);
                _mm256_or_ps(above, _mm256_cmp_ps::<_CMP_UNORD_Q>(new, new))
            };
            [one(new[0], old[0]), one(new[1], old[1])]
        }
    }

    #[inline(always)]
    unsafe fn select(mask: Self::Mask, yes: Self::Vector, no: Self::Vector) -> Self::Vector {
        // SAFETY: the caller has AVX2.
        unsafe {
            [
                _mm256_blendv_ps(no[0], yes[0], mask[0]),
                _mm256_blendv_ps(no[1], yes[1], mask[1]),
            ]
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(to: *mut u8, value: Self::Vector) {
        // SAFETY: the caller has AVX2 and vouches for the pointer.
        unsafe {
            let [low, high] = value.map(|half| _mm256_cvtps_epi32(half));
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(low, high));
            let low = _mm256_castsi256_si128(words);
            let high = _mm256_extracti128_si256::<1>(words);
            _mm_storeu_si128(to.cast(), _mm_packus_epi16(low, high));
        }
    }

    #[inline(always)]
    unsafe fn bytes_equal(from: *const u8, byte: u8) -> Self::Mask {
        // SAFETY: the caller has AVX2 and vouches for the pointer.
        unsafe {
            let bytes = _mm_loadu_si128(from.cast());
            let equal = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8));
            let wide = |half| _mm256_castsi256_ps(_mm256_cvtepi8_epi32(half));
            [wide(equal), wide(_mm_srli_si128::<8>(equal))]
        }
    }
}

fn dense(mut tile: DenseTile<'_>) {
    #[target_feature(enable = "avx2,fma")]
    fn run(tile: &mut DenseTile<'_>) {
        // SAFETY: the tile was checked for this many pixels.
        unsafe {
            match tile.target.pixels {
                1 => body::dense::<Avx2, ROWS, 1>(tile),
                2 => body::dense::<Avx2, ROWS, 2>(tile),
                _ => body::dense::<Avx2, ROWS, 3>(tile),
            }
        }
    }
    tile.check(ROWS, ARCH.dense_pixels);
    // SAFETY: `Arch::of` gives this row only to a processor with AVX2 and FMA.
    unsafe { run(&mut tile) }
}

fn sparse(mut tile: SparseTile<'_>) {
    #[target_feature(enable = "avx2,fma")]
    fn run(tile: &mut SparseTile<'_>) {
        // SAFETY: the tile was checked for this many pixels.
        unsafe {
            match tile.target.pixels {
                1 => body::sparse::<Avx2, 1>(tile),
                2 => body::sparse::<Avx2, 2>(tile),
                3 => body::sparse::<Avx2, 3>(tile),
                4 => body::sparse::<Avx2, 4>(tile),
                5 => body::sparse::<Avx2, 5>(tile),
                _ => body::sparse::<Avx2, 6>(tile),
            }
        }
    }
    tile.check(ARCH.sparse_pixels);
    // SAFETY: `Arch::of` gives this row only to a processor with AVX2 and FMA.
    unsafe { run(&mut tile) }
}

doors! {
    Avx2, "avx2,fma":
    gather(Gather<'_>) in body;
    patches(Patches<'_>) in transform;
    squares(Squares<'_, '_>) in transform;
    max_pool(MaxPixel<'_>) in body;
    max_pool_back(MaxPixelBack<'_>) in body;
}
