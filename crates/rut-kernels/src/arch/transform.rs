//! The transforms of Winograd's F(4×4, 3×3): 6×6 source pixels to 36 positions, and 36 products to 4×4 sums. Lanes are
//! images, so that both are plain sums of lines.

#![expect(
    clippy::needless_range_loop,
    reason = "loops over constants are what the compiler unrolls; iterators leave the sums in memory"
)]

use super::simd::Simd;
use super::winograd::{Bits, POINTS, Patch, Patches, Pixels, READ, Squares, WRITTEN};
use crate::lanes::Lanes;

const A: f32 = POINTS[0];
const B: f32 = POINTS[1];

/// Half of the source's transform along one axis: positions 0, A, −A or B, −B, infinity. Each is the polynomial
/// with all other points as roots.
#[inline(always)]
unsafe fn spread<S: Simd, const HALF: usize>(d: [S::Vector; READ]) -> [S::Vector; 3] {
    let fma = |value, factor: &f32, sum| {
        // SAFETY: the caller has the instructions of `S`.
        unsafe { S::mul_add(value, S::splat(factor), sum) }
    };
    if HALF == 0 {
        let zero = fma(d[0], &(A * A * B * B), fma(d[2], &-(A * A + B * B), d[4]));
        let even = fma(d[2], &-(B * B), d[4]);
        let odd = fma(d[1], &-(B * B), d[3]);
        [zero, fma(odd, &A, even), fma(odd, &-A, even)]
    } else {
        let even = fma(d[2], &-(A * A), d[4]);
        let odd = fma(d[1], &-(A * A), d[3]);
        let infinity = fma(d[1], &(A * A * B * B), fma(d[3], &-(A * A + B * B), d[5]));
        [fma(odd, &B, even), fma(odd, &-B, even), infinity]
    }
}

/// Half of the products' transform along one axis: sums 0 and 2, or 1 and 3. Sum i is Σ of the products times pointⁱ.
#[inline(always)]
unsafe fn join<S: Simd, const HALF: usize>(m: [S::Vector; READ]) -> [S::Vector; 2] {
    // SAFETY: the caller has the instructions of `S`.
    unsafe {
        if HALF == 0 {
            let (a, b) = (S::add(m[1], m[2]), S::add(m[3], m[4]));
            let square = S::mul(a, S::splat(&(A * A)));
            [
                S::add(m[0], S::add(a, b)),
                S::mul_add(b, S::splat(&(B * B)), square),
            ]
        } else {
            let (a, b) = (S::sub(m[1], m[2]), S::sub(m[3], m[4]));
            let line = S::mul(a, S::splat(&A));
            let cube = S::mul_add(a, S::splat(&(A * A * A)), m[5]);
            [
                S::mul_add(b, S::splat(&B), line),
                S::mul_add(b, S::splat(&(B * B * B)), cube),
            ]
        }
    }
}

/// # Safety
///
/// The job was checked, and the processor has the instructions of `S`.
#[inline(always)]
pub(super) unsafe fn patches<S: Simd>(job: &mut Patches<'_>) {
    for (index, patch) in job.patches.iter().enumerate() {
        let whole = patch.rows == [0, READ] && patch.columns == [0, READ];
        let mut from = job.source.as_ptr().wrapping_offset(patch.first);
        let mut to = job.packed.as_mut_ptr().wrapping_add(index);
        for _ in 0..job.channels {
            // SAFETY: by the check, the pixels that are there and all 36 positions are inside.
            unsafe {
                let (row, pixel, pitch) = (job.row_stride, job.channels, job.pitch);
                if whole {
                    half_patch::<S, true, 0>(from, to, patch, row, pixel, pitch);
                    half_patch::<S, true, 1>(from, to, patch, row, pixel, pitch);
                } else {
                    half_patch::<S, false, 0>(from, to, patch, row, pixel, pitch);
                    half_patch::<S, false, 1>(from, to, patch, row, pixel, pitch);
                }
            }
            from = from.wrapping_add(1);
            to = to.wrapping_add(job.patches.len());
        }
    }
}

