//! AVX-512F: one register holds the sixteen lanes.

use core::arch::x86_64::*;

use super::gather::Gather;
use super::simd::Simd;
use super::tile::{DenseTile, MaxPixel, MaxPixelBack, SparseTile};
use super::winograd::{Patches, Squares};
use super::{Arch, body, transform};
use crate::isa::Isa;

/// 4 channels × 6 pixels of sums, 4 weights and a value fill 29 of the 32 registers.
const ROWS: usize = 4;

pub(super) static ARCH: Arch = Arch {
    isa: Isa::Avx512,
    rows: ROWS,
    dense_pixels: 6,
    sparse_pixels: 8,
    dense,
    sparse,
    gather,
    patches,
    squares,
    max_pool,
    max_pool_back,
};

struct Avx512;

// SAFETY: every method is one AVX-512F instruction on memory that the caller vouches for.
unsafe impl Simd for Avx512 {
    type Vector = __m512;
    type Mask = __mmask16;

    #[inline(always)]
    unsafe fn zero() -> __m512 {
        // SAFETY: the caller has AVX-512F.
        unsafe { _mm512_setzero_ps() }
    }

    #[inline(always)]
    unsafe fn splat(value: *const f32) -> __m512 {
        // SAFETY: the caller has AVX-512F and vouches for the pointer.
        unsafe { _mm512_set1_ps(*value) }
    }

    #[inline(always)]
    unsafe fn spread(value: f32) -> __m512 {
        // SAFETY: the caller has AVX-512F.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_load_ps(from) }
    }

    #[inline(always)]
    unsafe fn prefetch(from: *const f32) {
        // SAFETY: SSE is there wherever AVX-512F is; no address is wrong for a prefetch.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, value: __m512) {
        // SAFETY: as above.
        unsafe { _mm512_store_ps(to, value) }
    }

    #[inline(always)]
    unsafe fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: the caller has AVX-512F.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        // SAFETY: the caller has AVX-512F.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn sub(a: __m512, b: __m512) -> __m512 {
        // SAFETY: the caller has AVX-512F.
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn mul(a: __m512, b: __m512) -> __m512 {
        // SAFETY: the caller has AVX-512F.
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn relu(value: __m512) -> __m512 {
        // SAFETY: the caller has AVX-512F. The second operand is given back where either is NaN.
        unsafe { _mm512_max_ps(_mm512_setzero_ps(), value) }
    }

    #[inline(always)]
    unsafe fn above_zero(value: __m512) -> u16 {
        // SAFETY: the caller has AVX-512F.
        unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(value, _mm512_setzero_ps()) }
    }

    #[inline(always)]
    unsafe fn keep(value: __m512, bits: u16) -> __m512 {
        // SAFETY: the caller has AVX-512F.
        unsafe { _mm512_maskz_mov_ps(bits, value) }
    }

    #[inline(always)]
    unsafe fn replaces(new: __m512, old: __m512) -> __mmask16 {
        // SAFETY: the caller has AVX-512F.
        unsafe {
            let above = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(new, old);
            above | _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(new, new)
        }
    }

    #[inline(always)]
    unsafe fn select(mask: __mmask16, yes: __m512, no: __m512) -> __m512 {
        // SAFETY: the caller has AVX-512F.
        unsafe { _mm512_mask_blend_ps(mask, no, yes) }
    }

    #[inline(always)]
    unsafe fn store_bytes(to: *mut u8, value: __m512) {
        // SAFETY: the caller has AVX-512F and vouches for the pointer.
        unsafe { _mm_storeu_si128(to.cast(), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(value))) }
    }

    #[inline(always)]
    unsafe fn bytes_equal(from: *const u8, byte: u8) -> __mmask16 {
        // SAFETY: the caller has AVX-512F, with it SSE2, and vouches for the pointer.
        unsafe {
            let bytes = _mm_loadu_si128(from.cast());
            let equal = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8));
            _mm_movemask_epi8(equal) as __mmask16
        }
    }
}

fn dense(mut tile: DenseTile<'_>) {
    #[target_feature(enable = "avx512f")]
    fn run(tile: &mut DenseTile<'_>) {
        // SAFETY: the tile was checked for this many pixels.
        unsafe {
            match tile.target.pixels {
                1 => body::dense::<Avx512, ROWS, 1>(tile),
                2 => body::dense::<Avx512, ROWS, 2>(tile),
                3 => body::dense::<Avx512, ROWS, 3>(tile),
                4 => body::dense::<Avx512, ROWS, 4>(tile),
                5 => body::dense::<Avx512, ROWS, 5>(tile),
                _ => body::dense::<Avx512, ROWS, 6>(tile),
            }
        }
    }
    tile.check(ROWS, ARCH.dense_pixels);
    // SAFETY: `Arch::of` gives this row only to a processor with AVX-512F.
    unsafe { run(&mut tile) }
}

fn sparse(mut tile: SparseTile<'_>) {
    #[target_feature(enable = "avx512f")]
    fn run(tile: &mut SparseTile<'_>) {
        // SAFETY: the tile was checked for this many pixels.
        unsafe {
            match tile.target.pixels {
                1 => body::sparse::<Avx512, 1>(tile),
                2 => body::sparse::<Avx512, 2>(tile),
                3 => body::sparse::<Avx512, 3>(tile),
                4 => body::sparse::<Avx512, 4>(tile),
                5 => body::sparse::<Avx512, 5>(tile),
                6 => body::sparse::<Avx512, 6>(tile),
                7 => body::sparse::<Avx512, 7>(tile),
                _ => body::sparse::<Avx512, 8>(tile),
            }
        }
    }
    tile.check(ARCH.sparse_pixels);
    // SAFETY: `Arch::of` gives this row only to a processor with AVX-512F.
    unsafe { run(&mut tile) }
}

doors! {
    Avx512, "avx512f":
    gather(Gather<'_>) in body;
    patches(Patches<'_>) in transform;
    squares(Squares<'_, '_>) in transform;
    max_pool(MaxPixel<'_>) in body;
    max_pool_back(MaxPixelBack<'_>) in body;
}
