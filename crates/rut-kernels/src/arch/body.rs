//! The kernels themselves, written once; each instruction set compiles its own copy.

#![expect(
    clippy::needless_range_loop,
    reason = "loops over constants are what the compiler unrolls; iterators leave the sums in memory"
)]

use super::gather::Gather;
use super::simd::Simd;
use super::tile::{DenseTile, Epilogue, Init, MaxPixel, MaxPixelBack, SparseTile, Target};
use crate::lanes::Lanes;

/// The sums of `ROWS` channels × `PIXELS` pixels.
type Sums<S, const ROWS: usize, const PIXELS: usize> = [[<S as Simd>::Vector; PIXELS]; ROWS];

/// How many terms ahead of the sums a dense kernel's weights are fetched: they are read once for each tile, from beyond the
/// second-level cache.
const AHEAD: usize = 64;
/// How many rows ahead of its sums a sparse kernel fetches the elements that they will go to.
const ROWS_AHEAD: usize = 6;

/// Channels `channel..channel + ROWS` of a target, of which those beyond `channels` are padding. The loops here and in
/// [`finish`] are small and without inner choices, so that the compiler unrolls them and keeps the sums in registers.
///
/// # Safety
///
/// The target was checked for `PIXELS` and `ROWS`, and the processor has the instructions of `S`.
#[inline(always)]
unsafe fn start<S: Simd, const ROWS: usize, const PIXELS: usize>(
    target: &Target<'_>,
    channel: usize,
) -> Sums<S, ROWS, PIXELS> {
    let present = target.channels - channel;
    // SAFETY: bias and unfinished sums cover padded channels; destination elements are read only for channels that exist.
    unsafe {
        let mut sums = [[S::zero(); PIXELS]; ROWS];
        if target.init == Init::Partial {
            return resume::<S, ROWS, PIXELS>(target, channel);
        }
        if target.init != Init::Destination {
            for row in 0..ROWS {
                sums[row] = [S::splat(target.bias.as_ptr().add(channel + row)); PIXELS];
            }
        }
        if target.init != Init::Bias {
            let from: *const Lanes = target.values.as_ptr().add(target.first + channel);
            for row in 0..ROWS {
                if row < present {
                    for pixel in 0..PIXELS {
                        let there = S::load(from.add(pixel * target.pixel_stride + row).cast());
                        sums[row][pixel] = S::add(there, sums[row][pixel]);
                    }
                }
            }
        }
        sums
    }
}

/// Sums that an earlier block of channels left unfinished.
///
/// # Safety
///
/// As [`start`].
#[inline(always)]
unsafe fn resume<S: Simd, const ROWS: usize, const PIXELS: usize>(
    target: &Target<'_>,
    channel: usize,
) -> Sums<S, ROWS, PIXELS> {
    // SAFETY: unfinished sums cover padded channels.
    unsafe {
        let from: *const Lanes = target.partial.as_ptr().add(channel * PIXELS);
        let mut sums = [[S::zero(); PIXELS]; ROWS];
        for row in 0..ROWS {
            for pixel in 0..PIXELS {
                sums[row][pixel] = S::load(from.add(row * PIXELS + pixel).cast());
            }
        }
        sums
    }
}

/// Leaves sums unfinished for the next block of channels.
///
/// # Safety
///
/// As [`start`].
#[inline(always)]
unsafe fn suspend<S: Simd, const ROWS: usize, const PIXELS: usize>(
    target: &mut Target<'_>,
    channel: usize,
    sums: &Sums<S, ROWS, PIXELS>,
) {
    // SAFETY: unfinished sums cover padded channels.
    unsafe {
        let to = target.partial.as_mut_ptr().add(channel * PIXELS);
        for row in 0..ROWS {
            for pixel in 0..PIXELS {
                S::store(to.add(row * PIXELS + pixel).cast(), sums[row][pixel]);
            }
        }
    }
}

/// Stores `make(sum, element)` for every sum whose channel exists; `element` counts from the target's first.
///
/// # Safety
///
/// As [`start`].
#[inline(always)]
unsafe fn store<S: Simd, const ROWS: usize, const PIXELS: usize>(
    target: &mut Target<'_>,
    channel: usize,
    sums: &Sums<S, ROWS, PIXELS>,
    make: impl Fn(S::Vector, usize) -> S::Vector,
) {
    let present = target.channels - channel;
    let values = target.values.as_mut_ptr();
    for row in 0..ROWS {
        if row < present {
            for pixel in 0..PIXELS {
                let at = target.first + channel + pixel * target.pixel_stride + row;
                // SAFETY: `at` is inside the values by the target's check.
                unsafe { S::store(values.add(at).cast(), make(sums[row][pixel], at)) }
            }
        }
    }
}

