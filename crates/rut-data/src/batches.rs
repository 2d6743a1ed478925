//! The order in which the images of an epoch are used.

use crate::Seed;

/// Order of one pass over a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// First to last.
    Sequential,
    /// A random order that depends on nothing but seed, epoch and number of images.
    Shuffled {
        /// Seed of the run.
        seed: Seed,
        /// Epoch, counted from 0.
        epoch: u32,
    },
}

/// Indices `0..n` cut into batches of `batch_size`; the last batch may be smaller and is kept.
/// A `batch_size` of 0 is taken as 1.
///
/// ```
/// use rut_data::{Order, batches};
/// assert_eq!(batches(5, 2, Order::Sequential), [vec![0, 1], vec![2, 3], vec![4]]);
/// ```
#[must_use]
pub fn batches(n: usize, batch_size: usize, order: Order) -> Vec<Vec<usize>> {
    let indices = match order {
        Order::Sequential => (0..n).collect(),
        Order::Shuffled { seed, epoch } => seed
            .stream(&format!("batches/epoch {epoch}"))
            .permutation(n),
    };
    indices
        .chunks(batch_size.max(1))
        .map(<[usize]>::to_vec)
        .collect()
}
