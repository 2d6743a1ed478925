//! Numbers of either width on the widest vectors that the machine has.

use candle_core::{Storage, Tensor};
use pulp::Simd;

use super::spare::Spared;

/// f32 or f64.
pub(super) trait Real: Spared + Into<f64> {
    /// A vector of them.
    type Vector<S: Simd>: Copy;

    /// Values of a vector: a divisor of 16.
    fn lanes<S: Simd>() -> usize;
    /// One value in all lanes.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    /// A slice as vectors, without what is left over.
    fn vectors<S: Simd>(values: &[Self]) -> &[Self::Vector<S>];
    /// The same of a slice to be written.
    fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [Self::Vector<S>];
    /// a · b + c.
    fn mul_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// The sum of the lanes.
    fn sum<S: Simd>(simd: S, vector: Self::Vector<S>) -> Self;
    /// Rounded.
    fn of(value: f64) -> Self;
}

macro_rules! real {
    ($real:ty, $vector:ident, $lanes:ident, $splat:ident, $as:ident, $as_mut:ident, $mul_add:ident, $sum:ident) => {
        impl Real for $real {
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn lanes<S: Simd>() -> usize {
                S::$lanes
            }

            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vector {
                simd.$splat(value)
            }

            #[inline(always)]
            fn vectors<S: Simd>(values: &[Self]) -> &[S::$vector] {
                S::$as(values).0
            }

            #[inline(always)]
            fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [S::$vector] {
                S::$as_mut(values).0
            }

            #[inline(always)]
            fn mul_add<S: Simd>(
                simd: S,
                a: S::$vector,
                b: S::$vector,
                c: S::$vector,
            ) -> S::$vector {
                simd.$mul_add(a, b, c)
            }

            #[inline(always)]
            fn sum<S: Simd>(simd: S, vector: S::$vector) -> Self {
                simd.$sum(vector)
            }

            #[inline(always)]
            fn of(value: f64) -> Self {
                value as Self
            }
        }
    };
}

real!(
    f32,
    f32s,
    F32_LANES,
    splat_f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    mul_add_e_f32s,
    reduce_sum_f32s
);
real!(
    f64,
    f64s,
    F64_LANES,
    splat_f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    mul_add_e_f64s,
    reduce_sum_f64s
);

/// What `read` makes of the values of a tensor, row by row.
///
/// # Errors
/// If it is not on the CPU or of another type.
pub(super) fn with_values<T: Real, R>(
    tensor: &Tensor,
    read: impl FnOnce(&[T]) -> R,
) -> candle_core::Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else {
        candle_core::bail!("a prompt's values: expected them on the CPU")
    };
    let start = layout.start_offset();
    let values = storage.as_slice::<T>()?;
    Ok(read(&values[start..start + tensor.elem_count()]))
}
