//! Batch normalisation of the channels of a batch.

use crate::prompt::real::Real;

/// ε.
const EPSILON: f64 = 1e-5;
/// Share of a batch in running statistics.
const MOMENTUM: f64 = 0.1;

/// Two sums of each channel.
pub(super) type Sums = Vec<[f64; 2]>;

/// How a channel is normalised: (z − mean) · scale + shift.
#[derive(Clone, Copy)]
pub(super) struct Norm<T> {
    mean: T,
    inverse: T,
    /// γ / σ.
    pub(super) scale: T,
    shift: T,
}

impl<T: Real> Norm<T> {
    #[inline(always)]
    pub(super) fn value(&self, z: T) -> T {
        (z - self.mean) * self.scale + self.shift
    }

    /// ẑ = (z − mean) / σ.
    #[inline(always)]
    pub(super) fn normalized(&self, z: T) -> T {
        (z - self.mean) * self.inverse
    }
}

impl<T: Real> Norm<T> {
    /// The gradient of z from that of what was normalised, dy; `mean` and `along` are the means of dy and of dy·ẑ.
    #[inline(always)]
    pub(super) fn back(&self, z: T, dy: T, mean: T, along: T) -> T {
        self.scale * (dy - mean - self.normalized(z) * along)
    }

    /// Of channels with these statistics, each mean and variance, by γ and β.
    pub(super) fn of(statistics: &[[f64; 2]], scale: &[T], shift: &[T]) -> Vec<Self> {
        let of_channel = |(([mean, variance], &scale), &shift): ((&[f64; 2], &T), &T)| {
            let inverse = 1.0 / (variance + EPSILON).sqrt();
            Self {
                mean: T::of(*mean),
                inverse: T::of(inverse),
                scale: T::of(scale.into() * inverse),
                shift,
            }
        };
        let parameters = statistics.iter().zip(scale).zip(shift);
        parameters.map(of_channel).collect()
    }
}

/// Running mean and variance of each channel.
pub(super) fn running<T: Real>(running: &[Vec<T>]) -> Sums {
    let both = running[0].iter().zip(&running[1]);
    both.map(|(&mean, &variance)| [mean.into(), variance.into()])
        .collect()
}

/// Mean and variance of each channel of a batch of `count` values, from Σ z and Σ z² of its images. Moves running ones by them,
/// the variance without bias.
pub(super) fn observed<T: Real>(sums: &[Sums], count: f64, running: &mut [Vec<T>]) -> Sums {
    let of_channel = |[sum, squares]: [f64; 2]| {
        let mean = sum / count;
        [mean, (squares / count - mean * mean).max(0.0)]
    };
    let statistics: Sums = totals(sums).into_iter().map(of_channel).collect();
    for (channel, [mean, variance]) in statistics.iter().enumerate() {
        let moved = |old: T, new: f64| T::of((1.0 - MOMENTUM) * old.into() + MOMENTUM * new);
        running[0][channel] = moved(running[0][channel], *mean);
        running[1][channel] = moved(running[1][channel], variance * count / (count - 1.0));
    }
    statistics
}

/// Sums over the images, in their order.
pub(super) fn totals(sums: &[Sums]) -> Sums {
    let mut totals = vec![[0.0; 2]; sums.first().map_or(0, Vec::len)];
    for image in sums {
        for (total, sum) in totals.iter_mut().zip(image) {
            total[0] += sum[0];
            total[1] += sum[1];
        }
    }
    totals
}

/// Values that stand side by side in a pass; 0 behind the last of a row.
pub(super) type Chunk<T> = [T; CHUNK];

/// Enough for loops to become vectors.
pub(super) const CHUNK: usize = 64;

/// Two sums, each in as many parts as a vector may have.
#[derive(Default)]
pub(super) struct Partial {
    first: [f64; PARTS],
    second: [f64; PARTS],
}

const PARTS: usize = 16;

impl Partial {
    #[inline(always)]
    pub(super) fn add(&mut self, first: &Chunk<f64>, second: &Chunk<f64>) {
        for (parts, chunk) in [(&mut self.first, first), (&mut self.second, second)] {
            for values in chunk.as_chunks::<PARTS>().0 {
                for part in 0..PARTS {
                    parts[part] += values[part];
                }
            }
        }
    }

    pub(super) fn total(&self) -> [f64; 2] {
        [self.first.iter().sum(), self.second.iter().sum()]
    }
}
