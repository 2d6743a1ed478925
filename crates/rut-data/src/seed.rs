//! One seed, many named streams of random numbers, the same on every machine for ever.
//!
//! Bounded draws, floats and shuffles are written out here and not taken from `rand`, whose
//! algorithms may change between versions.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest as _, Sha256};

/// The seed of a run. All randomness of a run comes from streams of this one number.
///
/// ```
/// use rut_data::Seed;
/// let order = Seed(4).stream("example").permutation(5);
/// assert_eq!(order, Seed(4).stream("example").permutation(5));
/// assert_ne!(Seed(4).stream("a").next_u64(), Seed(4).stream("b").next_u64());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream of this seed with this name: ChaCha8 keyed by
    /// SHA-256("rut stream 1" ‖ 0 ‖ seed as 8 little-endian bytes ‖ name).
    ///
    /// Streams of different names are independent, so a new use of randomness never moves an old one.
    #[must_use]
    pub fn stream(self, name: &str) -> Stream {
        let mut hash = Sha256::new();
        hash.update(b"rut stream 1\0");
        hash.update(self.0.to_le_bytes());
        hash.update(name.as_bytes());
        Stream(ChaCha8Rng::from_seed(hash.finalize().into()))
    }
}

/// A stream of random numbers, made by [`Seed::stream`].
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The next 64 uniform bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A uniform integer in `0..n`, without bias (Lemire, "Fast random integer generation in an
    /// interval", 2019, section 4). Zero if `n` is zero.
    pub fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        let threshold = n.wrapping_neg().checked_rem(n).unwrap_or(0);
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= threshold {
                return (product >> 64) as usize;
            }
        }
    }

    /// A uniform number in [0, 1), a multiple of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Puts `items` into a uniformly random order (Fisher and Yates, from the last place down).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// A uniformly random order of `0..n`.
    #[must_use]
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }
}
