//! An image added behind a mask that has one value for each patch.

use rayon::prelude::*;

use super::real::Real;

/// Shape of a mask [n, c, S/p, S/p] of images [n, 3, S, S].
#[derive(Clone, Copy, Debug)]
pub(super) struct Patches {
    /// S, pixels.
    pub(super) side: usize,
    /// p, pixels.
    pub(super) patch: usize,
    /// c: 3, or 1 for all channels of an image.
    pub(super) channels: usize,
}

impl Patches {
    /// Values of a channel of a mask.
    fn cells(self) -> usize {
        (self.side / self.patch).pow(2)
    }

    /// The row of a mask's channels that lies on row `row` of `channel` of an image.
    fn row<T>(self, mask: &[T], channel: usize, row: usize) -> &[T] {
        let across = self.side / self.patch;
        let start = channel % self.channels * self.cells() + row / self.patch * across;
        &mask[start..start + across]
    }

    /// Images `x` [n, 3, S, S] with `program` [3, S, S] added to each behind its mask.
    pub(super) fn add<T: Real>(self, x: &[T], program: &[T], mask: &[T]) -> Vec<T> {
        let mut sums = vec![T::zero(); x.len()];
        sums.par_chunks_exact_mut(program.len())
            .zip(x.par_chunks_exact(program.len()))
            .zip(mask.par_chunks_exact(self.channels * self.cells()))
            .for_each(|((image, x), mask)| {
                image.copy_from_slice(x);
                let rows = image.chunks_exact_mut(self.side);
                for (at, (row, program)) in rows.zip(program.chunks_exact(self.side)).enumerate() {
                    let shares = self.row(mask, at / self.side, at % self.side);
                    let cells = row
                        .chunks_exact_mut(self.patch)
                        .zip(program.chunks_exact(self.patch));
                    for ((row, program), &share) in cells.zip(shares) {
                        for (value, &program) in row.iter_mut().zip(program) {
                            *value += program * share;
                        }
                    }
                }
            });
        sums
    }

    /// The gradients of `program`, summed over images in their order, and of `mask` from that of the sums.
    pub(super) fn gradients<T: Real>(
        self,
        gradient: &[T],
        program: &[T],
        mask: &[T],
    ) -> (Vec<T>, Vec<T>) {
        let mut of_program = vec![T::zero(); program.len()];
        let masks = mask.chunks_exact(self.channels * self.cells());
        of_program
            .par_chunks_exact_mut(self.side)
            .enumerate()
            .for_each(|(at, sums)| {
                for (image, mask) in gradient.chunks_exact(program.len()).zip(masks.clone()) {
                    let shares = self.row(mask, at / self.side, at % self.side);
                    let row = &image[at * self.side..][..self.side];
                    let cells = sums
                        .chunks_exact_mut(self.patch)
                        .zip(row.chunks_exact(self.patch));
                    for ((sums, row), &share) in cells.zip(shares) {
                        for (sum, &value) in sums.iter_mut().zip(row) {
                            *sum += value * share;
                        }
                    }
                }
            });
        let mut of_mask = vec![T::zero(); mask.len()];
        of_mask
            .par_chunks_exact_mut(self.channels * self.cells())
            .zip(gradient.par_chunks_exact(program.len()))
            .for_each(|(of_mask, image)| self.mask_gradient(image, program, of_mask));
        (of_program, of_mask)
    }

    /// That of one image's mask.
    fn mask_gradient<T: Real>(self, image: &[T], program: &[T], of_mask: &mut [T]) {
        let across = self.side / self.patch;
        let rows = image.chunks_exact(self.side);
        for (at, (row, program)) in rows.zip(program.chunks_exact(self.side)).enumerate() {
            let (channel, down) = (at / self.side % self.channels, at % self.side / self.patch);
            let to = &mut of_mask[channel * self.cells() + down * across..][..across];
            let cells = row
                .chunks_exact(self.patch)
                .zip(program.chunks_exact(self.patch));
            for (to, (row, program)) in to.iter_mut().zip(cells) {
                for (&value, &program) in row.iter().zip(program) {
                    *to += value * program;
                }
            }
        }
    }
}