/// # Safety
///
/// As [`start`].
#[inline(always)]
unsafe fn finish<S: Simd, const ROWS: usize, const PIXELS: usize>(
    target: &mut Target<'_>,
    channel: usize,
    sums: Sums<S, ROWS, PIXELS>,
) {
    let to_record = match &mut target.epilogue {
        Epilogue::ReluRecord(bits) => bits.as_mut_ptr(),
        _ => core::ptr::null_mut(),
    };
    // SAFETY: bits stand like values, so that each element is inside them by the target's check, as it is inside the
    // unfinished sums.
    unsafe {
        match target.epilogue {
            Epilogue::Partial => suspend::<S, ROWS, PIXELS>(target, channel, &sums),
            Epilogue::Store => store::<S, ROWS, PIXELS>(target, channel, &sums, |sum, _| sum),
            Epilogue::Relu => {
                store::<S, ROWS, PIXELS>(target, channel, &sums, |sum, _| S::relu(sum))
            }
            Epilogue::ReluRecord(_) => {
                store::<S, ROWS, PIXELS>(target, channel, &sums, |sum, at| {
                    *to_record.add(at) = S::above_zero(sum);
                    S::relu(sum)
                });
            }
            Epilogue::Mask(bits) => {
                let bits = bits.as_ptr();
                let keep = |sum, at| S::keep(sum, *bits.add(at));
                store::<S, ROWS, PIXELS>(target, channel, &sums, keep);
            }
        }
    }
}

/// # Safety
///
/// The tile was checked for `PIXELS` and `ROWS`, and the processor has the instructions of `S`.
#[inline(always)]
pub(super) unsafe fn dense<S: Simd, const ROWS: usize, const PIXELS: usize>(
    tile: &mut DenseTile<'_>,
) {
    let terms = tile.terms;
    let offsets = tile.offsets.values().as_ptr();
    let source: *const Lanes = tile.source.as_ptr();
    for group in 0..tile.target.channels.div_ceil(ROWS) {
        let channel = group * ROWS;
        // SAFETY: offsets, weights and source were checked to cover `terms` terms of every group.
        unsafe {
            let mut weights = tile.weights.as_ptr().add(group * terms * ROWS);
            let mut sums = start::<S, ROWS, PIXELS>(&tile.target, channel);
            for term in 0..terms {
                let from = source.add(*offsets.add(term) as usize);
                let mut factors = [S::zero(); ROWS];
                for (row, factor) in factors.iter_mut().enumerate() {
                    *factor = S::splat(weights.add(row));
                }
                S::prefetch(weights.wrapping_add(ROWS * AHEAD));
                weights = weights.add(ROWS);
                for pixel in 0..PIXELS {
                    let value = S::load(from.add(pixel).cast());
                    for row in 0..ROWS {
                        sums[row][pixel] = S::mul_add(value, factors[row], sums[row][pixel]);
                    }
                }
            }
            finish::<S, ROWS, PIXELS>(&mut tile.target, channel, sums);
        }
    }
}

/// # Safety
///
/// The tile was checked for `PIXELS`, and the processor has the instructions of `S`.
#[inline(always)]
pub(super) unsafe fn sparse<S: Simd, const PIXELS: usize>(tile: &mut SparseTile<'_>) {
    let goes_on = tile.target.init == Init::Partial;
    let unfinished = matches!(tile.target.epilogue, Epilogue::Partial);
    // SAFETY: as the caller vouches.
    unsafe {
        match (goes_on, unfinished) {
            (false, false) => sparse_rows::<S, PIXELS, false, false>(tile),
            (false, true) => sparse_rows::<S, PIXELS, false, true>(tile),
            (true, false) => sparse_rows::<S, PIXELS, true, false>(tile),
            (true, true) => sparse_rows::<S, PIXELS, true, true>(tile),
        }
    }
}

