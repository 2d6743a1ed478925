//! Indices drawn with replacement: a stream that is fixed by its definition, not by a library's version.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What indices are drawn for: each use has a stream of its own, so that a new one moves no old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// The figures of a set.
    Figures = 0,
    /// The temperature fitted on a set.
    Temperature = 1,
}

/// Uniform indices below n. The stream is ChaCha with 8 rounds, the [`Stream`]'s number as its nonce, and a key of the seed's eight bytes, lowest first,
/// and 24 zeros; a 64-bit word w becomes ⌊w n / 2⁶⁴⌋, and is passed over where that would favour an index (Lemire 2019,
/// algorithm 5).
pub(crate) struct Resample {
    stream: ChaCha8Rng,
    n: u64,
    /// Words whose product with n has a lower half below this are passed over: 2⁶⁴ mod n.
    excess: u64,
}

impl Resample {
    /// For `n` ≥ 1 samples.
    pub(crate) fn new(seed: u64, n: usize, stream: Stream) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let n = n as u64;
        let mut words = ChaCha8Rng::from_seed(key);
        words.set_stream(stream as u64);
        Self {
            stream: words,
            n,
            excess: n.wrapping_neg() % n,
        }
    }

    /// The next index.
    pub(crate) fn draw(&mut self) -> usize {
        loop {
            let product = u128::from(self.stream.next_u64()) * u128::from(self.n);
            if product as u64 >= self.excess {
                return (product >> 64) as usize;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(seed: u64, n: usize) -> Vec<usize> {
        let mut resample = Resample::new(seed, n, Stream::Figures);
        (0..8).map(|_| resample.draw()).collect()
    }

    #[test]
    fn every_index_is_drawn_about_equally_often() {
        let mut resample = Resample::new(7, 3, Stream::Temperature);
        let mut counts = [0u32; 3];
        for _ in 0..30_000 {
            counts[resample.draw()] += 1;
        }
        // The standard deviation of a count is 82.
        assert!(
            counts.iter().all(|&count| count.abs_diff(10_000) < 400),
            "{counts:?}"
        );
    }

    #[test]
    fn the_stream_never_changes() {
        // From a separate implementation of ChaCha8 after RFC 8439, with big integers for the bounds.
        assert_eq!(first(0, 1000), [836, 631, 232, 117, 255, 98, 6, 261]);
        assert_eq!(
            first(42, 1 << 40),
            [
                382_909_837_593,
                314_128_901_142,
                542_578_712_420,
                404_501_850_774,
                907_842_750_870,
                73_963_836_436,
                538_756_957_225,
                293_042_784_374
            ]
        );
    }
}
