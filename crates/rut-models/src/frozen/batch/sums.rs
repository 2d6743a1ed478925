//! Gradients of pixels that all images of a batch share, summed over the batch.

/// One part for each value and step, in the engine's own layout.
#[derive(Clone)]
pub(in crate::frozen) struct Sums {
    /// For each value the pixels of its rim, one after another.
    pub(in crate::frozen) rims: Vec<Vec<f32>>,
    /// For each step that is a max-pool the pixels around the area of what it reads, in the same way.
    pub(in crate::frozen) around: Vec<Vec<f32>>,
}

impl Sums {
    /// Adds another's.
    pub(super) fn merge(&mut self, other: &Self) {
        let sums = self.rims.iter_mut().chain(&mut self.around);
        for (sums, others) in sums.zip(other.rims.iter().chain(&other.around)) {
            let pairs = sums.iter_mut().zip(others);
            pairs.for_each(|(sum, other)| *sum += other);
        }
    }
}