/// Half of a channel's positions: the rows of one half fit the registers, so that nothing goes through memory between the
/// axes.
///
/// # Safety
///
/// As [`patches`]: what is read and written was checked.
#[inline(always)]
unsafe fn half_patch<S: Simd, const WHOLE: bool, const HALF: usize>(
    from: *const Lanes,
    to: *mut Lanes,
    patch: &Patch,
    row_stride: usize,
    pixel_stride: usize,
    pitch: usize,
) {
    let there = |at: usize, [first, end]: [usize; 2]| WHOLE || (at >= first && at < end);
    // SAFETY: rows and columns that are there were checked, and all positions.
    unsafe {
        let mut rows = [[S::zero(); 3]; READ];
        for row in 0..READ {
            if there(row, patch.rows) {
                let line = from.wrapping_add(row * row_stride);
                let mut d = [S::zero(); READ];
                for column in 0..READ {
                    if there(column, patch.columns) {
                        d[column] = S::load(line.wrapping_add(column * pixel_stride).cast());
                    }
                }
                rows[row] = spread::<S, HALF>(d);
            }
        }
        for column in 0..3 {
            let mut d = [S::zero(); READ];
            for row in 0..READ {
                d[row] = rows[row][column];
            }
            let low = spread::<S, 0>(d);
            let high = spread::<S, 1>(d);
            let to = to.wrapping_add((HALF * 3 + column) * pitch);
            for row in 0..3 {
                S::store(to.add(row * READ * pitch).cast(), low[row]);
                S::store(to.add((row + 3) * READ * pitch).cast(), high[row]);
            }
        }
    }
}

/// # Safety
///
/// The job was checked, and the processor has the instructions of `S`.
#[inline(always)]
pub(super) unsafe fn squares<S: Simd>(job: &mut Squares<'_, '_>) {
    let (first, products, pitch) = (job.first, job.products.as_ptr(), job.pitch);
    let bias = &job.bias[..job.channels];
    for (index, square) in job.squares.iter_mut().enumerate() {
        let mut values = [core::ptr::null_mut::<Lanes>(); WRITTEN * WRITTEN];
        for (pointer, pixel) in values.iter_mut().zip(&mut square.values) {
            if !pixel.is_empty() {
                *pointer = pixel[first..].as_mut_ptr();
            }
        }
        let one = One {
            products: products.wrapping_add(index * job.channels),
            pitch,
            values,
            bias,
            add: job.add,
        };
        // SAFETY: products and pixels were checked; bits are as long as their pixel.
        unsafe {
            match &mut square.bits {
                Bits::Store => one.finish::<S>(|sum, _, _| sum),
                Bits::Relu => one.finish::<S>(|sum, _, _| S::relu(sum)),
                Bits::ReluRecord(bits) => {
                    let bits = bits.each_mut().map(|bits| bits.as_mut_ptr());
                    one.finish::<S>(|sum, pixel, channel| {
                        *bits[pixel].add(first + channel) = S::above_zero(sum);
                        S::relu(sum)
                    });
                }
                Bits::Mask(bits) => {
                    let bits = bits.each_ref().map(|bits| bits.as_ptr());
                    one.finish::<S>(|sum, pixel, channel| {
                        S::keep(sum, *bits[pixel].add(first + channel))
                    });
                }
            }
        }
    }
}

/// A tile on its way back.
struct One<'a> {
    products: *const Lanes,
    pitch: usize,
    /// Null where a pixel is not written.
    values: Pixels<*mut Lanes>,
    bias: &'a [f32],
    add: bool,
}

impl One<'_> {
    /// Stores `make(sum, pixel, channel)` for every sum.
    ///
    /// # Safety
    ///
    /// Products and values are valid for as many channels as there are biases.
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, make: impl Fn(S::Vector, usize, usize) -> S::Vector) {
        for channel in 0..self.bias.len() {
            // SAFETY: the caller vouches for it.
            unsafe {
                self.half::<S, 0>(channel, &make);
                self.half::<S, 1>(channel, &make);
            }
        }
    }

    /// Columns 0 and 2, or 1 and 3.
    ///
    /// # Safety
    ///
    /// As above.
    #[inline(always)]
    unsafe fn half<S: Simd, const HALF: usize>(
        &self,
        channel: usize,
        make: &impl Fn(S::Vector, usize, usize) -> S::Vector,
    ) {
        // SAFETY: the caller vouches for the channel.
        unsafe {
            let bias = S::splat(self.bias.as_ptr().add(channel));
            let mut rows = [[S::zero(); 2]; READ];
            for row in 0..READ {
                let mut m = [S::zero(); READ];
                for column in 0..READ {
                    let at = (row * READ + column) * self.pitch + channel;
                    m[column] = S::load(self.products.add(at).cast());
                }
                rows[row] = join::<S, HALF>(m);
            }
            for column in 0..2 {
                let mut m = [S::zero(); READ];
                for row in 0..READ {
                    m[row] = rows[row][column];
                }
                let even = join::<S, 0>(m);
                let odd = join::<S, 1>(m);
                let sums = [even[0], odd[0], even[1], odd[1]];
                for row in 0..WRITTEN {
                    let pixel = row * WRITTEN + 2 * column + HALF;
                    if self.values[pixel].is_null() {
                        continue;
                    }
                    let to = self.values[pixel].add(channel);
                    let mut sum = S::add(sums[row], bias);
                    if self.add {
                        sum = S::add(S::load(to.cast()), sum);
                    }
                    S::store(to.cast(), make(sum, pixel, channel));
                }
            }
        }
    }
}
