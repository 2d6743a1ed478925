//! Plain Rust, for processors without any of the others; the compiler uses the target's baseline vectors.

use super::gather::Gather;
use super::simd::Simd;
use super::tile::{DenseTile, MaxPixel, MaxPixelBack, SparseTile};
use super::winograd::{Patches, Squares};
use super::{Arch, body, transform};
use crate::isa::Isa;
use crate::lanes::LANES;

const ROWS: usize = 2;

pub(super) static ARCH: Arch = Arch {
    isa: Isa::Portable,
    rows: ROWS,
    dense_pixels: 1,
    sparse_pixels: 2,
    dense,
    sparse,
    gather,
    patches,
    squares,
    max_pool,
    max_pool_back,
};

struct Portable;

// SAFETY: no instruction set is needed; memory is what the caller vouches for.
unsafe impl Simd for Portable {
    type Vector = [f32; LANES];
    type Mask = [bool; LANES];

    #[inline(always)]
    unsafe fn zero() -> Self::Vector {
        [0.0; LANES]
    }

    #[inline(always)]
    unsafe fn splat(value: *const f32) -> Self::Vector {
        // SAFETY: the caller vouches for the pointer.
        unsafe { [*value; LANES] }
    }

    #[inline(always)]
    unsafe fn spread(value: f32) -> Self::Vector {
        // SAFETY: the caller vouches for the instructions.
        unsafe { Self::splat(&raw const value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::Vector {
        // SAFETY: the caller vouches for the pointer.
        unsafe { from.cast::<Self::Vector>().read() }
    }

    #[inline(always)]
    unsafe fn prefetch(_: *const f32) {}

    #[inline(always)]
    unsafe fn store(to: *mut f32, value: Self::Vector) {
        // SAFETY: the caller vouches for the pointer.
        unsafe { to.cast::<Self::Vector>().write(value) }
    }

    /// Rounded twice: without the instruction, rounding once is a slow library call.
    #[inline(always)]
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        std::array::from_fn(|lane| a[lane] * b[lane] + c[lane])
    }

    #[inline(always)]
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        std::array::from_fn(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        std::array::from_fn(|lane| a[lane] - b[lane])
    }

    #[inline(always)]
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        std::array::from_fn(|lane| a[lane] * b[lane])
    }

    #[inline(always)]
    unsafe fn relu(value: Self::Vector) -> Self::Vector {
        value.map(|v| if v < 0.0 { 0.0 } else { v })
    }

    #[inline(always)]
    unsafe fn above_zero(value: Self::Vector) -> u16 {
        let bit = |(lane, &v): (usize, &f32)| u16::from(v > 0.0) << lane;
        value.iter().enumerate().map(bit).sum()
    }

    #[inline(always)]
    unsafe fn keep(value: Self::Vector, bits: u16) -> Self::Vector {
        std::array::from_fn(|lane| {
            if bits >> lane & 1 == 1 {
                value[lane]
            } else {
                0.0
            }
        })
    }

    #[inline(always)]
    unsafe fn replaces(new: Self::Vector, old: Self::Vector) -> Self::Mask {
        std::array::from_fn(|lane| new[lane] > old[lane] || new[lane].is_nan())
    }

    #[inline(always)]
    unsafe fn select(mask: Self::Mask, yes: Self::Vector, no: Self::Vector) -> Self::Vector {
        std::array::from_fn(|lane| if mask[lane] { yes[lane] } else { no[lane] })
    }

    #[inline(always)]
    unsafe fn store_bytes(to: *mut u8, value: Self::Vector) {
        // SAFETY: the caller vouches for the pointer.
        unsafe { to.cast::<[u8; LANES]>().write(value.map(|v| v as u8)) }
    }

    #[inline(always)]
    unsafe fn bytes_equal(from: *const u8, byte: u8) -> Self::Mask {
        // SAFETY: the caller vouches for the pointer.
        unsafe { from.cast::<[u8; LANES]>().read().map(|here| here == byte) }
    }
}

fn dense(mut tile: DenseTile<'_>) {
    tile.check(ROWS, ARCH.dense_pixels);
    // SAFETY: the tile was checked, and no instruction set is needed.
    unsafe { body::dense::<Portable, ROWS, 1>(&mut tile) }
}

fn sparse(mut tile: SparseTile<'_>) {
    tile.check(ARCH.sparse_pixels);
    // SAFETY: the tile was checked for this many pixels, and no instruction set is needed.
    unsafe {
        match tile.target.pixels {
            1 => body::sparse::<Portable, 1>(&mut tile),
            _ => body::sparse::<Portable, 2>(&mut tile),
        }
    }
}

fn gather(mut gather: Gather<'_>) {
    gather.check();
    // SAFETY: the gather was checked, and no instruction set is needed.
    unsafe { body::gather::<Portable>(&mut gather) }
}

fn patches(mut patches: Patches<'_>) {
    patches.check();
    // SAFETY: the job was checked, and no instruction set is needed.
    unsafe { transform::patches::<Portable>(&mut patches) }
}

fn squares(mut squares: Squares<'_, '_>) {
    squares.check();
    // SAFETY: the job was checked, and no instruction set is needed.
    unsafe { transform::squares::<Portable>(&mut squares) }
}

fn max_pool(mut pool: MaxPixel<'_>) {
    pool.check();
    // SAFETY: the pixel was checked, and no instruction set is needed.
    unsafe { body::max_pool::<Portable>(&mut pool) }
}

fn max_pool_back(mut pool: MaxPixelBack<'_>) {
    pool.check();
    // SAFETY: the pixel was checked, and no instruction set is needed.
    unsafe { body::max_pool_back::<Portable>(&mut pool) }
}