/// The choice of where sums begin and go to is made outside the loop: rows are short.
///
/// # Safety
///
/// As [`sparse`].
#[inline(always)]
unsafe fn sparse_rows<S: Simd, const PIXELS: usize, const GOES_ON: bool, const UNFINISHED: bool>(
    tile: &mut SparseTile<'_>,
) {
    let source: *const Lanes = tile.source.as_ptr();
    let lengths = tile.rows.lengths();
    let lines = tile.ahead.lines().div_ceil(lengths.len().max(1));
    let mut walk = tile.ahead.walk();
    let mut entry = tile.rows.entries().as_ptr();
    for (channel, &length) in lengths.iter().enumerate() {
        // SAFETY: there are as many rows as channels, and as many entries as in all rows; they name checked elements.
        unsafe {
            walk.fetch::<S>(lines);
            if !UNFINISHED {
                fetch_target::<S, PIXELS>(&tile.target, channel + ROWS_AHEAD);
            }
            let mut sums = if GOES_ON {
                resume::<S, 1, PIXELS>(&tile.target, channel)
            } else {
                start::<S, 1, PIXELS>(&tile.target, channel)
            };
            for _ in 0..length {
                let from = source.add((*entry).offset());
                let factor = S::spread((*entry).weight());
                entry = entry.add(1);
                for (pixel, sum) in sums[0].iter_mut().enumerate() {
                    *sum = S::mul_add(S::load(from.add(pixel).cast()), factor, *sum);
                }
            }
            if UNFINISHED {
                suspend::<S, 1, PIXELS>(&mut tile.target, channel, &sums);
            } else {
                finish::<S, 1, PIXELS>(&mut tile.target, channel, sums);
            }
        }
    }
}

/// Asks for a channel of the target: its pixels are far apart.
///
/// # Safety
///
/// The processor has the instructions of `S`.
#[inline(always)]
unsafe fn fetch_target<S: Simd, const PIXELS: usize>(target: &Target<'_>, channel: usize) {
    let first = target.values.as_ptr().wrapping_add(target.first + channel);
    for pixel in 0..PIXELS {
        // SAFETY: any address may be asked for.
        unsafe { S::prefetch(first.wrapping_add(pixel * target.pixel_stride).cast()) }
    }
}

/// # Safety
///
/// The gather was checked, and the processor has the instructions of `S`.
#[inline(always)]
pub(super) unsafe fn gather<S: Simd>(gather: &mut Gather<'_>) {
    for &(slot, from) in gather.slots {
        // SAFETY: slots lie inside the pitch, lines inside the source.
        unsafe {
            let mut to = gather.packed.as_mut_ptr().add(slot as usize);
            if from == Gather::ZERO {
                for channel in 0..gather.channels {
                    S::store(to.add(channel * gather.pitch).cast(), S::zero());
                }
                continue;
            }
            let mut line = gather.source.as_ptr().add(from as usize + gather.shift);
            for _ in 0..gather.channels {
                S::store(to.cast(), S::load(line.cast()));
                to = to.wrapping_add(gather.pitch);
                line = line.add(1);
            }
        }
    }
}

/// # Safety
///
/// The pixel was checked, and the processor has the instructions of `S`.
#[inline(always)]
pub(super) unsafe fn max_pool<S: Simd>(pool: &mut MaxPixel<'_>) {
    let [(first, first_place), others @ ..] = pool.window else {
        return;
    };
    // Places stay below 256, so that f32 holds them exactly.
    let place = |place: u8| f32::from(place);
    for channel in 0..pool.values.len() {
        // SAFETY: every source element up to the last channel is inside the source.
        unsafe {
            let element = |from: u32| pool.source.as_ptr().add(from as usize + channel).cast();
            let mut best = S::load(element(*first));
            let mut best_place = S::splat(&place(*first_place));
            for &(from, there) in others {
                let value = S::load(element(from));
                let larger = S::replaces(value, best);
                best = S::select(larger, value, best);
                best_place = S::select(larger, S::splat(&place(there)), best_place);
            }
            S::store(pool.values.as_mut_ptr().add(channel).cast(), best);
            S::store_bytes(pool.taken.as_mut_ptr().add(channel).cast(), best_place);
        }
    }
}

/// # Safety
///
/// The pixel was checked, and the processor has the instructions of `S`.
#[inline(always)]
pub(super) unsafe fn max_pool_back<S: Simd>(pool: &mut MaxPixelBack<'_>) {
    for channel in 0..pool.target.channels {
        // SAFETY: every gradient up to the last channel is inside the gradients, and places stand like them.
        unsafe {
            let mut sums = start::<S, 1, 1>(&pool.target, channel);
            for &(from, place) in pool.windows {
                let at = from as usize + channel;
                let took = S::bytes_equal(pool.taken.as_ptr().add(at).cast(), place);
                let grad = S::load(pool.grad.as_ptr().add(at).cast());
                sums[0][0] = S::add(sums[0][0], S::select(took, grad, S::zero()));
            }
            finish::<S, 1, 1>(&mut pool.target, channel, sums);
        }
    }
}
