//! The only place with `unsafe`: kernels on raw registers, each behind a door that checks every bound first.
#![expect(
    unsafe_code,
    reason = "vector instructions on checked memory; see each block"
)]

/// Doors to kernels that need these features of the processor: each checks its job, and lets it in.
#[cfg(target_arch = "x86_64")]
macro_rules! doors {
    ($simd:ty, $features:literal: $($kernel:ident($job:ty) in $module:ident;)*) => {$(
        fn $kernel(mut job: $job) {
            #[target_feature(enable = $features)]
            fn run(job: &mut $job) {
                // SAFETY: the job was checked.
                unsafe { $module::$kernel::<$simd>(job) }
            }
            job.check();
            // SAFETY: `Arch::of` gives this row only to a processor with these features.
            unsafe { run(&mut job) }
        }
    )*};
}

mod ahead;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(crate) mod bf16;
mod body;
mod gather;
mod portable;
mod simd;
mod tile;
mod transform;
mod winograd;

pub(crate) use ahead::Ahead;
pub(crate) use gather::Gather;
pub(crate) use tile::{
    DenseTile, Entry, Epilogue, Init, MaxPixel, MaxPixelBack, Offsets, SparseRows, SparseTile,
    Target,
};
pub(crate) use winograd::{
    Bits, POINTS, POSITIONS, Patch, Patches, Pixels, READ, Square, Squares, WRITTEN,
};

use crate::isa::Isa;

/// The kernels of one instruction set, and the sizes of their tiles.
#[derive(Debug)]
pub(crate) struct Arch {
    pub(crate) isa: Isa,
    /// Channels that a dense kernel sums at once.
    pub(crate) rows: usize,
    /// Most pixels of a dense tile.
    pub(crate) dense_pixels: usize,
    /// Most pixels of a sparse tile.
    pub(crate) sparse_pixels: usize,
    pub(crate) dense: fn(DenseTile<'_>),
    pub(crate) sparse: fn(SparseTile<'_>),
    pub(crate) gather: fn(Gather<'_>),
    pub(crate) patches: fn(Patches<'_>),
    pub(crate) squares: fn(Squares<'_, '_>),
    pub(crate) max_pool: fn(MaxPixel<'_>),
    pub(crate) max_pool_back: fn(MaxPixelBack<'_>),
}

/// One row for each instruction set.
static TABLE: &[&Arch] = &[
    &portable::ARCH,
    #[cfg(target_arch = "x86_64")]
    &avx2::ARCH,
    #[cfg(target_arch = "x86_64")]
    &avx512::ARCH,
];

impl Arch {
    /// The kernels of an instruction set that this processor has; those of the best one that it has for any other.
    pub(crate) fn of(isa: Isa) -> &'static Self {
        let usable = |arch: &&&'static Self| arch.isa <= isa && arch.isa.is_available();
        TABLE
            .iter()
            .filter(usable)
            .max_by_key(|arch| arch.isa)
            .copied()
            .unwrap_or(&portable::ARCH)
    }
}
